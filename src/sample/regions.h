/* regions.h: the pieces of a thread's memory that its stack is expected to lie in, and room for two copies of them.
 *
 * The sampler does not follow pointers through the target: it predicts from the last sample where the frames will be,
 * has all of it copied in one system call, and walks in the copy. Until 3.10 a region is one heap frame; from 3.11 it
 * is the used part of a chunk of the thread's data stack, or a single frame that lies elsewhere (a generator's, an
 * entry from C). A walk that leaves the regions says where to, and the next read has a region there. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/vec.h"

enum region_copy {
	COPY_FIRST,
	COPY_SECOND,
	COPY_LAST, /* the first copy of the last sample, while `last_valid` */
	COPIES
};

struct region {
	uint64_t start;
	uint32_t size;
	uint32_t offset; /* in the copies */
	bool failed;	 /* the last read did not get it: what the copies hold is old */
};

struct regions {
	VEC(struct region) list;
	unsigned char *copies[COPIES];
	size_t size, room;
	bool last_valid; /* the copies have not been laid out anew since COPY_LAST was kept */
	size_t hint;	 /* where the last lookup found something: stacks are walked in order */
};

void regions_clear(struct regions *regions);
/* False when there is no memory. */
bool regions_add(struct regions *regions, uint64_t start, uint32_t size);
/* Regions with gaps of at most `gap` bytes between them become one, as long as it stays below `most`: the fewer pieces,
 * the shorter the time over which a copy is made. False when there is no memory. */
bool regions_merge(struct regions *regions, uint32_t gap, uint32_t most);
void regions_deinit(struct regions *regions);

/* The first copy becomes the last one, for the next sample to be compared with. */
void regions_keep(struct regions *regions);
/* The address up to which the first region of one copy equals another's; 0 when any of the other regions differs. */
uint64_t regions_same_until(const struct regions *regions, enum region_copy one, enum region_copy two);

static inline unsigned char *region_bytes(
	const struct regions *regions, const struct region *region, enum region_copy copy)
{
	return regions->copies[copy] + region->offset;
}

/* The bytes of [address, address + size) in a copy; NULL when they are in no region. */
static inline const unsigned char *regions_find(
	struct regions *regions, enum region_copy copy, uint64_t address, uint32_t size)
{
	size_t count = regions->list.count, i = regions->hint;
	for (size_t tries = 0; tries < count; tries++, i++) {
		if (i >= count)
			i = 0;
		const struct region *region = &regions->list.data[i];
		if (address - region->start < region->size && region->size - (address - region->start) >= size &&
			!region->failed) {
			regions->hint = i;
			return region_bytes(regions, region, copy) + (address - region->start);
		}
	}
	return NULL;
}
