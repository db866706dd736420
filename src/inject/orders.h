/* orders.h: writes what the agent is asked to do (agent/orders.h). */
#pragma once
#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"

struct calls_orders {
	bool lines;   /* of lines, instead of calls; of these all but `follow`, `owner` and patterns is for calls */
	bool memory;  /* allocations, instead of calls; of these only the next two, `follow` and `owner` are for that */
	bool domains; /* of memory: each object of Python's allocators */
	bool with_lines; /* of memory: what each line makes of it; `profile`, `own` and patterns are for these, too */
	bool callees;	 /* of lines: time in what they call is told apart */
	bool profile;	 /* of lines: scripts find a `profile` to mark functions with */
	bool own;	 /* only of what is the program's own: no library */
	bool builtins;	 /* of functions that are written in C, too */
	bool exceptions; /* and where they are raised and handled */
	bool timeline;	 /* and each single call, which is then taken away while the target runs (inject/timeline.h) */
	bool follow;	 /* child processes, too */
	int owner;	 /* with which measuring ends, whatever becomes of it; 0: nobody */
	/* Which functions (agent/codes/pattern.h); nothing in `only`: all. */
	const char *const *only, *const *exclude;
	size_t only_count, exclude_count;
};

/* NULL, or what is wrong with these patterns. */
struct error *calls_orders_check(const struct calls_orders *orders);

/* `folder`: where the segments go. The text is ended with NUL. False: no memory, or more than an agent takes. */
bool calls_orders_write(const struct calls_orders *orders, const char *folder, struct buffer *text);
