#include "agent/hooks.h"

#include "agent/calls/calls_monitoring.h"
#include "agent/calls/frame_hook.h"
#include "agent/calls/profile_hook.h"
#include "agent/codes/codes.h"
#include "agent/lines/lines_frame_hook.h"
#include "agent/lines/lines_monitoring.h"
#include "agent/lines/lines_trace.h"
#include "agent/python/cover.h"
#include "agent/python/monitoring.h"

/* A way of being told; the first whose version is not newer than ours. */
struct way {
	uint32_t since; /* PY_VERSION_HEX */
	const char *(*begin_calls)(const struct calls_wishes *wishes);
	const char *(*begin_lines)(bool callees);
	void (*end)(void);
	void (*listen)(bool on);
	const char *(*yielded)(void); /* NULL: it never has to */
};
static const struct way ways_of_calls[] = {
	{ 0x030c0000, calls_monitoring_begin, NULL, monitoring_end, monitoring_listen, NULL },
	{ 0x030b0000, profile_hook_begin, NULL, profile_hook_end, profile_hook_listen, cover_yielded },
	{ 0x03080000, frame_hook_begin, NULL, frame_hook_end, frame_hook_listen, NULL },
	{ 0 },
};
static const struct way ways_of_lines[] = {
	{ 0x030c0000, NULL, lines_monitoring_begin, monitoring_end, monitoring_listen, NULL },
	{ 0x030b0000, NULL, lines_trace_begin, lines_trace_end, lines_trace_listen, cover_yielded },
	{ 0x03080000, NULL, lines_frame_hook_begin, lines_frame_hook_end, lines_frame_hook_listen, NULL },
	{ 0 },
};

static const struct way *present; /* NULL: nothing was put in */

/* NULL: this Python is older than all. */
static const struct way *find_way(const struct way *way)
{
	while (way->since && python.version < way->since)
		way++;
	return way->since ? way : NULL;
}

const char *hooks_begin_calls(const struct calls_wishes *wishes)
{
	present = find_way(ways_of_calls);
	if (!present)
		return "calls are counted from Python 3.8 on; `pyrometer record` looks at any version from outside";
	if (wishes->exceptions && python.version < 0x030c0000)
		return "exceptions are counted from Python 3.12 on; calls alone from 3.8 on";
	return codes_begin() ? present->begin_calls(wishes) : "this Python has no room left in its code objects";
}

const char *hooks_begin_lines(bool callees)
{
	present = find_way(ways_of_lines);
	if (!present)
		return "lines are measured from Python 3.8 on; `pyrometer record` looks at any version from outside";
	return codes_begin() ? present->begin_lines(callees) : "this Python has no room left in its code objects";
}

void hooks_end(void)
{
	if (present)
		present->end();
}

const char *hooks_yielded(void)
{
	return present && present->yielded ? present->yielded() : NULL;
}

void hooks_listen(bool on)
{
	if (present)
		present->listen(on);
}

uint32_t hooks_choose(object *code)
{
	bool known;
	uint32_t unit = codes_choose(code, &known);
	if (known && present && present->end == monitoring_end)
		monitoring_restart();
	return unit;
}
