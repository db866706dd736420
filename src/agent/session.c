#include "agent/session.h"

#include "agent/calibrate.h"
#include "agent/calls/calls_hooks.h"
#include "agent/codes/filter.h"
#include "agent/hooks.h"
#include "agent/lines/lines_hooks.h"
#include "agent/python/python.h"
#include "agent/segment/recorder.h"
#include "agent/session_file.h"
#include "agent/stand_in.h"

static const char *begin(const struct orders *orders)
{
	const struct calls_wishes wishes = {
		.builtins = orders_get(orders, "builtins") != NULL,
		.exceptions = orders_get(orders, "exceptions") != NULL,
	};
	recorder.head->mode = orders->lines ? SEGMENT_LINES : SEGMENT_CALLS;
	if (orders->lines)
		return lines_hooks_begin(orders_get(orders, "callees") != NULL);
	recorder.head->exceptions = wishes.exceptions;
	recorder.head->timeline = orders_get(orders, "timeline") != NULL;
	return calls_hooks_begin(&wishes);
}

void session_prepare(const struct orders *orders)
{
	(void)orders;
}

const char *session_unfit(void)
{
	return python.version < 0x03080000
		       ? "calls are counted from Python 3.8 on; `pyrometer record` looks at any version from outside"
		       : "this Python lacks functions that counting calls needs";
}

const char *session_begin(const struct orders *orders)
{
	if (recorder_is_on())
		return "calls are counted in this process already";
	const char *why = session_file_open(orders);
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
	if (session_file_open(orders))
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
	if (!recorder_is_on() && !session_file_open(orders))
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
