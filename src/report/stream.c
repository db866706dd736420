#include "report/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

enum { SCRATCH = 1 << 16 }; /* bytes that are written at once */

static struct report_stream *stream_of(struct sink *sink)
{
	return (struct report_stream *)sink;
}

/* With all NULs that are in it, and one behind. */
static char *copy(struct text text)
{
	char *string = malloc(text.size + 1);
	if (!string)
		return NULL;
	if (text.size)
		memcpy(string, text.data, text.size);
	string[text.size] = '\0';
	return string;
}

/* ---- who is who ---- */

static struct error *on_begin(struct sink *sink, const struct recording_info *info)
{
	struct report_stream *stream = stream_of(sink);
	(void)info;
	stream->writer->begin(stream);
	return NULL;
}

static struct error *on_process(struct sink *sink, const struct process_def *def)
{
	_cleanup_free_ char *name = copy(def->command);
	for (size_t i = 0; name && i + 1 < def->command.size; i++)
		name[i] = name[i] ? name[i] : ' ';
	struct report_stream *stream = stream_of(sink);
	if (!name || !vec_push(&stream->processes, (struct stream_process){ def->pid, name }))
		return &error_no_memory;
	name = NULL;
	return NULL;
}

static struct error *on_thread(struct sink *sink, const struct thread_def *def)
{
	struct report_stream *stream = stream_of(sink);
	_cleanup_free_ char *name = copy(def->name);
	struct stream_thread thread = { def->process, def->tid, def->flags & 1, name, false };
	if (!name)
		return &error_no_memory;
	if (def->id < stream->threads.count) { /* its name has changed */
		free(stream->threads.data[def->id].name);
		stream->threads.data[def->id] = thread;
	} else if (!vec_push(&stream->threads, thread)) {
		return &error_no_memory;
	}
	name = NULL;
	return NULL;
}

static struct error *on_code(struct sink *sink, const struct code_def *def)
{
	_cleanup_free_ char *name = copy(def->qualname.size ? def->qualname : def->name), *file = NULL;
	if (!(def->flags & (CODE_BUILTIN | CODE_SYNTHETIC)) && !(file = copy(def->file)))
		return &error_no_memory;
	if (!name ||
		!vec_push(&stream_of(sink)->codes, (struct stream_code){ name, file, def->first_line, false, { 0 } }))
		return &error_no_memory;
	name = file = NULL;
	return NULL;
}

static struct error *on_stack(struct sink *sink, const struct stack_def *def)
{
	return vec_push(&stream_of(sink)->stacks, def->code) ? NULL : &error_no_memory;
}

/* ---- calls ---- */

static struct error *write_out(struct report_stream *stream)
{
	struct buffer *scratch = &stream->scratch;
	if (scratch->failed)
		return &error_no_memory;
	if (scratch->size && fwrite(scratch->data, 1, scratch->size, stream->out) != scratch->size)
		return error_os(errno, "cannot write single calls");
	scratch->size = 0;
	return NULL;
}

static void add_call(struct report_stream *stream, const struct event *event)
{
	uint32_t code = event->stack < stream->stacks.count ? stream->stacks.data[event->stack] : 0;
	if (!code || code >= stream->codes.count || !event->thread || event->thread >= stream->threads.count)
		return;
	struct stream_thread *thread = &stream->threads.data[event->thread];
	if (!thread->said && thread->process < stream->processes.count)
		stream->writer->thread(stream, event->thread);
	thread->said = true;
	stream->calls++;
	stream->writer->call(stream, event, code);
}

static struct error *on_events(struct sink *sink, const struct event *events, size_t count)
{
	struct report_stream *stream = stream_of(sink);
	for (size_t i = 0; i < count; i++) {
		if (events[i].kind == EVENT_CALL)
			add_call(stream, &events[i]);
		if (stream->scratch.size >= SCRATCH || stream->scratch.failed)
			TRY(write_out(stream));
	}
	return NULL;
}

static struct error *on_end(struct sink *sink, const struct recording_end *end)
{
	(void)sink;
	(void)end;
	return NULL;
}

/* ---- the whole ---- */

struct error *stream_create(const struct stream_writer *writer, FILE *out, struct report_stream **ret_stream)
{
	static const struct sink_ops ops = { on_begin, on_process, on_thread, on_code, on_stack, on_events, on_end };
	struct report_stream *stream = calloc(1, sizeof *stream);
	if (!stream)
		return &error_no_memory;
	*stream = (struct report_stream){ .sink = { &ops }, .out = out, .writer = writer };
	bool ok = vec_push(&stream->processes, (struct stream_process){ 0 }) &&
		  vec_push(&stream->threads, (struct stream_thread){ 0 }) &&
		  vec_push(&stream->codes, (struct stream_code){ 0 }) && vec_push(&stream->stacks, 0);
	if (!ok) {
		report_stream_destroy(stream);
		return &error_no_memory;
	}
	*ret_stream = stream;
	return NULL;
}

struct sink *report_stream_sink(struct report_stream *stream)
{
	return &stream->sink;
}

struct error *report_stream_finish(struct report_stream *stream)
{
	if (!stream->calls)
		return error_new(ERROR_USAGE,
			"there are no single calls to write: they are kept by `pyrometer calls --timeline`");
	stream->writer->end(stream);
	TRY(write_out(stream));
	return fflush(stream->out) ? error_os(errno, "cannot write single calls") : NULL;
}

void report_stream_destroy(struct report_stream *stream)
{
	if (!stream)
		return;
	for (size_t i = 0; i < stream->processes.count; i++)
		free(stream->processes.data[i].name);
	for (size_t i = 0; i < stream->threads.count; i++)
		free(stream->threads.data[i].name);
	for (size_t i = 0; i < stream->codes.count; i++) {
		free(stream->codes.data[i].name);
		free(stream->codes.data[i].file);
		buffer_deinit(&stream->codes.data[i].ready);
	}
	vec_free(&stream->processes);
	vec_free(&stream->threads);
	vec_free(&stream->codes);
	vec_free(&stream->stacks);
	buffer_deinit(&stream->scratch);
	buffer_deinit(&stream->name);
	buffer_deinit(&stream->parts[0]);
	buffer_deinit(&stream->parts[1]);
	free(stream);
}

const char *stream_process_name(const struct report_stream *stream, uint32_t process)
{
	const char *name = stream->processes.data[process].name;
	return name && *name ? name : "python";
}

const char *stream_thread_name(struct report_stream *stream, uint32_t thread)
{
	const struct stream_thread *who = &stream->threads.data[thread];
	if (*who->name || who->main)
		return *who->name ? who->name : "MainThread";
	stream->name.size = 0;
	buffer_printf(&stream->name, "thread %u", who->tid);
	return buffer_string(&stream->name);
}

void stream_add_label(struct buffer *out, const struct stream_code *code)
{
	buffer_add_string(out, code->name);
	if (!code->file)
		return;
	const char *file = code->file, *slash = strrchr(file, '/');
	const char *folder = slash ? memrchr(file, '/', (size_t)(slash - file)) : NULL;
	buffer_printf(out, " (%s:%u)", folder ? folder + 1 : file, code->line);
}
