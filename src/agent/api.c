/* api.c: what the Python package calls, by ctypes, with the GIL held: the session that a program begins itself, and
 * regions of what is counted in it. Sentences are static texts; NULL: all went well.
 *
 * Calls are listened to while a region is open. Where `pyrometer calls` counts the whole program anyway, its session
 * serves the regions, too, and goes on after them. */
#include <pthread.h>

#include "agent/calls/region.h"
#include "agent/codes/codes.h"
#include "agent/hooks.h"
#include "agent/lines/lines.h"
#include "agent/segment/recorder.h"
#include "agent/session.h"

#define EXPORT __attribute__((visibility("default")))

enum { API_VERSION = 2 };

EXPORT int pyrometer_version(void);
EXPORT const char *pyrometer_begin(const char *orders);
EXPORT int pyrometer_is_on(void);
EXPORT int pyrometer_is_of_lines(void);
EXPORT const char *pyrometer_region_choose(struct region *region, object *code);
EXPORT void pyrometer_set_package(const char *folder);
EXPORT struct region *pyrometer_region_create(unsigned flags);
EXPORT const char *pyrometer_region_enter(struct region *region);
EXPORT const char *pyrometer_region_leave(struct region *region);
EXPORT const char *pyrometer_region_clear(struct region *region);
EXPORT const char *pyrometer_region_write(struct region *region, const char *path);
EXPORT void pyrometer_region_destroy(struct region *region);

static uint32_t own_session; /* one that the program itself began */
static bool beginning;	     /* it measures itself first, and lets other threads run meanwhile */

static bool is_own(void)
{
	return recorder_is_on() && own_session == recorder.sessions;
}

/* In a process that was not started with the agent in it. */
static bool prepare(void)
{
	static bool done;
	if (!done && python_find()) {
		pthread_atfork(NULL, NULL, recorder_forget);
		done = true;
	}
	return done;
}

int pyrometer_version(void)
{
	return API_VERSION;
}

int pyrometer_is_on(void)
{
	return recorder_is_on() && !beginning;
}

int pyrometer_is_of_lines(void)
{
	return recorder.head && recorder.head->mode == SEGMENT_LINES;
}

/* Of lines: the code is measured, and in the region. */
const char *pyrometer_region_choose(struct region *region, object *code)
{
	uint32_t unit = hooks_choose(code);
	return unit && region_choose(region, unit) ? NULL : "there is no room for what is measured";
}

void pyrometer_set_package(const char *folder)
{
	codes_set_package(folder);
}

const char *pyrometer_begin(const char *text)
{
	static struct orders orders;
	if (recorder_is_on())
		return NULL;
	if (!prepare() || !orders_read(&orders, text))
		return "this Python cannot be looked into from inside";
	if (python.free_threaded)
		return "regions are not counted in a Python without the GIL: `pyrometer calls` counts whole programs there";
	hooks_end(); /* in the child of a fork, what the parent listened with */
	beginning = true;
	const char *why = session_begin(&orders);
	beginning = false;
	if (why) {
		hooks_end();
		return why;
	}
	own_session = recorder.sessions;
	hooks_listen(false);
	return NULL;
}

struct region *pyrometer_region_create(unsigned flags)
{
	return region_create(flags);
}

const char *pyrometer_region_enter(struct region *region)
{
	if (python.free_threaded)
		return "regions are not counted in a Python without the GIL";
	unsigned open = region_count_open();
	if (is_own() && !open)
		hooks_listen(true);
	const char *why = region_enter(region);
	if (is_own() && !region_count_open())
		hooks_listen(false);
	return why;
}

/* Calls that are under way now will return unseen. */
static void stop_listening(void)
{
	hooks_listen(false);
	if (pyrometer_is_of_lines())
		lines_leave_all();
	recorder_leave_all();
}

const char *pyrometer_region_leave(struct region *region)
{
	unsigned open = region_count_open();
	const char *why = region_leave(region);
	if (is_own() && open && !region_count_open())
		stop_listening();
	return why;
}

const char *pyrometer_region_clear(struct region *region)
{
	return region_clear(region);
}

const char *pyrometer_region_write(struct region *region, const char *path)
{
	return region_write(region, path);
}

/* A region that is open is left by whoever is in it. */
void pyrometer_region_destroy(struct region *region)
{
	unsigned open = region_count_open();
	region_destroy(region);
	if (is_own() && open && !region_count_open())
		stop_listening();
}
