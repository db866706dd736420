/* memory.h: from what an agent writes of allocations (agent/memory/stream.h) to events: while the program runs, sums by
 * call path every so often, and at the end what no sums tell: the peak. */
#pragma once
#include "inject/drain.h"
#include "inject/segment_view.h"

/* What has come since; nothing happens when the segment is of another kind, or not ready. */
struct error *memory_take(struct drain *drain, const char *path, const struct process_def *def, uint64_t began_ns);
/* All that is left of an ended process, and its peak. */
struct error *memory_finish(struct drain *drain, const char *path, const struct process_def *def, uint64_t began_ns,
	struct segment_view **ret_view);
/* Whether a program waits for an answer; what it speaks of must be in the recording's file before it is given. */
bool memories_are_asked(const struct drain *drain);
void memories_answer(struct drain *drain);
void memories_close(struct drain *drain);
