/* hooks.h: being told of calls or of lines, in the way that this version of Python has. With the GIL, as all here. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "agent/python/python.h"

struct calls_wishes {
	bool builtins;
	bool exceptions; /* from 3.12 on */
};

/* A sentence when it cannot be done, or NULL. */
const char *hooks_begin_calls(const struct calls_wishes *wishes);
/* `callees`: and of the time that these lines spend in what they call. */
const char *hooks_begin_lines(bool callees);
/* Takes everything out again that is still ours. */
void hooks_end(void);
/* Why not all was heard that is to be: a tool of the program's own has taken our place. NULL: all was. */
const char *hooks_yielded(void);
/* Whether events come. */
void hooks_listen(bool on);
/* This code is measured from now on (codes_choose()), also if it has begun before and nothing more was to be heard of
 * it. Its unit, or 0. */
uint32_t hooks_choose(object *code);
