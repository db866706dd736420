/* lines_hooks.h: being told of lines (agent/hooks.h). */
#pragma once
#include <stdbool.h>

/* `callees`: and of the time that these lines spend in what they call. A sentence when it cannot be done, or NULL. */
const char *lines_hooks_begin(bool callees);
