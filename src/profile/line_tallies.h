/* line_tallies.h: tallies of lines, as they come in. */
#pragma once
#include "profile/profile.h"

/* Whether an EVENT_TALLY is one of lines. */
bool profile_is_line(const struct event *event);
/* Adds up memory at ends of a line: the most of several threads or processes; of a function's first entry the least. 0
 * is not measured. */
void profile_add_line_usage(uint64_t *usage, uint64_t more, bool is_function);
/* Such an event, which refers to what is there. */
struct error *profile_add_line(struct profile *profile, const struct event *event);
