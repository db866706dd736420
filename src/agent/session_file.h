/* session_file.h: the segment of a session, in the folder that the orders name. */
#pragma once
#include "agent/orders.h"

/* A sentence when it cannot be made, or NULL. */
const char *session_file_open(const struct orders *orders);
