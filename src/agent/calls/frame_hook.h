/* frame_hook.h: calls of 3.8 to 3.10: a function of ours in the place of the one that evaluates frames (PEP 523), for
 * all threads. Builtins are heard of through the profile function, which is handed on to another tool that sets one. */
#pragma once
#include <stdbool.h>

#include "agent/calls/calls_hooks.h"

/* With the GIL, as all here. A sentence when it cannot be done, or NULL. */
const char *frame_hook_begin(const struct calls_wishes *wishes);
/* Takes out what is still ours. */
void frame_hook_end(void);
/* Whether events come. */
void frame_hook_listen(bool on);
