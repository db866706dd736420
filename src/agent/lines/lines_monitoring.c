#include "agent/lines/lines_monitoring.h"

#include "agent/lines/lines.h"
#include "agent/python/monitoring.h"

/* ---- numbers ---- */

/* Of an int below 2^30: one digit behind its tag. */
static inline uint32_t number_of(const object *number)
{
	enum { DIGIT = 8 };
	uint32_t value;
	memcpy(&value, (const char *)number + python.head + DIGIT, sizeof value);
	return value;
}

/* From 3.14 on ints that are gone are kept for new ones, and the object that an event comes with is mostly one of
 * these; but not if it tells of a number of which there always is one. So that for who follows memory the store has the
 * same at both ends of a line, each event takes one out of it. */
static uint32_t first_made; /* the least number of which there is not always one; 0: nothing is kept */

static void find_first_made(void)
{
	enum { FIRST_THAT_KEEPS = 0x030e0000, SURELY = 255, MOST = 1 << 16 };
	bool made = python.version < FIRST_THAT_KEEPS;
	for (long number = SURELY; !made && number < MOST; number++) {
		object *one = python.make_long(number), *other = python.make_long(number);
		if ((made = one != other))
			first_made = (uint32_t)number;
		if (one)
			python.forget(one);
		if (other)
			python.forget(other);
	}
}

/* NULL: the event's own number is of that kind. Else to be forgotten behind it. */
static inline object *take_int(const object *number)
{
	if (__builtin_expect(!lines_follower || number_of(number) >= first_made, 1))
		return NULL;
	return python.make_long((long)first_made);
}

static inline void give_int(object *taken)
{
	if (__builtin_expect(taken != NULL, 0))
		python.forget(taken);
}

/* ---- events ---- */

static void hear(const struct segment_lines *lines, object *code)
{
	struct segment_code *description = recorder_unit(lines->code);
	if (__builtin_expect(description->heard, 1) || atomic_exchange(&description->heard, 1))
		return;
	meter_own_work(true);
	if (!monitoring_listen_in(code))
		description->heard = 0;
	meter_own_work(false);
}

/* Every code begins here once. Of one that is chosen more is heard from then on; the others are not heard of again.
 * `resumed`: at that offset; else it begins. */
static object *enter(object *code, const object *offset, bool resumed)
{
	if (!meter_is_on())
		return python.none;
	struct segment_lines *lines = lines_find(code);
	if (!lines)
		return monitoring_disable;
	hear(lines, code);
	int line = resumed ? python.code_line(code, (int)number_of(offset)) : 0;
	object *taken = take_int(offset);
	lines_enter(meter.thread, lines, resumed && line <= 0 ? lines->first : (uint32_t)line, taken ? taken : offset,
		ticks_now());
	give_int(taken);
	return python.none;
}

static object *on_start(object *callable, object *const *arguments, size_t flags, object *names)
{
	(void)callable, (void)flags, (void)names;
	return enter(arguments[0], arguments[1], false);
}

static object *on_resume(object *callable, object *const *arguments, size_t flags, object *names)
{
	(void)callable, (void)flags, (void)names;
	return enter(arguments[0], arguments[1], true);
}

static object *on_leave(object *callable, object *const *arguments, size_t flags, object *names)
{
	(void)callable, (void)flags, (void)names;
	uint64_t now = ticks_now();
	if (meter.session != recorder.session)
		return python.none;
	object *taken = take_int(arguments[1]);
	lines_leave_code(meter.thread, arguments[0], taken ? taken : arguments[1], now);
	give_int(taken);
	return python.none;
}

/* Of all code, since this cannot be had of some. */
static object *on_unwind(object *callable, object *const *arguments, size_t flags, object *names)
{
	bool may_be = meter.session == recorder.session && meter.thread->shared->line_depth;
	return may_be ? on_leave(callable, arguments, flags, names) : python.none;
}

/* As all that follows an exception, it cannot be switched off at a place. */
static object *on_throw(object *callable, object *const *arguments, size_t flags, object *names)
{
	on_resume(callable, arguments, flags, names);
	return python.none;
}

static object *on_line(object *callable, object *const *arguments, size_t flags, object *names)
{
	(void)callable, (void)flags, (void)names;
	if (__builtin_expect(meter.session != recorder.session, 0))
		return python.none;
	object *taken = take_int(arguments[1]);
	lines_hit(meter.thread, arguments[0], number_of(arguments[1]), taken ? taken : arguments[1], ticks_now());
	give_int(taken);
	return python.none;
}

