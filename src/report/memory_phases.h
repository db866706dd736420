/* memory_phases.h: the phases that a program has told of (pyrometer.mark()), each with its own peak. */
#pragma once
#include "profile/memory.h"
#include "report/page.h"

/* A table; nothing when there are none. */
void memory_phases_add(struct page *page);
/* `,"phases":[...]` */
void memory_phases_add_json(struct buffer *out, const struct profile *profile);
