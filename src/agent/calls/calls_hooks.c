#include "agent/calls/calls_hooks.h"

#include "agent/calls/calls_monitoring.h"
#include "agent/calls/frame_hook.h"
#include "agent/calls/profile_hook.h"
#include "agent/hooks.h"
#include "agent/python/cover.h"
#include "agent/python/monitoring.h"

static const char *begin_monitoring(const void *wishes)
{
	return calls_monitoring_begin(wishes);
}

static const char *begin_profile_hook(const void *wishes)
{
	return profile_hook_begin(wishes);
}

static const char *begin_frame_hook(const void *wishes)
{
	return frame_hook_begin(wishes);
}

const char *calls_hooks_begin(const struct calls_wishes *wishes)
{
	static const struct hooks_way ways[] = {
		{ 0x030c0000, begin_monitoring, monitoring_end, monitoring_listen, NULL },
		{ 0x030b0000, begin_profile_hook, profile_hook_end, profile_hook_listen, cover_yielded },
		{ 0x03080000, begin_frame_hook, frame_hook_end, frame_hook_listen, NULL },
		{ 0 },
	};
	if (wishes->exceptions && python.version < 0x030c0000 && python.version >= 0x03080000)
		return "exceptions are counted from Python 3.12 on; calls alone from 3.8 on";
	return hooks_begin(ways, wishes,
		"calls are counted from Python 3.8 on; `pyrometer record` looks at any version from outside");
}
