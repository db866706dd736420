/* segment.h: what an agent left, by itself or by the Python package, read as a recording. */
#pragma once
#include "cmd/cmd.h"
#include "cmd/outputs.h"

/* Whether the file is such a segment. */
bool segment_is_it(const char *path);
/* Feeds the outputs with it; what it lacks is said on stderr. */
struct error *segment_read(const char *path, const struct invocation *invocation, struct outputs *outputs);

/* Says on stderr where segments of ours are whose pyrometer is no more: what the recording that it was writing lacks.
 */
void segment_say_left(void);
