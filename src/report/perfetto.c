/* perfetto.c: single calls as a trace of Perfetto (protobuf), half the size of the JSON: a track a thread, a slice a
 * call, with the function's file and line. A name is sent once, and then goes by its number. */
#include <string.h>

#include "report/formats.h"
#include "report/protobuf.h"
#include "report/stream.h"

/* Field numbers of perfetto/protos/trace. */
enum trace_field { TRACE_PACKET = 1 };
enum packet_field {
	PACKET_TIMESTAMP = 8,
	PACKET_SEQUENCE = 10,
	PACKET_TRACK_EVENT = 11,
	PACKET_INTERNED = 12,
	PACKET_FLAGS = 13,
	PACKET_TRACK = 60,
	PACKET_FIRST = 87,
};
enum { FLAG_CLEARED = 1, FLAG_NEEDS_STATE = 2 };
enum track_field { TRACK_UUID = 1, TRACK_PROCESS = 3, TRACK_THREAD = 4, TRACK_PARENT = 5 };
enum process_field { PROCESS_PID = 1, PROCESS_NAME = 6 };
enum thread_field { THREAD_PID = 1, THREAD_TID = 2, THREAD_NAME = 5 };
enum event_field { EVENT_TYPE = 9, EVENT_NAME = 10, EVENT_TRACK = 11, EVENT_SOURCE = 34 };
enum { SLICE_BEGIN = 1, SLICE_END = 2 };
enum interned_field { INTERNED_NAMES = 2, INTERNED_SOURCES = 4 };
enum name_field { NAME_ID = 1, NAME_TEXT = 2 };
enum source_field { SOURCE_ID = 1, SOURCE_FILE = 2, SOURCE_FUNCTION = 3, SOURCE_LINE = 4 };

enum { SEQUENCE = 1, PROCESS_TRACKS = 1 << 24 }; /* a thread's track has its number, a process's comes after */

static void add_text(struct buffer *out, unsigned field, const char *text)
{
	protobuf_add_bytes(out, field, text, strlen(text));
}

static void add_packet(struct report_stream *stream, struct buffer *packet)
{
	protobuf_add_number(packet, PACKET_SEQUENCE, SEQUENCE);
	protobuf_add_message(&stream->scratch, TRACE_PACKET, packet);
}

static void begin(struct report_stream *stream)
{
	_cleanup_buffer_ struct buffer packet = { 0 };
	protobuf_add_number(&packet, PACKET_FLAGS, FLAG_CLEARED);
	protobuf_add_number(&packet, PACKET_FIRST, 1);
	add_packet(stream, &packet);
}

static void add_process(struct report_stream *stream, uint32_t process)
{
	_cleanup_buffer_ struct buffer packet = { 0 }, track = { 0 }, what = { 0 };
	protobuf_add_number(&what, PROCESS_PID, stream->processes.data[process].pid);
	add_text(&what, PROCESS_NAME, stream_process_name(stream, process));
	protobuf_add_number(&track, TRACK_UUID, PROCESS_TRACKS + process);
	protobuf_add_message(&track, TRACK_PROCESS, &what);
	protobuf_add_message(&packet, PACKET_TRACK, &track);
	add_packet(stream, &packet);
}

static void say_thread(struct report_stream *stream, uint32_t thread)
{
	_cleanup_buffer_ struct buffer packet = { 0 }, track = { 0 }, what = { 0 };
	const struct stream_thread *who = &stream->threads.data[thread];
	add_process(stream, who->process);
	protobuf_add_number(&what, THREAD_PID, stream->processes.data[who->process].pid);
	protobuf_add_number(&what, THREAD_TID, who->tid);
	add_text(&what, THREAD_NAME, stream_thread_name(stream, thread));
	protobuf_add_number(&track, TRACK_UUID, thread);
	protobuf_add_number(&track, TRACK_PARENT, PROCESS_TRACKS + who->process);
	protobuf_add_message(&track, TRACK_THREAD, &what);
	protobuf_add_message(&packet, PACKET_TRACK, &track);
	add_packet(stream, &packet);
}

static void say_code(struct report_stream *stream, struct stream_code *code, uint32_t number)
{
	_cleanup_buffer_ struct buffer packet = { 0 }, interned = { 0 }, what = { 0 };
	protobuf_add_number(&what, NAME_ID, number);
	add_text(&what, NAME_TEXT, code->name);
	protobuf_add_message(&interned, INTERNED_NAMES, &what);
	if (code->file) {
		protobuf_add_number(&what, SOURCE_ID, number);
		add_text(&what, SOURCE_FILE, code->file);
		add_text(&what, SOURCE_FUNCTION, code->name);
		protobuf_add_number(&what, SOURCE_LINE, code->line);
		protobuf_add_message(&interned, INTERNED_SOURCES, &what);
	}
	protobuf_add_number(&packet, PACKET_FLAGS, FLAG_NEEDS_STATE);
	protobuf_add_message(&packet, PACKET_INTERNED, &interned);
	add_packet(stream, &packet);
	code->said = true;
}

/* Of every call: no memory is asked for. */
static void add_slice(
	struct report_stream *stream, const struct event *event, uint64_t time, uint32_t type, uint32_t code)
{
	struct buffer *packet = &stream->parts[0], *slice = &stream->parts[1];
	protobuf_add_number(packet, PACKET_TIMESTAMP, time);
	protobuf_add_number(packet, PACKET_FLAGS, FLAG_NEEDS_STATE);
	protobuf_add_number(slice, EVENT_TYPE, type);
	protobuf_add_number(slice, EVENT_TRACK, event->thread);
	protobuf_add_number(slice, EVENT_NAME, code);
	protobuf_add_number(slice, EVENT_SOURCE, code && stream->codes.data[code].file ? code : 0);
	protobuf_add_message(packet, PACKET_TRACK_EVENT, slice);
	add_packet(stream, packet);
}

static void call(struct report_stream *stream, const struct event *event, uint32_t code)
{
	if (!stream->codes.data[code].said)
		say_code(stream, &stream->codes.data[code], code);
	add_slice(stream, event, event->time - event->weight[WEIGHT_WALL], SLICE_BEGIN, code);
	add_slice(stream, event, event->time, SLICE_END, 0);
}

static void end(struct report_stream *stream)
{
	(void)stream;
}

static struct error *open_stream(FILE *out, struct report_stream **ret_stream)
{
	static const struct stream_writer writer = { begin, say_thread, call, end };
	return stream_create(&writer, out, ret_stream);
}

const struct report_format report_format_perfetto = {
	.name = "perfetto",
	.summary = "single calls (calls --timeline) for Perfetto, smaller",
	.extensions = (const char *const[]){ ".pftrace", ".perfetto-trace", NULL },
	.binary = true,
	.open = open_stream,
};
