#include "inject/definitions.h"

#include <string.h>

#include "base/hash.h"

static uint32_t table_kind(const struct segment_view *view, const struct segment_code *code)
{
	if (!(code->flags & SEGMENT_CODE_TABLE))
		return LINES_KIND_PLAIN;
	uint32_t version = view->head.python_version >> 16;
	return version >= 0x030b ? LINES_KIND_311 : version == 0x030a ? LINES_KIND_310 : LINES_KIND_LNOTAB_SIGNED;
}

static struct error *add_code(
	struct drain *drain, const struct segment_view *view, const struct segment_code *code, uint32_t *ret_id)
{
	const char *text = code->text;
	struct code_def def = {
		.id = ++drain->codes,
		.first_line = code->first_line,
		.line_table_kind = table_kind(view, code),
		.flags = code->flags & SEGMENT_CODE_BUILTIN ? CODE_BUILTIN
			 : code->flags & SEGMENT_CODE_TYPE  ? CODE_SYNTHETIC
							    : 0,
		.file = { text, code->file_size },
		.name = { text + code->file_size, code->name_size },
		.qualname = { text + code->file_size + code->name_size, code->qualname_size },
		.line_table = { text + code->file_size + code->name_size + code->qualname_size, code->table_size },
	};
	*ret_id = def.id;
	return drain->sink->ops->code(drain->sink, &def);
}

/* Two threads without a GIL may have described the same code object: those are one. */
static uint64_t identity(const struct segment_code *code, size_t size)
{
	return (hash_bytes(code->text, size) ^ hash_u64(code->address + code->first_line)) | 1;
}

struct error *define_code(struct drain *drain, struct segment_view *view, uint32_t unit, uint32_t *ret_id)
{
	const uint64_t *known = map_get(&view->codes, unit);
	const struct segment_code *code = known ? NULL : segment_view_at(view, unit, sizeof *code);
	*ret_id = known ? (uint32_t)*known : 0;
	if (!code || code->file_size > SEGMENT_NAME_MAX || code->name_size > SEGMENT_NAME_MAX ||
		code->qualname_size > SEGMENT_NAME_MAX)
		return NULL;
	size_t size = (size_t)code->file_size + code->name_size + code->qualname_size;
	if (!segment_view_at(view, unit, sizeof *code + size + code->table_size))
		return NULL;
	bool may_be_twice = view->head.free_threaded && code->address;
	const uint64_t *same = may_be_twice ? map_get(&view->same, identity(code, size)) : NULL;
	*ret_id = same ? (uint32_t)*same : 0;
	if (!same)
		TRY(add_code(drain, view, code, ret_id));
	bool ok = map_put(&view->codes, unit, *ret_id) &&
		  (!may_be_twice || same || map_put(&view->same, identity(code, size), *ret_id));
	return ok ? NULL : &error_no_memory;
}

struct error *define_process(struct drain *drain, struct segment_view *view, const struct process_def *process)
{
	if (view->process)
		return NULL;
	struct process_def def = *process;
	def.id = view->process = ++drain->registry.process_count;
	def.python_version = view->head.python_version;
	def.flags = view->head.free_threaded ? 1 : 0;
	return drain->sink->ops->process(drain->sink, &def);
}

struct error *define_thread(struct drain *drain, struct segment_view *view, uint32_t unit, uint32_t *ret_id)
{
	const struct segment_thread *thread = segment_view_at(view, unit, sizeof *thread);
	const uint64_t *known = map_get(&view->threads, unit);
	*ret_id = known ? (uint32_t)*known : 0;
	if (known || !thread)
		return NULL;
	struct thread_def def = { .id = ++drain->registry.thread_count,
		.process = view->process,
		.tid = thread->tid,
		.flags = thread->tid == view->head.pid,
		.ident = thread->ident,
		.name = { thread->name, strnlen(thread->name, sizeof thread->name) } };
	*ret_id = def.id;
	TRY(drain->sink->ops->thread(drain->sink, &def));
	return map_put(&view->threads, unit, def.id) ? NULL : &error_no_memory;
}
