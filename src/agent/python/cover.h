/* cover.h: a trace or profile function of ours in every thread state of 3.11, which has one place for each. */
#pragma once
#include "agent/python/old_python.h"

struct cover_slot {
	profile_function function;
	profile_function (*get)(const thread_state *);
	void (*set)(thread_state *, profile_function);
	const char *yielded; /* the sentence when another function has taken the place of ours */
};

enum { COVER_SLOTS = 2 };

/* Into all thread states, or out of those that have them still. Those in which another function stands are left alone.
 */
void cover_listen(const struct cover_slot *slots, size_t count, bool on);

/* Why not all was heard: in a thread that is still there another function stands, or none, where ours did. NULL: all
 * was. Of threads that end, the recording is told then. */
const char *cover_yielded(void);

extern uint64_t cover_newest; /* the number of the newest thread state that was given the functions */
void cover_new_threads(void);

/* At every event. A thread state is in the list before its thread can run: whoever made it comes by here first. */
static inline void cover_look(void)
{
	if (__builtin_expect(old_python_threads_made() != cover_newest, 0))
		cover_new_threads();
}
