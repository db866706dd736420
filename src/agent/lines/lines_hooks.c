#include "agent/lines/lines_hooks.h"

#include "agent/hooks.h"
#include "agent/lines/lines_frame_hook.h"
#include "agent/lines/lines_monitoring.h"
#include "agent/lines/lines_trace.h"
#include "agent/python/cover.h"
#include "agent/python/monitoring.h"

static const char *begin_monitoring(const void *callees)
{
	return lines_monitoring_begin(*(const bool *)callees);
}

static const char *begin_trace(const void *callees)
{
	return lines_trace_begin(*(const bool *)callees);
}

static const char *begin_frame_hook(const void *callees)
{
	return lines_frame_hook_begin(*(const bool *)callees);
}

const char *lines_hooks_begin(bool callees)
{
	static const struct hooks_way ways[] = {
		{ 0x030c0000, begin_monitoring, monitoring_end, monitoring_listen, NULL },
		{ 0x030b0000, begin_trace, lines_trace_end, lines_trace_listen, cover_yielded },
		{ 0x03080000, begin_frame_hook, lines_frame_hook_end, lines_frame_hook_listen, NULL },
		{ 0 },
	};
	return hooks_begin(ways, &callees,
		"lines are measured from Python 3.8 on; `pyrometer record` looks at any version from outside");
}
