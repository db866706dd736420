/* segment.h: what an agent left, by itself or by the Python package, read as a recording. */
#pragma once
#include "cmd/cmd.h"
#include "cmd/outputs.h"

/* Whether the file is such a segment. */
bool segment_is_it(const char *path);
/* Feeds the outputs with it; what it lacks is said on stderr. */
struct error *segment_read(const char *path, const struct invocation *invocation, struct outputs *outputs);

/* Notes in the folder of the segments which recordings they belong to. */
struct error *segment_link(const char *folder, const struct outputs *outputs);
/* Says on stderr where segments are whose pyrometer is no more while it was writing this file: what the file lacks. */
void segment_say_left(const char *recording);
