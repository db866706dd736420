#include "agent/python/old_python.h"

#include <dlfcn.h>

#include "agent/old_libc.h"

struct old_python old_python;

static bool find_layout(void)
{
	for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
		if (layouts[i].version == python.version >> 16) {
			old_python.at = layouts[i];
			return true;
		}
	return false;
}

static bool find_functions(void)
{
	const struct python_symbol wanted[] = {
		{ "_PyThreadState_UncheckedGet", (void **)&old_python.current_thread },
		{ "PyInterpreterState_ThreadHead", (void **)&old_python.first_thread },
		{ "PyThreadState_Next", (void **)&old_python.next_thread },
	};
	return python_look_up(wanted, sizeof wanted / sizeof *wanted);
}

const char *old_python_find(void)
{
	void *(*main_interpreter)(void) = (void *(*)(void))dlsym(RTLD_DEFAULT, "PyInterpreterState_Main");
	if (!main_interpreter || !find_functions())
		return "this Python lacks functions that counting calls needs";
	old_python.interpreter = main_interpreter();
	old_python.runtime = dlsym(RTLD_DEFAULT, "_PyRuntime");
	/* Builds for debugging may have other structs: what is known of them must be where it should be. */
	const thread_state *thread = old_python.current_thread();
	if (!find_layout() || !thread || !old_python.runtime ||
		old_python_word(thread, old_python.at.tstate_interp) != old_python.interpreter ||
		old_python_number(thread) - 1 >= old_python_threads_made())
		return "this build of Python is not laid out as others of its version are";
	return NULL;
}

/* Whether the interpreter looks for a trace or profile function at all. While one runs it does not, and sets that anew
 * behind it. */
static void set_tracing(thread_state *thread, bool on)
{
	const struct layout *at = &old_python.at;
	if (old_python_int(thread, at->tstate_tracing))
		return;
	if (at->tstate_cframe == LAYOUT_NONE) {
		memcpy((char *)thread + at->tstate_use_tracing, &(int){ on }, sizeof(int));
		return;
	}
	char *place = (char *)old_python_word(thread, at->tstate_cframe) + at->cframe_use_tracing;
	if (at->pyframe_iframe == LAYOUT_NONE)
		memcpy(place, &(int){ on }, sizeof(int));
	else
		*(uint8_t *)place = on ? 255 : 0;
}

void old_python_set_profile(thread_state *thread, profile_function function)
{
	memcpy((char *)thread + old_python.at.tstate_profile_function, &function, sizeof function);
	set_tracing(thread, function || old_python_word(thread, old_python.at.tstate_trace_function));
}

/* 3.8 and 3.9 look at trace functions only while they are possible at all: a number of threads, in the runtime or in
 * the interpreter. */
static int *possible(void)
{
	const struct layout *at = &old_python.at;
	if (at->interp_tracing_possible != LAYOUT_NONE)
		return (int *)(old_python.interpreter + at->interp_tracing_possible);
	return at->runtime_tracing_possible == LAYOUT_NONE ? NULL
							   : (int *)(old_python.runtime + at->runtime_tracing_possible);
}

void old_python_set_trace(thread_state *thread, profile_function function)
{
	int *count = possible();
	if (count)
		*count += (function != NULL) - (old_python_trace(thread) != NULL);
	memcpy((char *)thread + old_python.at.tstate_trace_function, &function, sizeof function);
	set_tracing(thread, function || old_python_profile(thread));
}
