/* recorder.h: calls and returns of one thread, added up in its tree in the segment. Knows nothing of Python.
 *
 * Nothing here takes a lock, allocates memory or calls the kernel, but once in thousands of calls when a thread needs
 * a new chunk. When there is no room the segment is sealed and the recorder does nothing from then on.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/segment/idle.h"
#include "agent/segment/segment.h"
#include "agent/segment/timeline.h"

enum { RECORDER_OFF = UINT32_MAX };

struct recorder {
	unsigned char *base; /* of the mapping */
	struct segment_head *head;
	int fd;
	int owner;	     /* the process that all is measured for; 0: nobody looks after it */
	uint64_t next_look;  /* at the owner, in ticks */
	bool left;	     /* nothing is measured here any more: the events are to end */
	uint32_t session;    /* which segment is written, counted from 1; RECORDER_OFF: none */
	uint32_t sessions;   /* that have begun */
	unsigned char *past; /* the mapping of the segment before: a thread may be in it still */
};
extern struct recorder recorder;

static inline bool recorder_is_on(void)
{
	return recorder.session != RECORDER_OFF;
}

/* Where a thread is among lines (lines.h). */
struct lines_state {
	struct segment_line_call *top, *begin,
		*end;		     /* of the present block of calls; the innermost one is below `top` */
	struct segment_lines *lines; /* of that call; NULL: there is none */
};

/* One thread's side of it. */
struct recorder_thread {
	struct segment_thread *shared;
	struct segment_node *node;
	uint64_t *top, *begin, *end; /* of the present block of frames */
	uint64_t chunk, chunk_end;   /* what is left of its chunk, bytes from the base */
	uint64_t chunk_size;	     /* of the next one; 0: it has had none */
	struct idle idle;
	struct timeline timeline;
	struct lines_state lines;
	struct exceptions *exceptions; /* NULL: none yet */
};

/* Makes the file, which must not be there; none may be on. An errno, or 0. */
int recorder_open(const char *path, uint32_t python_version, bool free_threaded);
/* When this process is no more, nothing is measured any more: that is noticed within a second of calls. One that cannot
 * be seen from here is not looked after. */
void recorder_watch(int owner);
/* Ends it: from now on nothing is written. */
void recorder_close(enum segment_state state, const char *note);
/* Before the program's end; `since`: ticks, from which on something is missing. */
void recorder_seal(const char *why, uint64_t since);
/* In the child of a fork: the segment is the parent's. */
void recorder_forget(void);

/* Charges what threads have waited up to now to the calls that they are in. With the GIL, as the next one. */
void recorder_look_at_threads(uint64_t now);
/* All threads are in no call any more. With the GIL, and while nothing listens to calls. */
void recorder_leave_all(void);

/* Its own side, of a thread of this process. */
struct recorder_thread *recorder_own_side(struct segment_thread *thread);

/* NULL when there is no room. `listed`: readers find it. */
struct recorder_thread *recorder_add_thread(uint32_t tid, uint64_t ident, bool listed);

struct recorder_text {
	const char *data;
	size_t size;
};
/* What a code is the body of. */
enum recorder_body { BODY_FUNCTION = 0, BODY_CLASS, BODY_MODULE, BODY_MAIN };
/* What is said of a code object or a builtin. */
struct recorder_code {
	enum recorder_body body; /* for the filter alone */
	uint64_t address;
	uint32_t flags, first_line;
	struct recorder_text file, name, qualname;
	struct recorder_text table; /* of lines, with SEGMENT_CODE_TABLE */
};
/* Its unit; 0: no room. */
uint32_t recorder_add_code(const struct recorder_code *what);

static inline void *recorder_unit(uint32_t unit)
{
	return recorder.base + (uint64_t)unit * SEGMENT_UNIT;
}
static inline uint32_t recorder_unit_of(const void *place)
{
	return (uint32_t)(((const unsigned char *)place - recorder.base) / SEGMENT_UNIT);
}

/* Zeroed room of the thread's own, which stays; NULL: none. */
void *recorder_take(struct recorder_thread *thread, size_t size);

/* The rare ways, out of line; NULL or false: no room. */
struct segment_node *recorder_find_child(struct recorder_thread *thread, uint32_t code);
bool recorder_next_frames(struct recorder_thread *thread);
void recorder_previous_frames(struct recorder_thread *thread);

/* The rare part of the next. */
void recorder_look(struct recorder_thread *thread, uint64_t now);

/* Whether the thread was on a core since its last event: asked of the kernel only when that is long ago. */
static inline void recorder_pass(struct recorder_thread *thread, uint64_t now)
{
	if (__builtin_expect(now >= thread->idle.look, 0))
		recorder_look(thread, now);
	thread->shared->last = now;
}

/* A single call, where those are wanted. */
static inline void recorder_keep(struct recorder_thread *thread, enum segment_word kind, uint32_t value, uint64_t now)
{
	struct timeline *t = &thread->timeline;
	if (__builtin_expect(!t->word, 1))
		return;
	if (__builtin_expect(!timeline_takes(t, now), 0)) {
		timeline_keep_slowly(thread, kind, value, now);
		return;
	}
	timeline_put(t, kind, value, now - t->last);
	t->last = now;
}

/* Into the code; false: no room, and nothing is recorded any more. */
static inline bool recorder_enter(struct recorder_thread *thread, uint32_t code, bool resumed, uint64_t now)
{
	uint32_t unit = thread->node->children;
	struct segment_node *node = recorder_unit(unit);
	if ((!unit || node->code != code) && !(node = recorder_find_child(thread, code)))
		return false;
	if (thread->top == thread->end && !recorder_next_frames(thread))
		return false;
	recorder_pass(thread, now);
	*thread->top++ = now;
	node->calls += !resumed;
	node->resumed += resumed;
	if (resumed)
		node->suspended += now;
	thread->node = node;
	thread->shared->node = recorder_unit_of(node);
	thread->shared->depth++;
	recorder_keep(thread, resumed ? SEGMENT_WORD_RESUME : SEGMENT_WORD_ENTER, thread->shared->node, now);
	return true;
}

enum recorder_leave { LEAVE_RETURN, LEAVE_YIELD, LEAVE_UNWIND };

/* Out of the innermost call; the thread must be in one. */
static inline void recorder_leave(struct recorder_thread *thread, enum recorder_leave how, uint64_t now)
{
	struct segment_node *node = thread->node;
	recorder_pass(thread, now);
	if (thread->top == thread->begin)
		recorder_previous_frames(thread);
	node->total += now - *--thread->top;
	if (how == LEAVE_YIELD) {
		node->suspended -= now;
		node->suspensions++;
	}
	if (how == LEAVE_UNWIND)
		node->unwound += node->unwound != UINT32_MAX;
	thread->node = recorder_unit(node->parent);
	thread->shared->node = node->parent;
	thread->shared->depth--;
	recorder_keep(thread, SEGMENT_WORD_LEAVE, how, now);
}
