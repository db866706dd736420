/* hooks.h: being told of calls or of lines, in the way that this version of Python has. With the GIL, as all here. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "agent/python/python.h"

/* A way of being told. */
struct hooks_way {
	uint32_t since; /* PY_VERSION_HEX; 0 ends a list */
	/* `wishes`: what hooks_begin() was given. A sentence when it cannot be done, or NULL. */
	const char *(*begin)(const void *wishes);
	void (*end)(void);
	void (*listen)(bool on);
	const char *(*yielded)(void); /* NULL: it never has to */
};

/* In the first of these ways whose version is not newer than ours; `too_old`: the sentence when there is none. */
const char *hooks_begin(const struct hooks_way *ways, const void *wishes, const char *too_old);
/* Takes everything out again that is still ours. */
void hooks_end(void);
/* Why not all was heard that is to be: a tool of the program's own has taken our place. NULL: all was. */
const char *hooks_yielded(void);
/* Whether events come. */
void hooks_listen(bool on);
/* This code is measured from now on (codes_choose()), also if it has begun before and nothing more was to be heard of
 * it. Its unit, or 0. */
uint32_t hooks_choose(object *code);
