/* chrome.c: single calls as trace events in JSON, which Perfetto's page, chrome://tracing and speedscope read: an event
 * of kind X a call, with its begin and its length in microseconds. Nothing is said in `args`, which speedscope takes
 * for a part of the name; the whole path of a file is the category. */
#include <string.h>

#include "report/formats.h"
#include "report/print.h"
#include "report/stream.h"

/* Nanoseconds as microseconds with three places. */
static void add_microseconds(struct buffer *out, uint64_t ns)
{
	unsigned rest = (unsigned)(ns % 1000);
	const char places[4] = { '.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10), (char)('0' + rest % 10) };
	print_add_integer(out, ns / 1000);
	buffer_add(out, places, sizeof places);
}

static void add_text(struct buffer *out, const char *text)
{
	print_add_json_alone(out, (struct text){ text, strlen(text) });
}

/* The opening brace of one more event of this thread. */
static void open_event(struct report_stream *stream, const struct stream_thread *thread, char kind)
{
	struct buffer *out = &stream->scratch;
	buffer_add_string(out, "{\"ph\":\"");
	buffer_add_char(out, kind);
	buffer_add_string(out, "\",\"pid\":");
	print_add_integer(out, stream->processes.data[thread->process].pid);
	buffer_add_string(out, ",\"tid\":");
	print_add_integer(out, thread->tid);
}

static void add_name(
	struct report_stream *stream, const struct stream_thread *thread, const char *what, const char *name)
{
	open_event(stream, thread, 'M');
	buffer_printf(&stream->scratch, ",\"name\":\"%s\",\"args\":{\"name\":", what);
	add_text(&stream->scratch, name);
	buffer_add_string(&stream->scratch, "}},\n");
}

static void begin(struct report_stream *stream)
{
	buffer_add_string(&stream->scratch, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n");
}

static void say_thread(struct report_stream *stream, uint32_t thread)
{
	const struct stream_thread *who = &stream->threads.data[thread];
	add_name(stream, who, "process_name", stream_process_name(stream, who->process));
	add_name(stream, who, "thread_name", stream_thread_name(stream, thread));
}

static void prepare(struct stream_code *code)
{
	_cleanup_buffer_ struct buffer label = { 0 };
	stream_add_label(&label, code);
	buffer_add_string(&code->ready, ",\"name\":");
	add_text(&code->ready, buffer_string(&label));
	buffer_add_string(&code->ready, ",\"cat\":");
	add_text(&code->ready, code->file ? code->file : "builtin");
	buffer_add_string(&code->ready, "},\n");
	code->ready.failed |= label.failed;
}

static void call(struct report_stream *stream, const struct event *event, uint32_t number)
{
	struct stream_code *code = &stream->codes.data[number];
	struct buffer *out = &stream->scratch;
	if (!code->ready.size)
		prepare(code);
	open_event(stream, &stream->threads.data[event->thread], 'X');
	buffer_add_string(out, ",\"ts\":");
	add_microseconds(out, event->time - event->weight[WEIGHT_WALL]);
	buffer_add_string(out, ",\"dur\":");
	add_microseconds(out, event->weight[WEIGHT_WALL]);
	buffer_add(out, code->ready.data, code->ready.size);
	out->failed |= code->ready.failed;
}

/* After the last comma something has to come. */
static void end(struct report_stream *stream)
{
	open_event(stream, &stream->threads.data[1], 'M');
	buffer_add_string(
		&stream->scratch, ",\"name\":\"process_labels\",\"args\":{\"labels\":\"pyrometer calls\"}}\n]}\n");
}

static struct error *open_stream(FILE *out, struct report_stream **ret_stream)
{
	static const struct stream_writer writer = { begin, say_thread, call, end };
	return stream_create(&writer, out, ret_stream);
}

const struct report_format report_format_chrome = {
	.name = "chrome",
	.summary = "single calls (calls --timeline) for Perfetto, chrome://tracing, speedscope",
	.extensions = (const char *const[]){ ".trace.json", NULL },
	.open = open_stream,
};
