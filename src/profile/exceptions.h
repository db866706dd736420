/* exceptions.h: tallies of exceptions, as they come in. */
#pragma once
#include "profile/profile.h"

/* Whether an EVENT_TALLY is one of exceptions. */
bool profile_is_exception(const struct event *event);
/* Such an event, which refers to what is there. */
struct error *profile_add_exception(struct profile *profile, const struct event *event);
