/* definitions.h: the records of a definitions block: what the numbers in events mean, and what is said once about a
 * recording. Encoding and decoding stand side by side in definitions.c; `struct ids` holds the one rule about ids that
 * the writer keeps and the reader enforces.
 */
#pragma once
#include "base/buffer.h"
#include "base/vec.h"
#include "recording/sink.h"

/* Every record fits into a block: a longer text is cut at its end, a longer line table is left out. */
enum {
	TEXT_MAX = 64 << 10,	 /* bytes of a name or a path */
	TEXT_LIST_MAX = 1 << 20, /* of a command line or a search path */
	LINE_TABLE_MAX = 8 << 20,
};

enum record_type {
	RECORD_INFO = 1, /* the first of a file */
	RECORD_PROCESS,
	RECORD_THREAD,
	RECORD_CODE,
	RECORD_STACK,
	RECORD_END, /* the last of a file */
};

/* What has been defined so far: ids are dense, so a count says which exist. */
struct ids {
	uint32_t processes, codes, stacks;
	VEC(uint32_t) thread_process; /* of thread id - 1 */
	uint64_t tick_seed, tick_period_ns;
	bool begun, ended;
};
void ids_deinit(struct ids *ids);

/* Only between the beginning and the end of a recording may anything else come. */
struct error *ids_check_open(const struct ids *ids);
/* Each checks a definition against what came before and takes it in; ERROR_CORRUPT says what is wrong with it. */
struct error *ids_add_info(struct ids *ids, const struct recording_info *info);
struct error *ids_add_process(struct ids *ids, const struct process_def *def);
struct error *ids_add_thread(struct ids *ids, const struct thread_def *def);
struct error *ids_add_code(struct ids *ids, const struct code_def *def);
struct error *ids_add_stack(struct ids *ids, const struct stack_def *def);
struct error *ids_add_end(struct ids *ids, const struct recording_end *end);
/* What is wrong with an event, or NULL. Here, because the writer asks it of every event. */
static inline const char *ids_event_problem(const struct ids *ids, const struct event *event)
{
	if (!event->kind || event->kind >= EVENT_KIND_END)
		return "an event has an unknown kind";
	if (event->quality >= QUALITY_END || event->subject >= SUBJECT_END)
		return "an event has an unknown quality or subject";
	if (event->stack > ids->stacks || event->logical_parent > ids->stacks)
		return "an event has a stack that is not defined";
	if (event->thread > ids->thread_process.count || event->waits_for > ids->thread_process.count)
		return "an event has a thread that is not defined";
	if (event->process > ids->processes)
		return "an event has a process that is not defined";
	return NULL;
}

/* Append one record; a lack of memory shows in buffer->failed. */
void record_put_info(struct buffer *buffer, const struct recording_info *info);
void record_put_process(struct buffer *buffer, const struct process_def *def);
void record_put_thread(struct buffer *buffer, const struct thread_def *def);
void record_put_code(struct buffer *buffer, const struct code_def *def);
void record_put_stack(struct buffer *buffer, const struct stack_def *def);
void record_put_end(struct buffer *buffer, const struct recording_end *end);

/* Gives all records of a block's content to the sink, in order. ERROR_CORRUPT: the content; any other error comes from
 * the sink. */
struct error *definitions_decode(
	const void *content, size_t size, struct ids *ids, struct sink *sink, bool *ret_sink_failed);
