/* codes.h: the code objects of one process, by address.
 *
 * A code object is copied once, when it is first seen. Its address may be used again after it was freed, so an entry is
 * good only until its head is seen to differ: a check reads the head again, at most every 50 us for each entry
 * that turns up anew on a stack, and in turn for one of those that stay, and not at all while a 3.14+ target says that
 * no code object has been freed. */
#pragma once
#include "base/map.h"
#include "cpython/code.h"
#include "sample/registry.h"

struct code_entry {
	uint64_t address;
	struct code_head head;
	uint32_t id;	     /* of the recording; 0: what stood there was no code object */
	uint64_t checked_at; /* ns */
	uint64_t generation; /* of the process when it was checked */
};

struct codes {
	struct memory *memory;
	const struct runtime *runtime;
	struct registry *registry;
	struct map by_address; /* -> index into entries */
	VEC(struct code_entry) entries;
	VEC(uint64_t) sorted; /* addresses of all entries, rebuilt when a search needs it */
	uint64_t now;	      /* of this sample */
	uint64_t generation;  /* the target's _code_object_generation (3.14+); 0 where it has none */
	bool has_generation;
};

void codes_init(struct codes *codes, struct memory *memory, const struct runtime *runtime, struct registry *registry);
void codes_deinit(struct codes *codes);
/* Forget all: the process has executed another program. */
void codes_clear(struct codes *codes);

/* The entry of a code object, read or checked now if need be. *ret_entry is NULL when there is no code object at that
 * address. Valid until the next call. */
struct error *codes_get(struct codes *codes, uint64_t address, const struct code_entry **ret_entry);

/* The code object whose instructions hold an address; 0: none that is known. */
uint64_t codes_find_instruction(struct codes *codes, uint64_t instruction);

/* Whether an offset lies in the code's instructions: a cheap proof that frame and code belong together. */
static inline bool code_entry_has(const struct code_entry *entry, const struct layout *layout, int64_t offset)
{
	return offset >= -1 &&
	       (layout->code.code_adaptive == LAYOUT_NONE || offset < (int64_t)entry->head.instructions);
}
