/* line_tallies.h: tallies of lines, as they come in. */
#pragma once
#include "profile/profile.h"

/* Whether an EVENT_TALLY is one of lines. */
bool profile_is_line(const struct event *event);
/* Such an event, which refers to what is there. */
struct error *profile_add_line(struct profile *profile, const struct event *event);
