#include "agent/calls/calls_monitoring.h"

#include "agent/calls/exceptions.h"
#include "agent/codes/filter.h"
#include "agent/meter.h"
#include "agent/python/monitoring.h"

/* ---- events: (code, offset, ...), and of calls the callable ---- */

static inline object *answer(bool counted)
{
	return __builtin_expect(counted, 1) ? python.none : monitoring_disable;
}

static object *on_start(object *callable, object *const *arguments, size_t flags, object *names)
{
	(void)callable, (void)flags, (void)names;
	return answer(meter_enter(arguments[0], false));
}

static object *on_resume(object *callable, object *const *arguments, size_t flags, object *names)
{
	(void)callable, (void)flags, (void)names;
	return answer(meter_enter(arguments[0], true));
}

/* As all that follows an exception, it cannot be switched off at a place. */
static object *on_throw(object *callable, object *const *arguments, size_t flags, object *names)
{
	(void)callable, (void)flags, (void)names;
	meter_enter(arguments[0], true);
	return python.none;
}

static object *on_return(object *callable, object *const *arguments, size_t flags, object *names)
{
	(void)callable, (void)flags, (void)names;
	return answer(meter_leave(arguments[0], LEAVE_RETURN));
}

static object *on_yield(object *callable, object *const *arguments, size_t flags, object *names)
{
	(void)callable, (void)flags, (void)names;
	return answer(meter_leave(arguments[0], LEAVE_YIELD));
}

static object *on_unwind(object *callable, object *const *arguments, size_t flags, object *names)
{
	(void)callable, (void)flags, (void)names;
	meter_leave(arguments[0], LEAVE_UNWIND);
	return python.none;
}

static object *on_call(object *callable, object *const *arguments, size_t flags, object *names)
{
	(void)callable, (void)flags, (void)names;
	meter_enter_builtin(arguments[2]);
	return python.none;
}

static object *on_c_return(object *callable, object *const *arguments, size_t flags, object *names)
{
	(void)callable, (void)flags, (void)names;
	meter_leave_builtin(arguments[2], LEAVE_RETURN);
	return python.none;
}

static object *on_c_raise(object *callable, object *const *arguments, size_t flags, object *names)
{
	(void)callable, (void)flags, (void)names;
	meter_leave_builtin(arguments[2], LEAVE_UNWIND);
	return python.none;
}

/* The same where some code is left out. The end of a call comes even if its beginning was the one that is answered by
 * "no more". */

static object *on_call_filtered(object *callable, object *const *arguments, size_t flags, object *names)
{
	return meter_wants(arguments[0]) ? on_call(callable, arguments, flags, names) : monitoring_disable;
}

static object *on_c_return_filtered(object *callable, object *const *arguments, size_t flags, object *names)
{
	return meter_wants(arguments[0]) ? on_c_return(callable, arguments, flags, names) : python.none;
}

static object *on_c_raise_filtered(object *callable, object *const *arguments, size_t flags, object *names)
{
	return meter_wants(arguments[0]) ? on_c_raise(callable, arguments, flags, names) : python.none;
}

/* ---- exceptions: (code, offset, exception) ---- */

static object *on_raise(object *callable, object *const *arguments, size_t flags, object *names)
{
	(void)callable, (void)flags, (void)names;
	exceptions_raise(arguments[0], arguments[1], arguments[2]);
	return python.none;
}

static object *on_reraise(object *callable, object *const *arguments, size_t flags, object *names)
{
	(void)callable, (void)flags, (void)names;
	exceptions_raise_again(arguments[2]);
	return python.none;
}

static object *on_handled(object *callable, object *const *arguments, size_t flags, object *names)
{
	(void)callable, (void)flags, (void)names;
	exceptions_handle(arguments[0], arguments[1], arguments[2]);
	return python.none;
}

/* ---- putting it in ---- */

struct wanted_listener {
	struct listener listener;
	enum { ALWAYS, FOR_BUILTINS, FOR_EXCEPTIONS } when;
	vectorcall filtered; /* where some code is left out; NULL: the same */
};
static const struct wanted_listener all[] = {
	{ { "PY_START", on_start, false }, ALWAYS, NULL },
	{ { "PY_RESUME", on_resume, false }, ALWAYS, NULL },
	{ { "PY_THROW", on_throw, false }, ALWAYS, NULL },
	{ { "PY_RETURN", on_return, false }, ALWAYS, NULL },
	{ { "PY_YIELD", on_yield, false }, ALWAYS, NULL },
	{ { "PY_UNWIND", on_unwind, false }, ALWAYS, NULL },
	{ { "CALL", on_call, false }, FOR_BUILTINS, on_call_filtered },
	{ { "C_RETURN", on_c_return, false }, FOR_BUILTINS, on_c_return_filtered },
	{ { "C_RAISE", on_c_raise, false }, FOR_BUILTINS, on_c_raise_filtered },
	{ { "RAISE", on_raise, false }, FOR_EXCEPTIONS, NULL },
	{ { "RERAISE", on_reraise, false }, FOR_EXCEPTIONS, NULL },
	{ { "EXCEPTION_HANDLED", on_handled, false }, FOR_EXCEPTIONS, NULL },
};

static bool is_wanted(const struct wanted_listener *each, const struct calls_wishes *wishes)
{
	switch (each->when) {
	case FOR_BUILTINS:
		return wishes->builtins;
	case FOR_EXCEPTIONS:
		return wishes->exceptions;
	default:
		return true;
	}
}

const char *calls_monitoring_begin(const struct calls_wishes *wishes)
{
	struct listener listeners[sizeof all / sizeof *all];
	size_t count = 0;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (!is_wanted(&all[i], wishes))
			continue;
		listeners[count] = all[i].listener;
		if (filter_is_on() && all[i].filtered)
			listeners[count].function = all[i].filtered;
		count++;
	}
	return monitoring_begin(listeners, count, /* places_end= */ filter_is_on());
}
