/* stand_in.h: `profile`, as scripts that were written for line_profiler or memory_profiler have it: a builtin, and what
 * they import from these, be they installed or not. It marks functions: once one is marked, only those are measured
 * that are, and those that a pattern names. */
#pragma once

/* With the GIL, in a program that begins, and with lines being measured. Where it cannot be done, scripts are left as
 * they are. */
void stand_in_put(void);
