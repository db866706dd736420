/* definitions.c: a record is a type, a size and fields: varints and texts (a size and bytes). A reader takes the fields
 * that it knows and leaves what follows them, so that a later writer may append fields without a new format version;
 * it skips a record of a type that it does not know. Processes, code objects and stacks come in the order of their ids,
 * which are therefore not stored.
 */
#include "recording/definitions.h"

#include <string.h>

#include "base/varint.h"

enum { INSTRUCTION_MIN = -1 };

void ids_deinit(struct ids *ids)
{
	vec_free(&ids->thread_process);
}

static struct error *bad(const char *what, uint32_t id)
{
	return error_new(ERROR_CORRUPT, "%s (id %u)", what, id);
}

struct error *ids_check_open(const struct ids *ids)
{
	if (!ids->begun)
		return error_new(ERROR_CORRUPT, "something comes before the beginning of the recording");
	return ids->ended ? error_new(ERROR_CORRUPT, "something comes after the end of the recording") : NULL;
}

struct error *ids_add_info(struct ids *ids, const struct recording_info *info)
{
	if (ids->begun)
		return error_new(ERROR_CORRUPT, "the recording begins twice");
	ids->begun = true;
	ids->tick_seed = info->tick_seed;
	ids->tick_period_ns = info->tick_period_ns;
	return NULL;
}

struct error *ids_add_process(struct ids *ids, const struct process_def *def)
{
	if (def->id != ids->processes + 1)
		return bad("a process is not numbered in order", def->id);
	if (def->parent >= def->id)
		return bad("a process has a parent that is not defined", def->id);
	ids->processes++;
	return NULL;
}

struct error *ids_add_thread(struct ids *ids, const struct thread_def *def)
{
	if (!def->process || def->process > ids->processes)
		return bad("a thread is of a process that is not defined", def->id);
	if (def->id && def->id <= ids->thread_process.count) {
		if (ids->thread_process.data[def->id - 1] != def->process)
			return bad("a thread changes its process", def->id);
		return NULL;
	}
	if (def->id != ids->thread_process.count + 1)
		return bad("a thread is not numbered in order", def->id);
	return vec_push(&ids->thread_process, def->process) ? NULL : &error_no_memory;
}

struct error *ids_add_code(struct ids *ids, const struct code_def *def)
{
	if (def->id != ids->codes + 1)
		return bad("a code object is not numbered in order", def->id);
	if (def->line_table_kind >= LINES_KIND_END)
		return bad("a code object has an unknown kind of line table", def->id);
	ids->codes++;
	return NULL;
}

struct error *ids_add_stack(struct ids *ids, const struct stack_def *def)
{
	if (def->id != ids->stacks + 1)
		return bad("a stack is not numbered in order", def->id);
	if (def->parent >= def->id)
		return bad("a stack has a parent that is not defined", def->id);
	if (!def->code || def->code > ids->codes)
		return bad("a stack has a code object that is not defined", def->id);
	if (def->instruction < INSTRUCTION_MIN)
		return bad("a stack has an impossible instruction", def->id);
	ids->stacks++;
	return NULL;
}

struct error *ids_add_end(struct ids *ids, const struct recording_end *end)
{
	ids->ended = true;
	return NULL;
}

/* ---- writing ---- */

static void put_text(struct buffer *buffer, struct text text, size_t max)
{
	size_t size = text.size < max ? text.size : max;
	buffer_add_varint(buffer, size);
	buffer_add(buffer, text.data, size);
}

static void put_numbers(struct buffer *buffer, const uint64_t *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buffer_add_varint(buffer, numbers[i]);
}
#define PUT_NUMBERS(buffer, ...)                               \
	put_numbers(buffer, (const uint64_t[]){ __VA_ARGS__ }, \
		sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t))

/* The size comes before the fields and is not known yet: the fields are made behind a hole of the greatest size that a
 * size may have and are moved down. Most records are a few bytes. */
static size_t record_begin(struct buffer *buffer, enum record_type type)
{
	buffer_add_char(buffer, (char)type);
	size_t begin = buffer->size;
	static const unsigned char hole[VARINT_MAX];
	buffer_add(buffer, hole, sizeof hole);
	return begin;
}

static void record_finish(struct buffer *buffer, size_t begin)
{
	if (buffer->failed)
		return;
	unsigned char *fields = (unsigned char *)buffer->data + begin + VARINT_MAX;
	size_t size = buffer->size - begin - VARINT_MAX;
	unsigned char *after = varint_put((unsigned char *)buffer->data + begin, size);
	memmove(after, fields, size);
	buffer->size = (size_t)(after - (unsigned char *)buffer->data) + size;
}

