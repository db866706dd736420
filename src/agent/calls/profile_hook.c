#include "agent/calls/profile_hook.h"

#include "agent/codes/filter.h"
#include "agent/meter.h"
#include "agent/python/cover.h"
#include "agent/python/inner_frame.h"

static struct {
	bool builtins, filtered;
} hook;

/* ---- events ---- */

/* Whether builtins that this frame calls are counted. */
static inline bool counts_builtins(frame *f)
{
	bool left_out = __builtin_expect(hook.filtered, 0) && meter_is_on() &&
			!codes_get(meter.cache, inner_frame_code(inner_frame_of(f)));
	return hook.builtins && !left_out;
}

static int on_event(object *self, frame *f, int event, object *value)
{
	(void)self;
	cover_look();
	if (event == PROFILE_CALL) {
		const char *inner = inner_frame_of(f);
		object *code = inner_frame_code(inner);
		meter_enter(code, inner_frame_is_resumed(inner, code));
	} else if (event == PROFILE_RETURN) {
		const char *inner = inner_frame_of(f);
		meter_leave(inner_frame_code(inner), !value			      ? LEAVE_UNWIND
						     : inner_frame_has_yielded(inner) ? LEAVE_YIELD
										      : LEAVE_RETURN);
	} else if (!counts_builtins(f)) {
		return 0;
	} else if (event == PROFILE_C_CALL) {
		meter_enter_builtin(value);
	} else if (event == PROFILE_C_RETURN) {
		meter_leave_builtin(value, LEAVE_RETURN);
	} else if (event == PROFILE_C_EXCEPTION) {
		meter_leave_builtin(value, LEAVE_UNWIND);
	}
	return 0;
}

/* ---- putting it in ---- */

const char *profile_hook_begin(const struct calls_wishes *wishes)
{
	const char *why = old_python_find();
	if (why)
		return why;
	if (old_python_profile(old_python.current_thread()))
		return "the program has a profile function of its own, and Python 3.11 has one place for one";
	hook.builtins = wishes->builtins;
	hook.filtered = filter_is_on();
	profile_hook_listen(true);
	return NULL;
}

void profile_hook_listen(bool on)
{
	static const struct cover_slot slot = { on_event, old_python_profile, old_python_set_profile,
		"the program has set a profile function of its own, and Python 3.11 has one place for one: calls from "
		"then on were not counted" };
	cover_listen(&slot, 1, on);
}

void profile_hook_end(void)
{
	if (old_python.interpreter)
		profile_hook_listen(false);
}
