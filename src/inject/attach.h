/* attach.h: bringing the agent into a program that runs, and out again. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "inject/orders.h"

struct attach {
	pid_t pid;
	char *folder; /* as we see it: the segment is in it */
	int leash;    /* while it is held, the agent measures; -1: there is none */
	bool called;  /* the agent was: it is at the other end */
};

/* Returns when calls are counted, or when we are asked to end while the target is waited for. On an error nothing is
 * measured; attach_deinit all the same. */
struct error *attach_begin(
	struct attach *attach, pid_t pid, const struct calls_orders *orders, bool (*asked_to_end)(void));
/* Lets the agent leave. It is waited for, but not for long: with the GIL in C it may take any time. */
void attach_end(struct attach *attach);
/* Removes the folder. */
void attach_deinit(struct attach *attach);