void record_put_info(struct buffer *buffer, const struct recording_info *info)
{
	size_t begin = record_begin(buffer, RECORD_INFO);
	PUT_NUMBERS(buffer, info->start_unix_ns, info->rate_millihertz, info->mode, info->blocking, info->tick_seed,
		info->tick_period_ns);
	put_text(buffer, info->command, TEXT_LIST_MAX);
	put_text(buffer, info->host, TEXT_MAX);
	put_text(buffer, info->tool, TEXT_MAX);
	put_text(buffer, info->system, TEXT_MAX);
	record_finish(buffer, begin);
}

void record_put_process(struct buffer *buffer, const struct process_def *def)
{
	size_t begin = record_begin(buffer, RECORD_PROCESS);
	PUT_NUMBERS(buffer, def->pid, def->parent, def->python_version, def->flags, def->time);
	put_text(buffer, def->command, TEXT_LIST_MAX);
	put_text(buffer, def->executable, TEXT_MAX);
	put_text(buffer, def->search_path, TEXT_LIST_MAX);
	record_finish(buffer, begin);
}

void record_put_thread(struct buffer *buffer, const struct thread_def *def)
{
	size_t begin = record_begin(buffer, RECORD_THREAD);
	PUT_NUMBERS(buffer, def->id, def->process, def->tid, def->flags, def->ident);
	put_text(buffer, def->name, TEXT_MAX);
	record_finish(buffer, begin);
}

void record_put_code(struct buffer *buffer, const struct code_def *def)
{
	bool lines = def->line_table.size <= LINE_TABLE_MAX;
	size_t begin = record_begin(buffer, RECORD_CODE);
	PUT_NUMBERS(buffer, def->first_line, lines ? def->line_table_kind : LINES_KIND_NONE, def->flags);
	put_text(buffer, def->file, TEXT_MAX);
	put_text(buffer, def->name, TEXT_MAX);
	put_text(buffer, def->qualname, TEXT_MAX);
	put_text(buffer, def->line_table, lines ? LINE_TABLE_MAX : 0);
	record_finish(buffer, begin);
}

void record_put_stack(struct buffer *buffer, const struct stack_def *def)
{
	size_t begin = record_begin(buffer, RECORD_STACK);
	/* The parent is often a recent stack: the distance is small. The root's is its own id. */
	PUT_NUMBERS(buffer, def->id - def->parent, def->code, (uint64_t)((int64_t)def->instruction - INSTRUCTION_MIN));
	record_finish(buffer, begin);
}

void record_put_end(struct buffer *buffer, const struct recording_end *end)
{
	size_t begin = record_begin(buffer, RECORD_END);
	PUT_NUMBERS(buffer, end->duration, end->ticks_due, end->ticks_late, end->ticks_missed,
		end->samples[QUALITY_EXACT], end->samples[QUALITY_REPAIRED], end->samples[QUALITY_PARTIAL],
		end->read_errors, end->own_cpu_ns, end->stopped_ns, end->bare_wake_ns, end->target_status,
		end->target_ended, end->unseen_children, end->children_found, end->children_unknown);
	record_finish(buffer, begin);
}

/* ---- reading ---- */

/* Reads as varint.h does: after a failure everything is 0 and reader->bad is set. */
static uint32_t read_u32(struct bytes_reader *reader)
{
	uint64_t value = read_varint(reader);
	reader->bad |= value > UINT32_MAX;
	return (uint32_t)value;
}

static struct text read_text(struct bytes_reader *reader)
{
	uint64_t size = read_varint(reader);
	const unsigned char *bytes = read_bytes(reader, size);
	return bytes ? (struct text){ (const char *)bytes, size } : (struct text){ "", 0 };
}

/* One record on its way to the sink. */
struct record {
	struct bytes_reader fields;
	struct ids *ids;
	struct sink *sink;
	bool sink_failed;
};

static struct error *cut_off(const char *what)
{
	return error_new(ERROR_CORRUPT, "the record of a %s is cut off", what);
}

/* What the sink answered. */
static struct error *given(struct record *record, struct error *error)
{
	record->sink_failed = error != NULL;
	return error;
}

static struct error *decode_info(struct record *record)
{
	struct bytes_reader *r = &record->fields;
	struct recording_info info = { 0 };
	info.start_unix_ns = read_varint(r);
	info.rate_millihertz = read_varint(r);
	info.mode = read_u32(r);
	info.blocking = read_u32(r);
	info.tick_seed = read_varint(r);
	info.tick_period_ns = read_varint(r);
	info.command = read_text(r);
	info.host = read_text(r);
	info.tool = read_text(r);
	info.system = read_text(r);
	if (r->bad)
		return cut_off("recording's beginning");
	TRY(ids_add_info(record->ids, &info));
	return given(record, record->sink->ops->begin(record->sink, &info));
}

