/* places.c: see places.h. */
#include "inject/places.h"

#include <stdlib.h>
#include <string.h>

#include "agent/attach.h"
#include "agent/segment/segment.h"
#include "base/cleanup.h"
#include "os/elf_image.h"

enum { CODE_MAX = 8 << 20 };

static const char *name_of(const struct map_area *area)
{
	const char *slash = strrchr(area->path, '/');
	return slash ? slash + 1 : area->path;
}

/* "libc.so.6", "libc-2.31.so" for "libc". */
static bool is_library(const struct map_area *area, const char *name)
{
	size_t size = strlen(name);
	const char *found = name_of(area);
	return strncmp(found, name, size) == 0 && (found[size] == '.' || found[size] == '-') && strstr(found, ".so");
}

static bool find_symbol(struct memory *memory, const struct map_area *first, const char *symbol, uint64_t *ret_address)
{
	struct elf_image image;
	_cleanup_error_ struct error *error = elf_image_read(memory, first->start, &image);
	return !error && elf_image_symbol(memory, &image, symbol, ret_address);
}

static bool find_in_library(
	struct memory *memory, const struct maps *maps, const char *library, const char *symbol, uint64_t *ret_address)
{
	for (size_t i = 0; i < maps->areas.count; i++) {
		const struct map_area *area = &maps->areas.data[i];
		if (area->offset == 0 && is_library(area, library))
			return find_symbol(memory, area, symbol, ret_address);
	}
	return false;
}

static bool find_code(struct memory *memory, const struct map_area *area, uint64_t *ret_address)
{
	size_t size = area->end - area->start < CODE_MAX ? (size_t)(area->end - area->start) : CODE_MAX;
	_cleanup_free_ unsigned char *code = malloc(size);
	if (!code || !memory_read(memory, area->start, code, size))
		return false;
	const unsigned char *found = memmem(code, size, remote_sigreturn_code, sizeof remote_sigreturn_code);
	if (found)
		*ret_address = area->start + (uint64_t)(found - code);
	return found;
}

static bool find_sigreturn(struct memory *memory, const struct maps *maps, uint64_t *ret_address)
{
	for (size_t i = 0; i < maps->areas.count; i++) {
		const struct map_area *area = &maps->areas.data[i];
		if (area->executable && is_library(area, "libc") && find_code(memory, area, ret_address))
			return true;
	}
	return false;
}

static bool is_measuring(struct memory *memory, const struct map_area *area)
{
	struct segment_head head;
	const char *end = strrchr(area->path, '.');
	return end && strcmp(end, ".segment") == 0 && memory_read(memory, area->start, &head, sizeof head) &&
	       head.magic == SEGMENT_MAGIC && head.state == SEGMENT_RUNNING;
}

static void find_python(struct memory *memory, const struct runtime *runtime, struct remote_places *places)
{
	struct elf_image image;
	_cleanup_error_ struct error *error = elf_image_read(memory, runtime->image_start, &image);
	uint64_t loop;
	places->python = runtime->image_start;
	places->python_end = runtime->image_end;
	if (error || !elf_image_function(memory, &image, "_PyEval_EvalFrameDefault", &loop, &places->loop_end))
		return;
	places->loop = loop;
}

static struct error *find_all(struct memory *memory, const struct maps *maps, const struct runtime *runtime,
	const char *agent, struct places *places)
{
	for (size_t i = 0; i < maps->areas.count; i++) {
		const struct map_area *area = &maps->areas.data[i];
		places->measured = places->measured || is_measuring(memory, area);
		if (area->offset == 0 && strcmp(name_of(area), agent) == 0 && !places->entry)
			find_symbol(memory, area, ATTACH_ENTRY, &places->entry);
		if (strncmp(name_of(area), "ld-musl-", 8) == 0)
			return error_new(ERROR_UNSUPPORTED,
				"process %d runs on musl, and what measures inside a program needs glibc", maps->pid);
	}
	find_python(memory, runtime, &places->remote);
	bool found = find_in_library(memory, maps, "libc", "dlopen", &places->open) ||
		     find_in_library(memory, maps, "libdl", "dlopen", &places->open) ||
		     find_in_library(memory, maps, "libc", "__libc_dlopen_mode", &places->open);
	if (!found || !find_sigreturn(memory, maps, &places->remote.sigreturn))
		return error_new(ERROR_UNSUPPORTED,
			"process %d has no dynamic loader that could load what measures in it (a static program?)",
			maps->pid);
	return NULL;
}

struct error *places_find(pid_t pid, const struct runtime *runtime, const char *agent, struct places *ret_places)
{
	_cleanup_maps_ struct maps maps = { 0 };
	_cleanup_memory_ struct memory *memory = NULL;
	struct places places = { 0 };
	TRY(maps_read(pid, &maps));
	TRY(memory_open_process(pid, &memory));
	TRY(find_all(memory, &maps, runtime, agent, &places));
	*ret_places = places;
	return NULL;
}
