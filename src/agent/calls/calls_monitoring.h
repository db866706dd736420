/* calls_monitoring.h: calls of 3.12 and newer, by sys.monitoring; monitoring_end() and monitoring_listen() as for all
 * that uses it. */
#pragma once
#include "agent/calls/calls_hooks.h"

/* With the GIL. A sentence when it cannot be done, or NULL. */
const char *calls_monitoring_begin(const struct calls_wishes *wishes);
