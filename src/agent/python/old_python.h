/* old_python.h: what Pythons before 3.12 need beyond python.h: their thread states, with the one place for a profile
 * function in each, and where fields of their structs lie (layouts.h, generated). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "agent/python/layouts.h"
#include "agent/python/python.h"

typedef struct thread_state thread_state;
typedef struct frame frame; /* PyFrameObject */

enum profile_event {
	PROFILE_CALL = 0,
	TRACE_LINE = 2,
	PROFILE_RETURN,
	PROFILE_C_CALL,
	PROFILE_C_EXCEPTION,
	PROFILE_C_RETURN
};
/* A return without a value is an exception. Always 0: no error. */
typedef int (*profile_function)(object *self, frame *where, int event, object *value);

struct old_python {
	struct layout at;
	unsigned char *runtime, *interpreter; /* the main one */
	thread_state *(*current_thread)(void);
	thread_state *(*first_thread)(void *interpreter);
	thread_state *(*next_thread)(thread_state *);
};
extern struct old_python old_python;

/* With the GIL. A sentence when this Python is not what the layouts say, or NULL. */
const char *old_python_find(void);

static inline void *old_python_word(const void *base, uint32_t offset)
{
	void *value;
	memcpy(&value, (const char *)base + offset, sizeof value);
	return value;
}
static inline int old_python_int(const void *base, uint32_t offset)
{
	int value;
	memcpy(&value, (const char *)base + offset, sizeof value);
	return value;
}

/* How many thread states the main interpreter has ever had, which is the number of the newest. */
static inline uint64_t old_python_threads_made(void)
{
	return (uint64_t)(uintptr_t)old_python_word(old_python.interpreter, old_python.at.interp_threads_made);
}
static inline uint64_t old_python_number(const thread_state *thread)
{
	return (uint64_t)(uintptr_t)old_python_word(thread, old_python.at.tstate_number);
}

static inline profile_function old_python_profile(const thread_state *thread)
{
	return (profile_function)old_python_word(thread, old_python.at.tstate_profile_function);
}
static inline profile_function old_python_trace(const thread_state *thread)
{
	return (profile_function)old_python_word(thread, old_python.at.tstate_trace_function);
}
/* As PyEval_SetProfile does, but for that it tells no audit hook, and leaves alone what the function is called with,
 * which is what sys.getprofile() answers. */
void old_python_set_profile(thread_state *thread, profile_function function);
/* The same of PyEval_SetTrace. */
void old_python_set_trace(thread_state *thread, profile_function function);
