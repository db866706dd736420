#include "agent/lines/lines_trace.h"

#include "agent/lines/foreign_builtins.h"
#include "agent/lines/lines.h"
#include "agent/python/cover.h"
#include "agent/python/inner_frame.h"

static bool with_callees;

static void on_call(frame *f)
{
	const char *inner = inner_frame_of(f);
	object *code = inner_frame_code(inner);
	struct segment_lines *lines = meter_is_on() ? lines_find(code) : NULL;
	if (!lines) {
		*((char *)f + old_python.at.pyframe_trace_lines) = 0; /* of this call none */
		if (with_callees && meter_is_on())
			lines_enter_foreign(meter.thread, ticks_now());
		return;
	}
	int line = 0;
	if (inner_frame_is_resumed(inner, code) &&
		(line = python.code_line(code, inner_frame_offset(inner, code))) <= 0)
		line = (int)lines->first;
	lines_enter(meter.thread, lines, (uint32_t)line, NULL, ticks_now());
}

static void on_return(object *code, uint64_t now)
{
	if (lines_are_in(meter.thread, code) || lines_find(code))
		lines_leave_code(meter.thread, code, NULL, now);
	else if (with_callees)
		lines_leave_foreign(meter.thread, now);
}

static int on_event(object *self, frame *f, int event, object *value)
{
	uint64_t now = ticks_now();
	(void)self, (void)value;
	cover_look();
	if (event == PROFILE_CALL)
		on_call(f);
	else if (meter.session != recorder.session)
		return 0;
	else if (event == TRACE_LINE)
		lines_hit(meter.thread, inner_frame_code(inner_frame_of(f)),
			(uint32_t)old_python_int(f, old_python.at.pyframe_lineno), NULL, now);
	else if (event == PROFILE_RETURN && meter.thread->shared->line_depth)
		on_return(inner_frame_code(inner_frame_of(f)), now);
	return 0;
}

/* In the place of a profile function, for what is written in C. */
static int on_builtin(object *self, frame *f, int event, object *value)
{
	(void)self, (void)value;
	return foreign_builtins_hear(inner_frame_code(inner_frame_of(f)), event);
}

const char *lines_trace_begin(bool callees)
{
	const char *why = old_python_find();
	if (why)
		return why;
	if (old_python_trace(old_python.current_thread()))
		return "the program has a trace function of its own, and Python 3.11 has one place for one";
	with_callees = callees;
	lines_trace_listen(true);
	return NULL;
}

void lines_trace_listen(bool on)
{
	static const struct cover_slot slots[] = {
		{ on_event, old_python_trace, old_python_set_trace,
			"the program has set a trace function of its own, and this Python has one place for one: lines "
			"that ran from then on were not measured" },
		{ on_builtin, old_python_profile, old_python_set_profile,
			"the program has set a profile function of its own, and this Python has one place for one: "
			"from then on builtins were not told from their lines" },
	};
	cover_listen(slots, with_callees ? 2 : 1, on);
}

void lines_trace_end(void)
{
	if (old_python.interpreter)
		lines_trace_listen(false);
}
