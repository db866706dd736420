/* foreign.h: files that are no recordings of ours and can be reported like one: what cProfile, line_profiler and mprof
 * write.
 */
#pragma once
#include "cmd/outputs.h"

/* *ret_title stays NULL when it is no such file, which is then to be read as a recording; else it says which file it
 * is, as pstats does, and is the caller's to free. */
struct error *foreign_read(const char *path, struct outputs *outputs, char **ret_title);
