#include "agent/python/monitoring.h"

static const char tool_name[] = "pyrometer";
static int tool = -1;
static long wanted, wanted_local; /* events */
static struct listener heard[MONITORING_LISTENERS];
static size_t heard_count;
object *monitoring_disable;

/* A callable whose call is one jump: an object of our own type, with the function in it. */
static object *make_callable(vectorcall function)
{
	static object *type;
	static struct {
		const char *name;
		int type;
		ptrdiff_t offset;
		int flags;
		const char *doc;
	} members[2];
	static struct {
		int slot;
		void *value;
	} slots[3];
	static struct {
		const char *name;
		int size, item_size;
		unsigned flags;
		void *slots;
	} spec;
	enum { MEMBER_SSIZE = 19, READ_ONLY = 1, SLOT_CALL = 50, SLOT_MEMBERS = 72, HAS_VECTORCALL = 1 << 11 };
	if (!type) {
		members[0].name = "__vectorcalloffset__";
		members[0].type = MEMBER_SSIZE;
		members[0].offset = (ptrdiff_t)python.head;
		members[0].flags = READ_ONLY;
		slots[0].slot = SLOT_CALL;
		slots[0].value = (void *)python.vector_call;
		slots[1].slot = SLOT_MEMBERS;
		slots[1].value = members;
		spec.name = "pyrometer.listener";
		spec.size = (int)(python.head + sizeof function);
		spec.flags = HAS_VECTORCALL;
		spec.slots = slots;
		type = python.make_type(&spec);
	}
	object *callable = type ? python.allocate(type, 0) : NULL;
	if (callable)
		memcpy((char *)callable + python.head, &function, sizeof function);
	return callable;
}

/* Of the tools that nothing else is meant for, one that is free; -1: none. */
static int take_tool(object *monitoring)
{
	static const int candidates[] = { 4, 3, 2 };
	for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
		object *done = python.call_method(monitoring, "use_tool_id", "is", candidates[i], tool_name);
		if (done) {
			python.forget(done);
			return candidates[i];
		}
		python.clear_error();
	}
	return -1;
}

static bool listen(object *monitoring, object *events, const struct listener *listener)
{
	object *number = python.get_attribute(events, listener->event), *callable = make_callable(listener->function),
	       *done = NULL;
	if (number && callable) {
		long event = python.as_long(number);
		wanted |= listener->local ? 0 : event;
		wanted_local |= listener->local ? event : 0;
		done = python.call_method(monitoring, "register_callback", "ilO", tool, event, callable);
	}
	object *all[] = { number, callable, done };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i])
			python.forget(all[i]);
	return done;
}

static bool set_events(object *monitoring, long set)
{
	object *done = python.call_method(monitoring, "set_events", "il", tool, set);
	if (done)
		python.forget(done);
	else
		python.clear_error();
	return done;
}

void monitoring_restart(void)
{
	object *monitoring = tool >= 0 ? python.sys_get("monitoring") : NULL;
	object *done = monitoring ? python.call_method(monitoring, "restart_events", NULL) : NULL;
	if (done)
		python.forget(done);
	python.clear_error();
}

/* What an earlier session switched off: only then, because of the other tools. */
static void restart(bool places_end)
{
	static bool ended;
	if (ended)
		monitoring_restart();
	ended = places_end;
}

const char *monitoring_begin(const struct listener *listeners, size_t count, bool places_end)
{
	object *monitoring = python.sys_get("monitoring");
	object *events = monitoring ? python.get_attribute(monitoring, "events") : NULL;
	if (!events)
		return "this Python cannot be asked for its calls";
	monitoring_disable = python.get_attribute(monitoring, "DISABLE"); /* immortal */
	tool = take_tool(monitoring);
	bool ok = tool >= 0 && monitoring_disable && count <= MONITORING_LISTENERS;
	heard_count = ok ? count : 0;
	for (size_t i = 0; ok && i < count; i++) {
		heard[i] = listeners[i];
		ok = listen(monitoring, events, &listeners[i]);
	}
	python.forget(events);
	if (ok && set_events(monitoring, wanted)) {
		restart(places_end);
		return NULL;
	}
	python.clear_error();
	return tool < 0 ? "all tools of sys.monitoring are taken" : "sys.monitoring refused";
}

bool monitoring_listen_in(object *code)
{
	object *monitoring = tool >= 0 ? python.sys_get("monitoring") : NULL;
	object *done = monitoring ? python.call_method(monitoring, "set_local_events", "iOl", tool, code, wanted_local)
				  : NULL;
	if (done)
		python.forget(done);
	else
		python.clear_error();
	return done;
}

/* Whether the tool still has our name: a program may have taken it over. */
static bool is_ours(object *monitoring)
{
	object *name = python.call_method(monitoring, "get_tool", "i", tool);
	ptrdiff_t size;
	const char *text = name && name != python.none ? python.text(name, &size) : NULL;
	bool ours = text && strcmp(text, tool_name) == 0;
	if (name)
		python.forget(name);
	python.clear_error();
	return ours;
}

static void forget_callback(object *monitoring, object *events, const struct listener *listener)
{
	object *number = python.get_attribute(events, listener->event), *before = NULL;
	if (number)
		before = python.call_method(
			monitoring, "register_callback", "ilO", tool, python.as_long(number), python.none);
	if (before)
		python.forget(before);
	if (number)
		python.forget(number);
}

void monitoring_end(void)
{
	object *monitoring = tool >= 0 ? python.sys_get("monitoring") : NULL;
	object *events = monitoring && is_ours(monitoring) ? python.get_attribute(monitoring, "events") : NULL;
	if (events) {
		set_events(monitoring, 0);
		for (size_t i = 0; i < heard_count; i++)
			forget_callback(monitoring, events, &heard[i]);
		object *done = python.call_method(monitoring, "free_tool_id", "i", tool);
		if (done)
			python.forget(done);
		python.forget(events);
	}
	python.clear_error();
	tool = -1;
	wanted = wanted_local = 0;
	heard_count = 0;
}

void monitoring_listen(bool on)
{
	object *monitoring = tool >= 0 ? python.sys_get("monitoring") : NULL;
	if (monitoring)
		set_events(monitoring, on ? wanted : 0);
}
