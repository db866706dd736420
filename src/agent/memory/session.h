/* session.h: what api.c needs of the session of `memory` (session.c). */
#pragma once
#include "agent/session.h"

/* Opens a segment and puts the hooks in. With `inside` counted. A sentence when it cannot be done, or NULL. */
const char *memory_session_open(const struct orders *orders);
/* In the child of a fork. */
void memory_session_forget_threads(void);
/* Where the session's segment lies, and pyrometer's links to its recordings; "": there is none. */
const char *memory_session_folder(void);
