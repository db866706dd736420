#include "inject/live.h"

#include <stdlib.h>

enum { SLOTS_FIRST = 1 << 12 };

static size_t slot_of(const struct live *live, uint64_t address)
{
	uint64_t h = (address >> 4) * 0x9e3779b97f4a7c15u;
	return (size_t)(h >> 20) & live->mask;
}

struct live_block *live_find(const struct live *live, uint64_t address)
{
	if (!live->slots)
		return NULL;
	for (size_t i = slot_of(live, address);; i = (i + 1) & live->mask) {
		struct live_block *block = &live->slots[i];
		if (block->address == address)
			return block;
		if (!block->address)
			return NULL;
	}
}

static void put(struct live *live, const struct live_block *block)
{
	size_t i = slot_of(live, block->address);
	while (live->slots[i].address)
		i = (i + 1) & live->mask;
	live->slots[i] = *block;
}

static bool grow(struct live *live)
{
	struct live before = *live;
	size_t room = before.slots ? before.mask + 1 : 0, wanted = before.slots ? 2 * room : SLOTS_FIRST;
	struct live_block *slots = calloc(wanted, sizeof *slots);
	if (!slots)
		return false;
	live->slots = slots;
	live->mask = wanted - 1;
	for (size_t i = 0; i < room; i++)
		if (before.slots[i].address)
			put(live, &before.slots[i]);
	free(before.slots);
	return true;
}

bool live_add(struct live *live, const struct live_block *block)
{
	if ((!live->slots || live->count * 8 > live->mask * 5) && !grow(live))
		return false;
	put(live, block);
	live->count++;
	return true;
}

/* What follows moves up, so that no search meets a gap before its end. */
void live_remove(struct live *live, struct live_block *block)
{
	size_t gap = (size_t)(block - live->slots);
	live->count--;
	for (size_t i = (gap + 1) & live->mask; live->slots[i].address; i = (i + 1) & live->mask) {
		size_t home = slot_of(live, live->slots[i].address);
		if (((i - home) & live->mask) >= ((i - gap) & live->mask)) {
			live->slots[gap] = live->slots[i];
			gap = i;
		}
	}
	live->slots[gap].address = 0;
}

void live_deinit(struct live *live)
{
	free(live->slots);
	*live = (struct live){ 0 };
}
