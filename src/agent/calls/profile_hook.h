/* profile_hook.h: calls of 3.11: a profile function of C in every thread state. (A function in the place of the one
 * that evaluates frames makes each call of Python recurse in C there, and programs crash that recurse deep.) There is
 * one place a thread, and the program's own tool wins it. */
#pragma once
#include <stdbool.h>

#include "agent/calls/calls_hooks.h"

/* With the GIL, as all here. A sentence when it cannot be done, or NULL. */
const char *profile_hook_begin(const struct calls_wishes *wishes);
/* Takes out what is still ours. */
void profile_hook_end(void);
/* Whether events come. */
void profile_hook_listen(bool on);
