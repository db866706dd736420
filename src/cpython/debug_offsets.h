/* debug_offsets.h: the offsets that a 3.13+ interpreter publishes at the start of _PyRuntime.
 *
 * They win over our tables, since a patch release or a distribution may differ; but they are another process's memory:
 * the cookie, the version and every value are checked once, here, and trusted afterwards. */
#pragma once
#include "cpython/layout.h"
#include "os/memory.h"

struct debug_offsets_head {
	uint32_t version_hex;
	bool free_threaded;
};

/* False when there is no such struct at the address. */
bool debug_offsets_head_read(struct memory *memory, uint64_t runtime, struct debug_offsets_head *ret_head);
/* Searches [start, end) for one. */
bool debug_offsets_search(struct memory *memory, uint64_t start, uint64_t end, uint64_t *ret_runtime);
/* Writes what is published over `layout`, which holds the table's row for that version. *ret_published is false when
 * this version publishes nothing. An offset that cannot be right is an error that names it. */
struct error *debug_offsets_apply(struct memory *memory, uint64_t runtime, struct layout *layout, bool *ret_published);
