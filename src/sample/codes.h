/* codes.h: the code objects of one process, by address.
 *
 * A code object is copied once, when it is first seen. Its address may be used again after it was freed, so an entry is
 * good only until its head is seen to differ. The heads of a leaf and, in turn, of one other frame are copied with the
 * frames (reading.c); an entry that turns up anew on a stack is checked by itself, at most every 50 us; and none at all
 * while a 3.14+ target says that no code object has been freed. Where samples follow one another so fast that
 * checks one by one would be a quarter of the work, those of entries that were lately met are made with the frames,
 * shortly before they are due. */
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
	bool watched;
	uint8_t unmet; /* times that it was due since it was met */
};

/* Heads that are read with the looks of fast sampling. */
enum { CODES_WATCHED_MAX = 48, CODES_DUE_MAX = 16 };

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
	/* While `watches`: entries that were lately met, and those of them whose check is due. */
	bool watches;
	unsigned watched_count, due_count;
	size_t watched[CODES_WATCHED_MAX];
	struct code_due {
		uint64_t address;
		bool failed;
		unsigned char bytes[CODE_HEAD_MAX];
	} due[CODES_DUE_MAX];
};

void codes_init(struct codes *codes, struct memory *memory, const struct runtime *runtime, struct registry *registry);
void codes_deinit(struct codes *codes);
/* Forget all: the process has executed another program. */
void codes_clear(struct codes *codes);

/* The entry of a code object, read or checked now if need be. *ret_entry is NULL when there is no code object at that
 * address. Valid until the next call. */
struct error *codes_get(struct codes *codes, uint64_t address, const struct code_entry **ret_entry);

/* Which heads are to be read with this sample: codes->due. */
void codes_choose_due(struct codes *codes);
/* They were. */
void codes_note_due(struct codes *codes);

/* A head that was read with this sample: the entry at that address, if it is still that, needs no check of its own. */
void codes_note_head(struct codes *codes, uint64_t address, const unsigned char *bytes);

/* The code object whose instructions hold an address; 0: none that is known. */
uint64_t codes_find_instruction(struct codes *codes, uint64_t instruction);

/* Whether an offset lies in the code's instructions: a cheap proof that frame and code belong together. */
static inline bool code_entry_has(const struct code_entry *entry, const struct layout *layout, int64_t offset)
{
	return offset >= -1 &&
	       (layout->code.code_adaptive == LAYOUT_NONE || offset < (int64_t)entry->head.instructions);
}
