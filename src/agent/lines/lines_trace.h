/* lines_trace.h: lines of 3.11, by a trace function in each thread state. */
#pragma once
#include <stdbool.h>

/* With the GIL, as all here. A sentence when it cannot be done, or NULL. */
const char *lines_trace_begin(bool callees);
void lines_trace_end(void);
void lines_trace_listen(bool on);