/* Where jumps back go to, by the line; asking takes as long as all else. */
static __thread struct {
	const object *code;
	uint32_t from, generation, line;
} jumps[8] __attribute__((tls_model("initial-exec")));

static uint32_t line_of_target(object *code, uint32_t from, uint32_t to)
{
	unsigned slot = (from >> 1) % (sizeof jumps / sizeof *jumps);
	uint32_t generation = codes_generation;
	if (__builtin_expect(
		    jumps[slot].code == code && jumps[slot].from == from && jumps[slot].generation == generation, 1))
		return jumps[slot].line;
	int line = python.code_line(code, (int)to);
	jumps[slot].code = code;
	jumps[slot].from = from;
	jumps[slot].generation = generation;
	jumps[slot].line = line > 0 ? (uint32_t)line : 0;
	return jumps[slot].line;
}

/* A jump back to the line that the call is in, as of a loop that is written in one, is a hit of it: so says
 * sys.settrace, too. To any other line there is an event of that. */
static object *on_jump(object *callable, object *const *arguments, size_t flags, object *names)
{
	(void)callable, (void)flags, (void)names;
	object *code = arguments[0];
	uint32_t from = number_of(arguments[1]), to = number_of(arguments[2]);
	if (to >= from)
		return monitoring_disable;
	if (__builtin_expect(meter.session == recorder.session, 1) &&
		lines_are_at(meter.thread, code, line_of_target(code, from, to)))
		lines_hit_again(meter.thread);
	return python.none;
}

/* ---- the same, with what is called: all code is heard of all the time ---- */

static object *on_start_all(object *callable, object *const *arguments, size_t flags, object *names)
{
	if (on_start(callable, arguments, flags, names) == monitoring_disable)
		lines_enter_foreign(meter.thread, ticks_now());
	return python.none;
}

static object *on_resume_all(object *callable, object *const *arguments, size_t flags, object *names)
{
	if (on_resume(callable, arguments, flags, names) == monitoring_disable)
		lines_enter_foreign(meter.thread, ticks_now());
	return python.none;
}

static object *on_leave_all(object *callable, object *const *arguments, size_t flags, object *names)
{
	uint64_t now = ticks_now();
	if (meter.session != recorder.session || !meter.thread->shared->line_depth)
		return python.none;
	if (lines_are_in(meter.thread, arguments[0]) || lines_find(arguments[0]))
		return on_leave(callable, arguments, flags, names);
	lines_leave_foreign(meter.thread, now);
	return python.none;
}

/* Of chosen code: what is written in C, which tells of its end. */
static object *on_call(object *callable, object *const *arguments, size_t flags, object *names)
{
	bool descriptor;
	(void)callable, (void)flags, (void)names;
	if (meter.session == recorder.session && lines_are_in(meter.thread, arguments[0]) &&
		meter_definition(arguments[2], &descriptor))
		lines_enter_foreign(meter.thread, ticks_now());
	return python.none;
}

static object *on_c_end(object *callable, object *const *arguments, size_t flags, object *names)
{
	bool descriptor;
	uint64_t now = ticks_now();
	(void)callable, (void)flags, (void)names;
	if (meter.session == recorder.session && lines_are_in(meter.thread, arguments[0]) &&
		meter_definition(arguments[2], &descriptor))
		lines_leave_foreign(meter.thread, now);
	return python.none;
}

const char *lines_monitoring_begin(bool callees)
{
	static const struct listener listeners[] = {
		{ "PY_START", on_start, false },
		{ "PY_RESUME", on_resume, false },
		{ "PY_THROW", on_throw, false },
		{ "PY_RETURN", on_leave, true },
		{ "PY_YIELD", on_leave, true },
		{ "PY_UNWIND", on_unwind, false },
		{ "LINE", on_line, true },
		{ "JUMP", on_jump, true },
	};
	static const struct listener with_callees[] = {
		{ "PY_START", on_start_all, false },
		{ "PY_RESUME", on_resume_all, false },
		{ "PY_THROW", on_resume_all, false },
		{ "PY_RETURN", on_leave_all, false },
		{ "PY_YIELD", on_leave_all, false },
		{ "PY_UNWIND", on_leave_all, false },
		{ "LINE", on_line, true },
		{ "JUMP", on_jump, true },
		{ "CALL", on_call, true },
		{ "C_RETURN", on_c_end, true },
		{ "C_RAISE", on_c_end, true },
	};
	find_first_made();
	if (callees)
		return monitoring_begin(
			with_callees, sizeof with_callees / sizeof *with_callees, /* places_end= */ true);
	return monitoring_begin(listeners, sizeof listeners / sizeof *listeners, /* places_end= */ true);
}
