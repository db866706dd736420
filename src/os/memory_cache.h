/* memory_cache.h: a view of another memory that remembers what it has read, in whole lines, for what is looked through
 * once and field by field: tables of symbols, dictionaries, objects. What it says may be as old as its last
 * memory_cache_clear(). */
#pragma once
#include "os/memory.h"

/* The memory below stays its owner's and must outlive the view. */
struct error *memory_open_cache(struct memory *below, struct memory **ret);
/* Forgets all: what is read from now on is what stands there now. */
void memory_cache_clear(struct memory *cache);
