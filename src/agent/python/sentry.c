#include "agent/python/sentry.h"

static const char key[] = "pyrometer";

static struct {
	object *(*new_capsule)(void *pointer, const char *name, void (*destructor)(object *));
	void *(*pointer_of)(object *capsule, const char *name);
	int (*set_name)(object *capsule, const char *name);
	int (*set)(object *dict, const char *key, object *value);
	int (*remove)(object *dict, const char *key);
} functions;
static void (*on_end)(thread_state *);

static bool find_functions(void)
{
	const struct python_symbol wanted[] = {
		{ "PyCapsule_New", (void **)&functions.new_capsule },
		{ "PyCapsule_GetPointer", (void **)&functions.pointer_of },
		{ "PyCapsule_SetName", (void **)&functions.set_name },
		{ "PyDict_SetItemString", (void **)&functions.set },
		{ "PyDict_DelItemString", (void **)&functions.remove },
	};
	return functions.remove || python_look_up(wanted, sizeof wanted / sizeof *wanted);
}

/* Its name is gone when it was taken out, and not its thread's end. */
static void on_destruction(object *capsule)
{
	thread_state *thread = functions.pointer_of(capsule, key);
	if (thread)
		on_end(thread);
	else
		python.clear_error();
}

/* As the interpreter itself makes it when it is first asked for; NULL: no memory. Borrowed. */
static object *dict_of(thread_state *thread)
{
	char *place = (char *)thread + old_python.at.tstate_dict;
	object *dict = old_python_word(place, 0);
	if (dict)
		return dict;
	dict = python.new_dict();
	memcpy(place, &dict, sizeof dict);
	return dict;
}

bool sentry_put(thread_state *thread, void (*ended)(thread_state *))
{
	object *error[3];
	if (!find_functions())
		return false;
	on_end = ended;
	python.fetch_error(&error[0], &error[1], &error[2]);
	object *dict = dict_of(thread), *capsule = dict ? functions.new_capsule(thread, key, on_destruction) : NULL;
	bool done = capsule && functions.set(dict, key, capsule) == 0;
	if (capsule && !done)
		functions.set_name(capsule, NULL);
	if (capsule)
		python.forget(capsule);
	python.clear_error();
	python.restore_error(error[0], error[1], error[2]);
	return done;
}

bool sentry_is_in(thread_state *thread)
{
	object *dict = old_python_word(thread, old_python.at.tstate_dict);
	return dict && python.dict_get(dict, key);
}

void sentry_take(thread_state *thread)
{
	object *error[3], *dict = old_python_word(thread, old_python.at.tstate_dict);
	if (!dict || !find_functions())
		return;
	python.fetch_error(&error[0], &error[1], &error[2]);
	object *capsule = python.dict_get(dict, key);
	if (capsule) {
		functions.set_name(capsule, NULL);
		functions.remove(dict, key);
	}
	python.clear_error();
	python.restore_error(error[0], error[1], error[2]);
}
