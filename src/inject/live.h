/* live.h: the blocks of memory that are live: address -> size and who got it. Some 20 bytes a block, and a lookup in
 * one or two cache lines: there are tens of millions of them. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct live_block {
	uint64_t address; /* 0: an empty slot */
	uint64_t size;
	uint32_t owner;	 /* whose it is: the caller's number */
	uint32_t number; /* of its thread's allocations */
};

struct live {
	struct live_block *slots;
	size_t mask, count;
};

/* NULL: there is none. Valid until the next live_add or live_remove. */
struct live_block *live_find(const struct live *live, uint64_t address);
/* It must not be there. False: no memory. */
bool live_add(struct live *live, const struct live_block *block);
void live_remove(struct live *live, struct live_block *block);
void live_deinit(struct live *live);
