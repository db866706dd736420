/* calls_hooks.h: being told of calls (agent/hooks.h). */
#pragma once
#include <stdbool.h>

struct calls_wishes {
	bool builtins;
	bool exceptions; /* from 3.12 on */
};

/* A sentence when it cannot be done, or NULL. */
const char *calls_hooks_begin(const struct calls_wishes *wishes);
