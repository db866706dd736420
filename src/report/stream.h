/* stream.h: formats of single calls, which are written as the calls come: nothing of them is kept. A format gives the
 * three functions of `struct stream_writer`; who is who among processes, threads and functions is known here. */
#pragma once
#include <stdio.h>

#include "base/buffer.h"
#include "base/vec.h"
#include "recording/sink.h"
#include "report/report.h"

struct stream_process {
	uint32_t pid;
	char *name; /* its command line */
};
struct stream_thread {
	uint32_t process, tid;
	bool main;
	char *name;
	bool said; /* the writer knows it */
};
struct stream_code {
	char *name, *file; /* the qualified one, where there is one; file NULL: none */
	uint32_t line;
	bool said;	     /* for the writer, */
	struct buffer ready; /* ... and what it writes of it each time */
};

struct report_stream {
	struct sink sink; /* first: what is fed */
	FILE *out;
	const struct stream_writer *writer;
	VEC(struct stream_process) processes; /* by id; 0 is nobody */
	VEC(struct stream_thread) threads;
	VEC(struct stream_code) codes;
	VEC(uint32_t) stacks;	/* the code of the last frame, by stack */
	struct buffer scratch;	/* what goes out next */
	struct buffer name;	/* of stream_thread_name() */
	struct buffer parts[2]; /* the writer's own */
	uint64_t calls;
};

struct stream_writer {
	void (*begin)(struct report_stream *stream);
	/* Of a thread that has been said nothing of yet, and of its process. */
	void (*thread)(struct report_stream *stream, uint32_t thread);
	void (*call)(struct report_stream *stream, const struct event *event, uint32_t code);
	void (*end)(struct report_stream *stream);
};

/* Writes to `out`, which stays the caller's. */
struct error *stream_create(const struct stream_writer *writer, FILE *out, struct report_stream **ret_stream);
/* The process by its command, the thread by its name, or what stands for one. */
const char *stream_process_name(const struct report_stream *stream, uint32_t process);
const char *stream_thread_name(struct report_stream *stream, uint32_t thread);
/* `name (file:line)`, the file with its folder only. */
void stream_add_label(struct buffer *out, const struct stream_code *code);
