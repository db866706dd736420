#include "agent/python/cover.h"

#include "agent/meter.h"
#include "agent/python/sentry.h"

uint64_t cover_newest;

static struct {
	struct cover_slot slots[COVER_SLOTS];
	size_t count;
	uint32_t session;
	uint64_t made;	/* how many thread states there were when we last looked for newer ones, */
	unsigned looks; /* ... and how often we have since */
} cover;

static const char *yielded_in(const thread_state *thread)
{
	for (size_t i = 0; i < cover.count; i++)
		if (cover.slots[i].get(thread) != cover.slots[i].function)
			return cover.slots[i].yielded;
	return NULL;
}

/* The program's own tool wins; what came until then is kept. */
static void on_end(thread_state *thread)
{
	const char *why = cover.session == recorder.session ? yielded_in(thread) : NULL;
	bool own = thread == old_python.current_thread() && meter.session == recorder.session;
	if (why)
		recorder_seal(why, own ? meter.thread->shared->last : ticks_now());
}

const char *cover_yielded(void)
{
	const char *why = NULL;
	thread_state *thread = old_python.first_thread(old_python.interpreter);
	for (; thread && !why; thread = old_python.next_thread(thread))
		why = sentry_is_in(thread) ? yielded_in(thread) : NULL;
	return why;
}

/* Where another function stands it stays, and nothing is heard of that thread. */
static void cover_thread(thread_state *thread)
{
	for (size_t i = 0; i < cover.count; i++)
		if (!cover.slots[i].get(thread))
			cover.slots[i].set(thread, cover.slots[i].function);
	sentry_put(thread, on_end);
}

/* Gives our function to those that are newer than `covered`; the number of the newest of all. A thread that C code
 * brings in makes its state without the GIL: for a moment it is counted and not listed, or listed and not yet filled.
 */
static uint64_t cover_newer_than(uint64_t covered)
{
	uint64_t newest = covered;
	thread_state *thread = old_python.first_thread(old_python.interpreter);
	for (; thread; thread = old_python.next_thread(thread)) {
		uint64_t number = old_python_number(thread);
		if (!old_python_word(thread, old_python.at.tstate_cframe))
			return covered;
		newest = number > newest ? number : newest;
		if (number > covered)
			cover_thread(thread);
	}
	return newest;
}

/* One that cannot be found has gone already. */
void cover_new_threads(void)
{
	enum { LOOKS = 1000 };
	uint64_t made = old_python_threads_made();
	if (!recorder_is_on())
		return;
	cover.looks = made == cover.made ? cover.looks + 1 : 0;
	cover.made = made;
	cover_newest = cover_newer_than(cover_newest);
	if (cover.looks == LOOKS)
		cover_newest = made;
}

void cover_listen(const struct cover_slot *slots, size_t count, bool on)
{
	cover.count = count < COVER_SLOTS ? count : COVER_SLOTS;
	memcpy(cover.slots, slots, cover.count * sizeof *slots);
	cover.session = recorder.session;
	cover_newest = 0;
	if (on) {
		cover_new_threads();
		return;
	}
	thread_state *thread = old_python.first_thread(old_python.interpreter);
	for (; thread; thread = old_python.next_thread(thread)) {
		sentry_take(thread);
		for (size_t i = 0; i < cover.count; i++)
			if (slots[i].get(thread) == slots[i].function)
				slots[i].set(thread, NULL);
	}
}
