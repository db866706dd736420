#include "agent/calls/frame_hook.h"

#include "agent/codes/filter.h"
#include "agent/meter.h"
#include "agent/python/evaluator.h"

static bool filtered; /* some code is left out */

static inline object *code_of(const frame *f)
{
	return old_python_word(f, old_python.at.pyframe_code);
}

/* ---- builtins ---- */

/* Whose place in the thread state we took. */
static __thread struct {
	const thread_state *thread;
	profile_function function;
} theirs __attribute__((tls_model("initial-exec")));

/* Whoever calls it is left out. */
static inline bool is_left_out(const frame *where)
{
	return __builtin_expect(filtered, 0) && meter_is_on() && !codes_get(meter.cache, code_of(where));
}

static int on_builtin(object *self, frame *where, int event, object *value)
{
	if (is_left_out(where))
		;
	else if (event == PROFILE_C_CALL)
		meter_enter_builtin(value);
	else if (event == PROFILE_C_RETURN)
		meter_leave_builtin(value, LEAVE_RETURN);
	else if (event == PROFILE_C_EXCEPTION)
		meter_leave_builtin(value, LEAVE_UNWIND);
	if (__builtin_expect(theirs.function == NULL, 1) || theirs.thread != old_python.current_thread())
		return 0;
	return theirs.function(self, where, event, value);
}

/* The program has set a profile function of its own, or none: events come to us first again. */
__attribute__((noinline)) static void take_place(thread_state *thread)
{
	if (!recorder_is_on())
		return;
	theirs.thread = thread;
	theirs.function = old_python_profile(thread);
	old_python_set_profile(thread, on_builtin);
}

static inline void look_at_place(thread_state *thread)
{
	if (__builtin_expect(old_python_profile(thread) != on_builtin, 0))
		take_place(thread);
}

/* Where another tool stands behind us, we stay before it and hand on what comes. */
static void leave_places(void)
{
	thread_state *thread = old_python.first_thread(old_python.interpreter);
	for (; thread; thread = old_python.next_thread(thread))
		if (old_python_profile(thread) == on_builtin &&
			!old_python_word(thread, old_python.at.tstate_profile_object))
			old_python_set_profile(thread, NULL);
}

/* ---- frames ---- */

/* Whether the call is measured. */
static inline bool enter(const frame *f)
{
	if (!meter_is_on())
		return false;
	uint32_t unit = codes_get(meter.cache, code_of(f));
	if (!unit)
		return false;
	meter_enter_unit(unit, /* resumed= */ old_python_int(f, old_python.at.pyframe_lasti) != -1);
	return true;
}

/* The interpreter's own generators ask the same. */
static inline bool has_yielded(const frame *f)
{
	enum { SUSPENDED = -1 };
	if (old_python.at.pyframe_stacktop != LAYOUT_NONE)
		return old_python_word(f, old_python.at.pyframe_stacktop);
	return *((const signed char *)f + old_python.at.pyframe_state) == SUSPENDED;
}

static inline object *leave(const frame *f, object *result)
{
	meter_leave(code_of(f), !result ? LEAVE_UNWIND : has_yielded(f) ? LEAVE_YIELD : LEAVE_RETURN);
	return result;
}

/* These stand on the C stack once for each call, so they keep little there. */

static object *on_frame(thread_state *thread, frame *f, int throwing)
{
	if (!enter(f))
		return evaluator_39(thread, f, throwing);
	return leave(f, evaluator_39(thread, f, throwing));
}

static object *on_frame_38(frame *f, int throwing)
{
	if (!enter(f))
		return evaluator_38(f, throwing);
	return leave(f, evaluator_38(f, throwing));
}

static object *on_frame_and_builtins(thread_state *thread, frame *f, int throwing)
{
	look_at_place(thread);
	object *result = on_frame(thread, f, throwing);
	look_at_place(thread);
	return result;
}

static object *on_frame_and_builtins_38(frame *f, int throwing)
{
	look_at_place(old_python.current_thread());
	object *result = on_frame_38(f, throwing);
	look_at_place(old_python.current_thread());
	return result;
}

/* Where code is left out: its builtins cost nothing while no profile function stands there. */
static inline void put_builtins(thread_state *thread, bool wanted)
{
	bool hands_on = theirs.function && theirs.thread == thread;
	if (wanted)
		look_at_place(thread);
	else if (old_python_profile(thread) == on_builtin && !hands_on)
		old_python_set_profile(thread, NULL);
}

static inline bool enter_filtered(thread_state *thread, const frame *f)
{
	bool counted = enter(f);
	put_builtins(thread, counted);
	return counted;
}

/* `before`: whether builtins of the caller's are heard of. */
static inline object *leave_filtered(thread_state *thread, const frame *f, bool before, bool counted, object *result)
{
	if (counted)
		leave(f, result);
	put_builtins(thread, before);
	return result;
}

static object *on_filtered_frame(thread_state *thread, frame *f, int throwing)
{
	bool before = old_python_profile(thread) == on_builtin, counted = enter_filtered(thread, f);
	return leave_filtered(thread, f, before, counted, evaluator_39(thread, f, throwing));
}

static object *on_filtered_frame_38(frame *f, int throwing)
{
	thread_state *thread = old_python.current_thread();
	bool before = old_python_profile(thread) == on_builtin, counted = enter_filtered(thread, f);
	return leave_filtered(thread, f, before, counted, evaluator_38(f, throwing));
}

/* ---- putting it in ---- */

static const char *put_in(bool builtins)
{
	if (!builtins)
		return evaluator_begin(on_frame, on_frame_38);
	return filtered ? evaluator_begin(on_filtered_frame, on_filtered_frame_38)
			: evaluator_begin(on_frame_and_builtins, on_frame_and_builtins_38);
}

const char *frame_hook_begin(const struct calls_wishes *wishes)
{
	const char *why = old_python_find();
	filtered = filter_is_on();
	if (!why)
		why = put_in(wishes->builtins);
	if (!why)
		evaluator_put_in();
	return why;
}

void frame_hook_listen(bool on)
{
	if (on)
		evaluator_put_in();
	else
		frame_hook_end();
}

void frame_hook_end(void)
{
	if (evaluator_take_out())
		leave_places();
}
