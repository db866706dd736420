/* tallies.h: tallies of calls, as they come in. */
#pragma once
#include "profile/profile.h"

/* Whether an EVENT_TALLY is one of calls. */
bool profile_is_tally(const struct event *event);
/* Rows of what tallies say, for views: each path's own time, what measuring cost taken off, and its calls as count and
 * as samples. Replaces the rows that are there. */
struct error *profile_make_call_rows(struct profile *profile);
/* What a call of this path costs because it is measured. */
const struct profile_call_cost *profile_cost_of(const struct profile *profile, const struct profile_tally *tally);
/* Such an event, which refers to what is there. */
struct error *profile_add_tally(struct profile *profile, const struct event *event);
