/* meter.h: from what an interpreter says of its calls to the recorder: whose thread, which code. Always with the GIL,
 * or attached, and on the way of every call. */
#pragma once
#include "agent/codes/codes.h"
#include "agent/segment/ticks.h"

struct meter {
	uint32_t session; /* whose segment `thread` is in */
	struct recorder_thread *thread;
	struct codes_cache *cache;
};
extern __thread struct meter meter __attribute__((tls_model("initial-exec")));

/* Around what we ask of the interpreter and of libc for ourselves, where that is not to be measured. */
extern void (*meter_on_own_work)(bool begins); /* NULL: it is nothing that is measured */
static inline void meter_own_work(bool begins)
{
	if (meter_on_own_work)
		meter_on_own_work(begins);
}

/* `listed`: readers find the thread. */
bool meter_begin_thread(bool listed);

/* What this thread has is given back; its next event begins it again. */
void meter_end_thread(void *unused);

/* For calibration: between the first and the last, what this thread does goes to trees that nobody reads, a new one
 * from each use. NULL: no room. */
void meter_set_aside(void);
struct recorder_thread *meter_use_spare_thread(void);
void meter_take_back(void);

/* Out of a call that is not the innermost: events that came before we did, or that another tool kept from us, leave no
 * trace. */
void meter_leave_outer(uint32_t unit, enum recorder_leave how, uint64_t now);

static inline bool meter_is_on(void)
{
	return __builtin_expect(meter.session == recorder.session, 1) || meter_begin_thread(true);
}

static inline void meter_enter_unit(uint32_t unit, bool resumed)
{
	if (unit)
		recorder_enter(meter.thread, unit, resumed, ticks_now());
}

static inline void meter_leave_unit(uint32_t unit, enum recorder_leave how, uint64_t now)
{
	/* The root is no call, and has no code. */
	if (__builtin_expect(meter.thread->node->code == unit && unit, 1))
		recorder_leave(meter.thread, how, now);
	else if (unit)
		meter_leave_outer(unit, how, now);
}

/* False: the code is left out, and so is all that it calls. */
static inline bool meter_enter(object *code, bool resumed)
{
	uint32_t unit = 0;
	if (!meter_is_on())
		return true;
	if (!(unit = codes_get(meter.cache, code)))
		return false;
	meter_enter_unit(unit, resumed);
	return true;
}

static inline bool meter_leave(object *code, enum recorder_leave how)
{
	uint64_t now = ticks_now();
	uint32_t unit = 0;
	if (meter.session != recorder.session)
		return true;
	if (!(unit = codes_get(meter.cache, code)))
		return false;
	meter_leave_unit(unit, how, now);
	return true;
}

/* Whether what this code calls is counted. */
static inline bool meter_wants(object *code)
{
	return !meter_is_on() || codes_get(meter.cache, code);
}

/* The PyMethodDef of what is called, or NULL: Python code, which has events of its own, or a type. */
static inline const void *meter_definition(object *callable, bool *ret_descriptor)
{
	enum { DESCRIPTOR_METHOD = 24 };
	const object *type = python_type(callable);
	*ret_descriptor = type == python.method_descriptor_type;
	return *ret_descriptor ? python_field(callable, DESCRIPTOR_METHOD)
	       : type == python.function_type || type == python.method_function_type ? python_field(callable, 0)
										     : NULL;
}

static inline void meter_enter_builtin(object *callable)
{
	bool descriptor;
	const void *definition = meter_definition(callable, &descriptor);
	if (definition && meter_is_on())
		meter_enter_unit(codes_get_builtin(meter.cache, definition, callable, descriptor), false);
}

static inline void meter_leave_builtin(object *callable, enum recorder_leave how)
{
	uint64_t now = ticks_now();
	bool descriptor;
	const void *definition = meter_definition(callable, &descriptor);
	if (definition && meter.session == recorder.session)
		meter_leave_unit(codes_get_builtin(meter.cache, definition, callable, descriptor), how, now);
}
