/* regions.h: the pieces of a thread's memory that its stack is expected to lie in, and room for copies of them.
 *
 * The sampler does not follow pointers through the target: it predicts from the last sample where the frames will be,
 * has all of it copied in one system call, and walks in the copy. Until 3.10 a region is one heap frame; from 3.11 it
 * is the used part of a chunk of the thread's data stack, or a single frame that lies elsewhere (a generator's, an
 * entry from C). A walk that leaves the regions says where to, and the next read has a region there. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/vec.h"

/* LOOKS_MAX: how often a thread is looked at in one system call (reading.h). */
enum { LOOKS_MAX = 12 };

enum region_copy {
	COPY_FIRST,
	COPY_SECOND,
	COPY_LAST,  /* the first copy of the last sample, while `last_valid` */
	COPY_AHEAD, /* and those behind it: the second copies of the looks to come */
	COPIES = COPY_AHEAD + LOOKS_MAX - 1
};

struct region {
	uint64_t start;
	uint32_t size;
	uint32_t offset; /* in the copies */
	bool failed;	 /* the last read did not get it: what the copies hold is old */
	bool still;	 /* it was the same at the last two samples: see region_is_still() */
};

struct regions {
	VEC(struct region) list;
	unsigned char *copies[COPIES]; /* of `room` bytes each; NULL: not made yet */
	size_t size, room;
	bool twice;		    /* the last read made a second copy: else the first stands for it */
	bool last_valid;	    /* the copies have not been laid out anew since COPY_LAST was kept */
	uint64_t agreed, unchanged; /* what is known of regions_agree_until(), regions_unchanged_until(); 0: nothing */
	size_t hint;		    /* where the last lookup found something: stacks are walked in order */
};

void regions_clear(struct regions *regions);
/* False when there is no memory. */
bool regions_add(struct regions *regions, uint64_t start, uint32_t size);
/* Room for a copy, before something is read into it. False when there is no memory. */
bool regions_make_copy(struct regions *regions, enum region_copy copy);
/* Of the regions from index `from` on, those with gaps of at most `gap` bytes between them become one, as long as it
 * stays below `most`: the fewer pieces, the shorter the time over which a copy is made. False when there is no memory.
 */
bool regions_merge(struct regions *regions, size_t from, uint32_t gap, uint32_t most);
void regions_deinit(struct regions *regions);

/* The first copy becomes the last one, for the next sample to be compared with. */
void regions_keep(struct regions *regions);
/* The address up to which the first region is the same in the first and the second copy; 0 when any of the other
 * regions differs. */
uint64_t regions_agree_until(struct regions *regions);
/* The same of the first copy and that of the last sample. */
uint64_t regions_unchanged_until(struct regions *regions);
/* Before the copies are made anew. */
static inline void regions_begin(struct regions *regions)
{
	regions->agreed = regions->unchanged = 0;
	regions->twice = false;
}

/* Whether a region is expected to be what COPY_LAST holds, so that its second copy need not be made. After the read
 * regions_settle() makes it from that, or says that the expectation was wrong: then all second copies must be made. */
static inline bool region_is_still(const struct regions *regions, const struct region *region)
{
	return regions->last_valid && region->still;
}
bool regions_settle(struct regions *regions, unsigned looks);
/* To the next look of the same read: what was its second copy is its first now, and its second the `ahead`-th of those
 * to come, from 0. */
void regions_advance(struct regions *regions, unsigned ahead);

static inline unsigned char *region_bytes(
	const struct regions *regions, const struct region *region, enum region_copy copy)
{
	return regions->copies[copy] + region->offset;
}

/* The bytes of [address, address + size) in a copy; NULL when they are in no region, or that copy was
 * never made. */
static inline const unsigned char *regions_find(
	struct regions *regions, enum region_copy copy, uint64_t address, uint32_t size)
{
	if (copy == COPY_SECOND && !regions->twice)
		copy = COPY_FIRST;
	size_t count = regions->copies[copy] ? regions->list.count : 0, i = regions->hint;
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
