/* lines_monitoring.h: lines of 3.12 and newer, by sys.monitoring: only code that was chosen has events. */
#pragma once
#include <stdbool.h>

/* With the GIL. A sentence when it cannot be done, or NULL. */
const char *lines_monitoring_begin(bool callees);
