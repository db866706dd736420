/* foreign_builtins.h: what a profile function hears of builtins, before 3.12, for lines that know time in callees
 * apart. */
#pragma once
#include "agent/lines/lines.h"
#include "agent/python/old_python.h"

/* `code`: of the frame that calls. */
static inline int foreign_builtins_hear(const object *code, int event)
{
	uint64_t now = ticks_now();
	if (meter.session != recorder.session || !lines_are_in(meter.thread, code))
		return 0;
	if (event == PROFILE_C_CALL)
		lines_enter_foreign(meter.thread, now);
	else if (event == PROFILE_C_RETURN || event == PROFILE_C_EXCEPTION)
		lines_leave_foreign(meter.thread, now);
	return 0;
}
