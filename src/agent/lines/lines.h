/* lines.h: hits and time of the lines of code that was chosen (filter.h): exact with threads, recursion, generators.
 * With `callees` time in calls of all other functions is told apart, too.
 *
 * A line's time goes from its hit to the next one in the same call, or to the end of that call; what it calls is in it.
 * It ends at a yield and goes on at the resumption, which is no hit. While a line recurses into itself only the
 * outermost call's time counts, so that no time is in a line twice. Each thread has sums of its own, and nothing waits
 * for anybody. */
#pragma once
#include "agent/codes/codes.h"
#include "agent/meter.h"

/* Whoever is told of each step besides, in the thread that makes it: `memory --lines`. Comprehensions are then part of
 * the line that they stand in, and not measured by themselves. */
struct lines_follower {
	/* `number`: the line at which the call goes on; 0: it begins. `given`: an object that the interpreter made to
	 * tell us of this, and frees behind it; NULL: there is none. */
	void (*enter)(const struct segment_lines *lines, uint32_t number, const object *given);
	void (*line)(uint32_t number, const object *given);
	void (*leave)(const object *given);
};
extern const struct lines_follower *lines_follower; /* NULL: nobody */

/* The thread's sums for this code; NULL: it is left out, or there is no room. */
struct segment_lines *lines_find(object *code);

/* The rare ways of the next; false: no room. */
bool lines_next_calls(struct recorder_thread *thread);
void lines_previous_calls(struct recorder_thread *thread);

static inline uint64_t lines_idle(const struct recorder_thread *thread)
{
	return thread->node->idle; /* there are no calls in the tree: the root has it all */
}

/* The line that the innermost call is in ends for now. */
static inline void lines_leave_line(struct recorder_thread *thread, uint64_t now)
{
	struct segment_line_call *call = thread->lines.top - 1;
	if (!call->line)
		return;
	struct segment_line *line = &thread->lines.lines->lines[call->line - 1];
	uint64_t ticks = now - call->entered;
	line->own += ticks - call->inside;
	if (--line->open)
		return;
	line->total += ticks;
	line->events += thread->shared->line_events - call->events - (line->hits - call->hits);
	line->idle += lines_idle(thread) - call->idle;
}

/* `number`: of the file. One that the code has not is none. `hit`: else it goes on. */
static inline void lines_enter_line(struct recorder_thread *thread, uint32_t number, bool hit, uint64_t now)
{
	struct segment_line_call *call = thread->lines.top - 1;
	struct segment_lines *lines = thread->lines.lines;
	uint32_t index = number - lines->first;
	call->line = index < lines->count ? index + 1 : 0;
	if (!call->line)
		return;
	struct segment_line *line = &lines->lines[index];
	line->hits += hit;
	line->open++;
	call->entered = now;
	call->events = thread->shared->line_events;
	call->hits = line->hits;
	call->idle = lines_idle(thread);
	call->inside = 0;
}

/* Whether the innermost measured call is of this code. */
static inline bool lines_are_in(const struct recorder_thread *thread, const object *code)
{
	return thread->lines.lines && thread->lines.lines->address == (uintptr_t)code;
}

/* A hit, in the innermost call if that is of this code; an event that came before we did has none. `given`: as a
 * follower has it. */
static inline void lines_hit(
	struct recorder_thread *thread, const object *code, uint32_t number, const object *given, uint64_t now)
{
	if (!lines_are_in(thread, code))
		return;
	if (__builtin_expect(lines_follower != NULL, 0))
		lines_follower->line(number, given);
	recorder_pass(thread, now);
	thread->lines.top[-1].foreign = 0; /* whatever was called is over */
	lines_leave_line(thread, now);
	thread->shared->line_events++;
	lines_enter_line(thread, number, /* hit= */ true, now);
}

/* The line that the innermost call is in once more, without leaving it: a loop in one line. */
static inline void lines_hit_again(struct recorder_thread *thread)
{
	thread->shared->line_events++;
	thread->lines.lines->lines[thread->lines.top[-1].line - 1].hits++;
}

/* Into a call; `number`: the line at which it is resumed; 0: it begins. `given`: as a follower has it. */
static inline void lines_enter(
	struct recorder_thread *thread, struct segment_lines *lines, uint32_t number, const object *given, uint64_t now)
{
	if (thread->lines.top == thread->lines.end && !lines_next_calls(thread))
		return;
	if (__builtin_expect(lines_follower != NULL, 0))
		lines_follower->enter(lines, number, given);
	recorder_pass(thread, now);
	struct segment_line_call *call = thread->lines.top++;
	thread->shared->line_depth++;
	thread->lines.lines = lines;
	call->lines = recorder_unit_of(lines);
	call->line = call->foreign = 0;
	call->begun = now;
	call->begun_events = thread->shared->line_events;
	lines->calls += !number;
	lines->open++;
	if (number)
		lines_enter_line(thread, number, /* hit= */ false, now);
}

/* Out of the innermost call. */
static inline void lines_leave(struct recorder_thread *thread, const object *given, uint64_t now)
{
	struct lines_state *state = &thread->lines;
	if (__builtin_expect(lines_follower != NULL, 0))
		lines_follower->leave(given);
	recorder_pass(thread, now);
	lines_leave_line(thread, now);
	uint64_t ticks = now - (--state->top)->begun;
	if (!--state->lines->open) {
		state->lines->total += ticks;
		state->lines->events += thread->shared->line_events - state->top->begun_events;
	}
	state->lines = NULL;
	if (!--thread->shared->line_depth)
		return;
	if (state->top == state->begin)
		lines_previous_calls(thread);
	state->top[-1].inside += state->top[-1].foreign ? 0 : ticks;
	state->lines = recorder_unit(state->top[-1].lines);
}

/* Into and out of a call of what is not measured. */
static inline void lines_enter_foreign(struct recorder_thread *thread, uint64_t now)
{
	struct segment_line_call *call = thread->lines.top - 1;
	if (thread->shared->line_depth && !call->foreign++)
		call->foreign_since = now;
}
static inline void lines_leave_foreign(struct recorder_thread *thread, uint64_t now)
{
	struct segment_line_call *call = thread->lines.top - 1;
	if (thread->shared->line_depth && call->foreign && !--call->foreign)
		call->inside += now - call->foreign_since;
}
/* The same, and whether it is in this line. */
static inline bool lines_are_at(const struct recorder_thread *thread, const object *code, uint32_t number)
{
	const struct segment_lines *lines = thread->lines.lines;
	return lines_are_in(thread, code) && thread->lines.top[-1].line &&
	       lines->first + thread->lines.top[-1].line - 1 == number;
}

/* Out of a call of this code, and of those within it whose ends nobody told. */
void lines_leave_code(struct recorder_thread *thread, const object *code, const object *given, uint64_t now);

/* With the GIL, as the next ones: all sums are what they would be if every call that is under way ended now and began
 * again at once, in its line, without a hit. */
void lines_check(uint64_t now);
/* What has passed since then is nobody's time: of this thread. */
void lines_take_off(uint64_t begun);
/* All threads are in no call any more; while nothing listens. */
void lines_leave_all(void);
