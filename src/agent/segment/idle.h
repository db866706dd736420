/* idle.h: how long a thread was on no core, so that a call has CPU time beside wall time, at the price of one
 * comparison and one store an event.
 *
 * Two events of a thread that lie close together: it was on a core between them, since going to sleep and being woken
 * takes longer than that. Only when they lie further apart is the kernel asked for the thread's CPU time, which costs a
 * system call. What it lacks for all ticks since the thread began, less what was found idle before, was spent waiting
 * between these two: by the innermost call at that time. So what is charged to a thread is exact, and which call is
 * charged is wrong by at most IDLE_LOOK ticks an interval. Time that waits for a core or for the GIL counts as idle. */
#pragma once
#include <stdint.h>

enum { IDLE_LOOK = 1 << 16 }; /* ticks: 15 to 30 us where they are a processor's cycles */

struct idle {
	uint64_t look;	  /* from this tick on somebody has to look */
	uint64_t begun;	  /* when the thread was first seen; then, in ns: */
	uint64_t ns, cpu; /* the clock, and its CPU time */
	uint64_t given;	  /* idle ticks that were found */
};

/* With the clock of CPU time at the beginning. */
void idle_begin(struct idle *idle, uint64_t now);

/* Of the ticks since the last event, those that were spent on no core. */
uint64_t idle_look(struct idle *idle, uint64_t last, uint64_t now);
/* The same of another thread of this process; one that is no more waits. */
uint64_t idle_look_at(struct idle *idle, uint32_t tid, uint64_t last, uint64_t now);
