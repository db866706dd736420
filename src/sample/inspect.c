/* inspect.c: see inspect.h. */
#include "sample/inspect.h"

#include <stdio.h>
#include <string.h>

#include "os/elf_image.h"

static enum python_found judge(const struct error *error)
{
	if (!error)
		return PYTHON_READABLE;
	switch (error->kind) {
	case ERROR_NOT_READY:
		return PYTHON_STARTING;
	case ERROR_UNSUPPORTED:
	case ERROR_CORRUPT:
		return PYTHON_NONE;
	default:
		return PYTHON_UNKNOWN;
	}
}

static bool has_symbol(struct memory *memory, uint64_t image_start, const char *name)
{
	struct elf_image image;
	uint64_t address;
	_cleanup_error_ struct error *error = elf_image_read(memory, image_start, &image);
	return !error && elf_image_symbol(memory, &image, name, &address);
}

static struct error *find_python(pid_t pid, struct inspection *inspection)
{
	_cleanup_maps_ struct maps maps = { 0 };
	TRY(maps_read(pid, &maps));
	if (maps.areas.count == 0)
		return error_new(
			ERROR_UNSUPPORTED, "it has no memory of its own: a kernel thread, or a process that has ended");
	struct memory *memory;
	TRY(memory_open_process(pid, &memory));
	struct error *error = runtime_find(memory, &maps, &inspection->runtime);
	inspection->debug = !error && has_symbol(memory, inspection->runtime.image_start, "_Py_NegativeRefcount");
	memory_destroy(memory);
	return error;
}

void inspect_process(pid_t pid, struct inspection *ret_inspection)
{
	struct inspection inspection = { 0 };
	_cleanup_error_ struct error *error = find_python(pid, &inspection);
	inspection.found = judge(error);
	if (error)
		snprintf(inspection.why, sizeof inspection.why, "%s", error_message(error));
	*ret_inspection = inspection;
}

bool inspect_is_named_python(const struct process *process)
{
	const char *path = process->executable	   ? process->executable
			   : process->command.size ? process->command.data
						   : process->name;
	size_t length = path == process->command.data ? strnlen(path, process->command.size) : strlen(path);
	const char *slash = memrchr(path, '/', length);
	const char *name = slash ? slash + 1 : path;
	length -= (size_t)(name - path);
	return (length >= 6 && strncmp(name, "python", 6) == 0) || (length >= 4 && strncmp(name, "pypy", 4) == 0);
}
