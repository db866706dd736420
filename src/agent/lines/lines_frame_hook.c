#include "agent/lines/lines_frame_hook.h"

#include "agent/lines/foreign_builtins.h"
#include "agent/lines/lines.h"
#include "agent/python/evaluator.h"

static bool with_callees;

static inline object *code_of(const frame *f)
{
	return old_python_word(f, old_python.at.pyframe_code);
}

static int on_event(object *self, frame *f, int event, object *value)
{
	(void)self, (void)value;
	if (event == TRACE_LINE && meter.session == recorder.session)
		lines_hit(meter.thread, code_of(f), (uint32_t)old_python_int(f, old_python.at.pyframe_lineno), NULL,
			ticks_now());
	return 0;
}

/* In the place of a profile function, for what is written in C. */
static int on_builtin(object *self, frame *f, int event, object *value)
{
	(void)self, (void)value;
	return foreign_builtins_hear(code_of(f), event);
}

/* The line at which a generator goes on; 0: the call begins. */
static uint32_t resumed_line(const frame *f, const struct segment_lines *lines)
{
	enum { COUNTS_INSTRUCTIONS = 0x030a0000, INSTRUCTION = 2, NOT_BEGUN = -1 };
	int last = old_python_int(f, old_python.at.pyframe_lasti);
	if (last == NOT_BEGUN)
		return 0;
	int line = python.code_line(code_of(f), python.version >= COUNTS_INSTRUCTIONS ? last * INSTRUCTION : last);
	return line > 0 ? (uint32_t)line : lines->first;
}

/* The program's own tool has it. */
__attribute__((noinline)) static void yield_place(const struct segment_lines *lines)
{
	if (lines)
		recorder_close(SEGMENT_SEALED,
			"the program has set a trace function of its own, and this Python has one place for "
			"one: lines that ran from then on were not measured");
}

/* What is to be undone behind a frame. */
struct before {
	profile_function trace, profile;
	bool measured, foreign;
};

static inline void put_builtins(thread_state *thread, bool wanted)
{
	profile_function there = old_python_profile(thread), function = wanted ? on_builtin : NULL;
	if (there != function && (!there || there == on_builtin))
		old_python_set_profile(thread, function);
}

static inline struct before enter(thread_state *thread, const frame *f)
{
	struct segment_lines *lines = meter_is_on() ? lines_find(code_of(f)) : NULL;
	profile_function wanted = lines ? on_event : NULL;
	struct before before = { .trace = old_python_trace(thread),
		.profile = with_callees ? old_python_profile(thread) : NULL };
	if (before.trace && before.trace != on_event) {
		yield_place(lines);
		return before;
	}
	if (before.trace != wanted)
		old_python_set_trace(thread, wanted);
	if (with_callees)
		put_builtins(thread, lines);
	before.measured = lines;
	before.foreign = !lines && with_callees && meter_is_on();
	if (lines)
		lines_enter(meter.thread, lines, resumed_line(f, lines), NULL, ticks_now());
	else if (before.foreign)
		lines_enter_foreign(meter.thread, ticks_now());
	return before;
}

static inline void leave(thread_state *thread, const frame *f, const struct before *before)
{
	profile_function there = old_python_trace(thread);
	bool heard = before->measured || before->foreign; /* what is not, pays for no clock */
	uint64_t now = heard ? ticks_now() : 0;
	if (heard && meter.session == recorder.session) {
		if (before->measured)
			lines_leave_code(meter.thread, code_of(f), NULL, now);
		else
			lines_leave_foreign(meter.thread, now);
	}
	/* Unless the program has put in or taken out one of its own meanwhile. */
	if (there != before->trace && (there == on_event || (!there && before->trace == on_event)))
		old_python_set_trace(thread, before->trace);
	if (with_callees)
		put_builtins(thread, before->profile == on_builtin);
}

static object *on_frame(thread_state *thread, frame *f, int throwing)
{
	const struct before before = enter(thread, f);
	object *result = evaluator_39(thread, f, throwing);
	leave(thread, f, &before);
	return result;
}

static object *on_frame_38(frame *f, int throwing)
{
	thread_state *thread = old_python.current_thread();
	const struct before before = enter(thread, f);
	object *result = evaluator_38(f, throwing);
	leave(thread, f, &before);
	return result;
}

/* ---- putting it in ---- */

const char *lines_frame_hook_begin(bool callees)
{
	const char *why = old_python_find();
	with_callees = callees;
	if (!why)
		why = evaluator_begin(on_frame, on_frame_38);
	if (!why)
		evaluator_put_in();
	return why;
}

void lines_frame_hook_listen(bool on)
{
	if (on)
		evaluator_put_in();
	else
		lines_frame_hook_end();
}

void lines_frame_hook_end(void)
{
	if (!evaluator_take_out())
		return;
	thread_state *thread = old_python.first_thread(old_python.interpreter);
	for (; thread; thread = old_python.next_thread(thread)) {
		if (old_python_trace(thread) == on_event)
			old_python_set_trace(thread, NULL);
		put_builtins(thread, false);
	}
}
