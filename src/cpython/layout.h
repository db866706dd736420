/* layout.h: where CPython keeps what we read, by version.
 *
 * The rows are data, printed by tools/layouts from each version's own headers (layouts.h, generated). From 3.13 on the
 * target publishes most of them itself; debug_offsets.c reads those as hostile input and lets them win. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define LAYOUT_NONE UINT32_MAX

/* A group of fields for each struct: layout.tstate.frame. */
struct layout {
	uint16_t version; /* major << 8 | minor */
	bool free_threaded;
#include "cpython/layout_groups.h"
};

/* The row for a version, or NULL. */
const struct layout *layout_find(uint16_t version, bool free_threaded);
