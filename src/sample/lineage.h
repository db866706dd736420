/* lineage.h: which processes the members of a family start, execute and end. Part of family.h. */
#pragma once
#include "sample/family.h"

/* Adds children that are new, and notes executions and ends; what is over a few hundred waits after the time `until`
 * (CLOCK_MONOTONIC). `now`: event time. Errors are of memory. */
struct error *lineage_find(struct family *family, uint64_t now, uint64_t until);
