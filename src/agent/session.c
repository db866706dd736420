#include "agent/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/calibrate.h"
#include "agent/codes/filter.h"
#include "agent/hooks.h"
#include "agent/python/python.h"
#include "agent/segment/recorder.h"
#include "agent/stand_in.h"

/* A name of its own for each session: a process may have several in one folder. */
static const char *open_segment(const struct orders *orders)
{
	enum { SESSIONS_MAX = 1 << 16 };
	char path[512];
	const char *folder = orders_get(orders, "folder");
	int error = EEXIST; /* by a program that this process was before, too */
	for (unsigned session = 1; error == EEXIST && session < SESSIONS_MAX; session++) {
		int size = snprintf(
			path, sizeof path, "%s/%d-%u.segment", folder ? folder : "", (int)getpid(), session);
		if (!folder || size >= (int)sizeof path)
			return "there is no folder for what is counted";
		error = recorder_open(path, python.version, python.free_threaded);
	}
	const char *owner = orders_get(orders, "owner");
	if (!error)
		recorder_watch(owner ? (int)strtol(owner, NULL, 10) : 0);
	return !error		 ? NULL
	       : error == ENOSPC ? "there is no room for what is counted"
				 : "the file for what is counted cannot be made";
}

static const char *begin(const struct orders *orders)
{
	const struct calls_wishes wishes = {
		.builtins = orders_get(orders, "builtins") != NULL,
		.exceptions = orders_get(orders, "exceptions") != NULL,
	};
	recorder.head->mode = orders->lines ? SEGMENT_LINES : SEGMENT_CALLS;
	if (orders->lines)
		return hooks_begin_lines(orders_get(orders, "callees") != NULL);
	recorder.head->exceptions = wishes.exceptions;
	recorder.head->timeline = orders_get(orders, "timeline") != NULL;
	return hooks_begin_calls(&wishes);
}

const char *session_begin(const struct orders *orders)
{
	if (recorder_is_on())
		return "calls are counted in this process already";
	const char *why = open_segment(orders);
	if (why)
		return why;
	hooks_end(); /* what the parent of a fork had put in */
	why = filter_begin(orders, python.version);
	if (!why)
		why = begin(orders);
	if (why) {
		recorder_close(SEGMENT_SEALED, why);
		return why;
	}
	calibrate();
	if (orders->lines && orders_get(orders, "profile"))
		stand_in_put();
	atomic_store(&recorder.head->state, SEGMENT_RUNNING);
	return NULL;
}

void session_go_on(const struct orders *orders, const struct segment_head *before)
{
	if (open_segment(orders))
		return;
	recorder.head->mode = before->mode;
	recorder.head->exceptions = before->exceptions;
	recorder.head->timeline = before->timeline;
	recorder.head->inner = before->inner;
	recorder.head->outer = before->outer;
	recorder.head->builtin_inner = before->builtin_inner;
	recorder.head->builtin_outer = before->builtin_outer;
	atomic_store(&recorder.head->state, before->state);
}

void session_refuse(const struct orders *orders, const char *why)
{
	if (!recorder_is_on() && !open_segment(orders))
		recorder_close(SEGMENT_SEALED, why);
}

void session_end(enum segment_state state, const char *note)
{
	if (!recorder_is_on())
		return;
	const char *yielded = hooks_yielded();
	/* First: events end one kind after the other, and without a GIL threads run on. */
	recorder_close(yielded ? SEGMENT_SEALED : state, yielded ? yielded : note);
	hooks_end();
	filter_end();
}