static struct error *decode_process(struct record *record)
{
	struct bytes_reader *r = &record->fields;
	struct process_def def = { .id = record->ids->processes + 1 };
	def.pid = read_u32(r);
	def.parent = read_u32(r);
	def.python_version = read_u32(r);
	def.flags = read_u32(r);
	def.time = read_varint(r);
	def.command = read_text(r);
	def.executable = read_text(r);
	def.search_path = read_text(r);
	if (r->bad)
		return cut_off("process");
	TRY(ids_add_process(record->ids, &def));
	return given(record, record->sink->ops->process(record->sink, &def));
}

static struct error *decode_thread(struct record *record)
{
	struct bytes_reader *r = &record->fields;
	struct thread_def def = { 0 };
	def.id = read_u32(r);
	def.process = read_u32(r);
	def.tid = read_u32(r);
	def.flags = read_u32(r);
	def.ident = read_varint(r);
	def.name = read_text(r);
	if (r->bad)
		return cut_off("thread");
	TRY(ids_add_thread(record->ids, &def));
	return given(record, record->sink->ops->thread(record->sink, &def));
}

static struct error *decode_code(struct record *record)
{
	struct bytes_reader *r = &record->fields;
	struct code_def def = { .id = record->ids->codes + 1 };
	def.first_line = read_u32(r);
	def.line_table_kind = read_u32(r);
	def.flags = read_u32(r);
	def.file = read_text(r);
	def.name = read_text(r);
	def.qualname = read_text(r);
	def.line_table = read_text(r);
	if (r->bad)
		return cut_off("code object");
	TRY(ids_add_code(record->ids, &def));
	return given(record, record->sink->ops->code(record->sink, &def));
}

static struct error *decode_stack(struct record *record)
{
	struct bytes_reader *r = &record->fields;
	struct stack_def def = { .id = record->ids->stacks + 1 };
	uint32_t distance = read_u32(r);
	def.code = read_u32(r);
	uint64_t instruction = read_varint(r);
	if (r->bad)
		return cut_off("stack");
	if (!distance || distance > def.id || instruction > (uint64_t)INT32_MAX - INSTRUCTION_MIN)
		return bad("a stack has an impossible parent or instruction", def.id);
	def.parent = def.id - distance;
	def.instruction = (int32_t)((int64_t)instruction + INSTRUCTION_MIN);
	TRY(ids_add_stack(record->ids, &def));
	return given(record, record->sink->ops->stack(record->sink, &def));
}

static struct error *decode_end(struct record *record)
{
	struct bytes_reader *r = &record->fields;
	struct recording_end end = { 0 };
	end.duration = read_varint(r);
	end.ticks_due = read_varint(r);
	end.ticks_late = read_varint(r);
	end.ticks_missed = read_varint(r);
	for (size_t i = 0; i < QUALITY_END; i++)
		end.samples[i] = read_varint(r);
	end.read_errors = read_varint(r);
	end.own_cpu_ns = read_varint(r);
	end.stopped_ns = read_varint(r);
	end.bare_wake_ns = read_varint(r);
	end.target_status = read_u32(r);
	end.target_ended = read_u32(r);
	end.unseen_children = read_u32(r);
	if (r->bad)
		return cut_off("recording's end");
	/* The first recordings end here. */
	if (r->at < r->end) {
		end.children_found = read_u32(r);
		end.children_unknown = read_u32(r);
		if (r->bad)
			return cut_off("recording's end");
	}
	TRY(ids_add_end(record->ids, &end));
	return given(record, record->sink->ops->end(record->sink, &end));
}

static struct error *decode_record(unsigned type, struct record *record)
{
	static struct error *(*const decoders[])(struct record *) = {
		[RECORD_INFO] = decode_info,
		[RECORD_PROCESS] = decode_process,
		[RECORD_THREAD] = decode_thread,
		[RECORD_CODE] = decode_code,
		[RECORD_STACK] = decode_stack,
		[RECORD_END] = decode_end,
	};
	if (type != RECORD_INFO)
		TRY(ids_check_open(record->ids));
	if (type >= sizeof decoders / sizeof decoders[0] || !decoders[type])
		return NULL;
	return decoders[type](record);
}

struct error *definitions_decode(
	const void *content, size_t size, struct ids *ids, struct sink *sink, bool *ret_sink_failed)
{
	struct bytes_reader bytes = { content, (const unsigned char *)content + size, false };
	*ret_sink_failed = false;
	while (bytes.at < bytes.end) {
		unsigned type = *read_bytes(&bytes, 1);
		uint64_t record_size = read_varint(&bytes);
		const unsigned char *fields = read_bytes(&bytes, record_size);
		if (!fields)
			return error_new(ERROR_CORRUPT, "a record is cut off");
		struct record record = { { fields, fields + record_size, false }, ids, sink, false };
		struct error *error = decode_record(type, &record);
		if (error) {
			*ret_sink_failed = record.sink_failed;
			return error;
		}
	}
	return NULL;
}
