/* frozen: makes a frozen image of a running Python, or prints the stacks that one holds.
 *
 *     frozen save PID FILE      frozen show FILE
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "bytecode/lines.h"
#include "image.h"
#include "sample/target.h"

struct printed_code {
	struct buffer name, file, table;
	uint32_t first_line, kind;
};

/* A sink that keeps definitions, to print stacks with. */
struct printer {
	struct sink sink;
	VEC(struct printed_code) codes;
	VEC(struct stack_def) stacks;
};

static struct error *keep_code(struct sink *sink, const struct code_def *def)
{
	struct printed_code code = { .first_line = def->first_line, .kind = def->line_table_kind };
	struct text name = def->qualname.size ? def->qualname : def->name;
	const char *slash = memrchr(def->file.data, '/', def->file.size);
	struct text file = def->file;
	if (slash)
		file = (struct text){ slash + 1, def->file.size - (size_t)(slash + 1 - def->file.data) };
	buffer_add(&code.name, name.data, name.size);
	buffer_add(&code.file, file.data, file.size);
	buffer_add(&code.table, def->line_table.data, def->line_table.size);
	return vec_push(&((struct printer *)sink)->codes, code) ? NULL : &error_no_memory;
}

static struct error *keep_stack(struct sink *sink, const struct stack_def *def)
{
	return vec_push(&((struct printer *)sink)->stacks, *def) ? NULL : &error_no_memory;
}

static void print_stack(struct printer *printer, uint32_t id)
{
	for (; id; id = printer->stacks.data[id - 1].parent) {
		const struct stack_def *def = &printer->stacks.data[id - 1];
		struct printed_code *code = &printer->codes.data[def->code - 1];
		struct line_table table = { code->kind, code->first_line, (unsigned char *)code->table.data,
			code->table.size };
		printf("    %s (%s:%u)\n", buffer_string(&code->name), buffer_string(&code->file),
			lines_find_position(&table, def->instruction).line);
	}
}

static void printer_deinit(struct printer *printer)
{
	for (size_t i = 0; i < printer->codes.count; i++) {
		buffer_deinit(&printer->codes.data[i].name);
		buffer_deinit(&printer->codes.data[i].file);
		buffer_deinit(&printer->codes.data[i].table);
	}
	vec_free(&printer->codes);
	vec_free(&printer->stacks);
}

/* Many looks in one read see what one look sees. */
static struct error *check_looks(struct target *target)
{
	enum { READS = 24 };
	VEC(uint32_t) stacks = { 0 };
	struct error *error = NULL;
	for (size_t i = 0; i < target->threads.count; i++)
		if (!vec_push(&stacks, target->threads.data[i]->stack))
			error = &error_no_memory;
	target->several_looks = true;
	unsigned most = 1;
	for (int reads = 0; reads < READS && !error; reads++) {
		target->held_by = target->gil_last.last_holder; /* nobody has the GIL here: its last holder may run */
		error = target_sample(target, clock_now());
		most = target->looks.count > most ? target->looks.count : most;
		while (!error && target_has_look(target))
			error = target_next_look(target);
		for (size_t i = 0; i < target->threads.count && !error; i++)
			if (target->threads.data[i]->stack != stacks.data[i])
				error = error_new(ERROR_FAILED, "a look in a read of several has another stack");
	}
	bool could = target->runtime.version >= 0x030d && !target->runtime.free_threaded;
	if (!error && could && most == 1)
		error = error_new(ERROR_FAILED, "no read had several looks");
	vec_free(&stacks);
	return error;
}

static struct error *print_target(struct target *target, bool looks)
{
	static const struct sink_ops ops = { .code = keep_code, .stack = keep_stack };
	struct printer printer = { .sink = { &ops } };
	struct registry registry;
	char version[24];
	registry_init(&registry, &printer.sink);
	target_attach_registry(target, &registry);
	struct error *error = target_sample(target, clock_now());
	target_index_names(target);
	runtime_version_text(&target->runtime, version);
	printf("Python %s%s\n", version, target->runtime.free_threaded ? " free-threaded" : "");
	for (size_t i = target->threads.count; !error && i-- > 0;) {
		_cleanup_buffer_ struct buffer name = { 0 };
		const struct thread *thread = target->threads.data[i];
		target_thread_name(target, thread, &name);
		printf("thread \"%s\"%s\n", buffer_string(&name),
			thread->quality == QUALITY_EXACT ? "" : ", not exact");
		print_stack(&printer, thread->stack);
	}
	if (!error && looks)
		error = check_looks(target);
	registry_deinit(&registry);
	printer_deinit(&printer);
	return error;
}

static struct error *show(struct memory *memory, const struct maps *maps)
{
	struct target *target;
	TRY(target_open_memory(memory, maps, 0, &target));
	struct error *error = print_target(target, true);
	target_destroy(target);
	return error;
}

/* The image holds what opening and one sample looked at. */
static struct error *save(pid_t pid, const char *path)
{
	_cleanup_maps_ struct maps maps = { 0 };
	struct memory *inner, *recorder;
	struct target *target;
	TRY(maps_read(pid, &maps));
	TRY(memory_open_process(pid, &inner));
	TRY(image_record(inner, &recorder));
	TRY(target_open_memory(recorder, &maps, 0, &target));
	struct error *error = print_target(target, false);
	if (!error)
		error = image_save(path, recorder, &maps);
	target_destroy(target);
	return error;
}

int main(int argc, char **argv)
{
	_cleanup_error_ struct error *error = NULL;
	_cleanup_maps_ struct maps maps = { 0 };
	struct memory *memory;
	if (argc == 4 && strcmp(argv[1], "save") == 0)
		error = save((pid_t)strtol(argv[2], NULL, 10), argv[3]);
	else if (argc == 3 && strcmp(argv[1], "show") == 0) {
		error = image_open(argv[2], &maps, &memory);
		if (!error)
			error = show(memory, &maps);
	} else
		error = error_new(ERROR_USAGE, "usage: frozen save PID FILE | frozen show FILE");
	if (error)
		fprintf(stderr, "frozen: %s\n", error_message(error));
	return error_status(error);
}
