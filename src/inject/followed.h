/* followed.h: what each line of chosen code made of its thread's memory, from the stream (agent/memory/stream.h) of one
 * thread after the other. Part of memory.c.
 *
 * A line has all that its thread got and gave back from its beginning to that of the next one in the same call, what it
 * called included; while it recurses, once. */
#pragma once
#include "base/map.h"
#include "base/vec.h"
#include "inject/drain.h"
#include "inject/segment_view.h"

struct followed_sum {
	uint32_t thread, code, number; /* of the recording; unit; number 0: the function as a whole */
	uint32_t function;	       /* the sum of that */
	uint32_t open;		       /* calls that are in it */
	uint64_t entries;	       /* from another line; of a function: calls */
	int64_t increment;	       /* bytes */
	int64_t most;		       /* at an end of the line: bytes since the function was first entered */
	int64_t net, resident;	       /* of a function, when it was first entered */
	bool ended;		       /* `most` is known */
};

struct followed_call {
	uint32_t function, line; /* sums; line 0: in none, else one more */
	int64_t begun;		 /* what the thread had when the line began */
};

struct followed {
	uint32_t thread;
	int64_t net;	    /* what the thread got, less what it gave back */
	struct map numbers; /* code and line -> sum */
	VEC(struct followed_sum) sums;
	VEC(struct followed_call) calls; /* the innermost is the last */
};

/* From here on the stream is this thread's. */
void followed_begin_thread(struct followed *f, uint32_t thread);
/* `line`: at which the call goes on; 0: it begins. `given`: bytes that are there for the event alone. False: no memory.
 */
bool followed_enter(struct followed *f, uint32_t code, uint64_t resident, uint32_t line, uint64_t given);
bool followed_line(struct followed *f, uint32_t number, uint64_t given);
void followed_leave(struct followed *f, uint64_t given);

/* All lines that are under way end; as events. */
struct error *followed_emit(struct drain *drain, struct segment_view *view, struct followed *f);
/* Functions that were chosen and never called. */
struct error *followed_emit_uncalled(struct drain *drain, struct segment_view *view);
void followed_deinit(struct followed *f);
