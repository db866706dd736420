/* followed.h: lines of chosen code, put into the stream among the allocations, so that whoever reads it sees what each
 * line made of the thread's memory. */
#pragma once
#include "agent/orders.h"

/* With the GIL, in a session that is open. A sentence when it cannot be done, or NULL. */
const char *followed_begin(const struct orders *orders);
