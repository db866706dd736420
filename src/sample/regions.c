#include "sample/regions.h"

#include <string.h>

void regions_clear(struct regions *regions)
{
	regions->list.count = 0;
	regions->size = 0;
	regions->hint = 0;
	regions->last_valid = false;
}

/* Of copies that were not made yet, none is: of a thread that stands still there is but one. */
static bool grow(struct regions *regions, size_t wanted)
{
	size_t room = wanted + wanted / 2;
	for (int i = 0; i < COPIES; i++) {
		unsigned char *bigger = regions->copies[i] ? realloc(regions->copies[i], room) : NULL;
		if (regions->copies[i] && !bigger)
			return false;
		regions->copies[i] = bigger;
	}
	regions->room = room;
	return true;
}

bool regions_make_copy(struct regions *regions, enum region_copy copy)
{
	if (!regions->copies[copy])
		regions->copies[copy] = malloc(regions->room);
	return regions->copies[copy];
}

bool regions_add(struct regions *regions, uint64_t start, uint32_t size)
{
	size_t offset = (regions->size + 15) & ~(size_t)15;
	if (offset + size > regions->room && !grow(regions, offset + size))
		return false;
	struct region region = { .start = start, .size = size, .offset = (uint32_t)offset };
	if (!vec_push(&regions->list, region))
		return false;
	regions->last_valid = false;
	regions->size = offset + size;
	return true;
}

static int compare_starts(const void *a, const void *b)
{
	const struct region *one = a, *two = b;
	return one->start < two->start ? -1 : one->start > two->start;
}

bool regions_merge(struct regions *regions, size_t from, uint32_t gap, uint32_t most)
{
	struct region *list = regions->list.data;
	size_t count = regions->list.count, kept = from;
	if (count <= from + 1)
		return true;
	qsort(list + from, count - from, sizeof *list, compare_starts);
	for (size_t i = from + 1; i < count; i++) {
		uint64_t end = list[kept].start + list[kept].size, new_end = list[i].start + list[i].size;
		if (list[i].start <= end + gap && new_end - list[kept].start <= most)
			list[kept].size = (uint32_t)((new_end > end ? new_end : end) - list[kept].start);
		else
			list[++kept] = list[i];
	}
	/* Lay the copies out anew. */
	count = kept + 1;
	regions_clear(regions);
	for (size_t i = 0; i < count; i++) {
		struct region region = list[i]; /* regions_add writes no further than it has read */
		if (!regions_add(regions, region.start, region.size))
			return false;
	}
	return true;
}

static bool equals_last(const struct regions *regions, const struct region *region)
{
	return !region->failed && memcmp(region_bytes(regions, region, COPY_FIRST),
					  region_bytes(regions, region, COPY_LAST), region->size) == 0;
}

/* The first region is where frames come and go. */
void regions_keep(struct regions *regions)
{
	unsigned char *first = regions->copies[COPY_FIRST];
	for (size_t i = 1; i < regions->list.count; i++)
		regions->list.data[i].still = regions->last_valid && equals_last(regions, &regions->list.data[i]);
	regions->copies[COPY_FIRST] = regions->copies[COPY_LAST];
	regions->copies[COPY_LAST] = first;
	regions->last_valid = true;
}

void regions_advance(struct regions *regions, unsigned ahead)
{
	unsigned char *spare = regions->copies[COPY_FIRST];
	regions->copies[COPY_FIRST] = regions->copies[COPY_SECOND];
	regions->copies[COPY_SECOND] = regions->copies[COPY_AHEAD + ahead];
	regions->copies[COPY_AHEAD + ahead] = spare;
	regions->unchanged = regions->last_valid ? regions->agreed : 0; /* the last sample's copy was the first one */
	regions->agreed = 0;
}

bool regions_settle(struct regions *regions, unsigned looks)
{
	if (!regions->list.count)
		return true;
	if (!regions_make_copy(regions, COPY_SECOND))
		return false;
	for (size_t i = 0; i < regions->list.count; i++) {
		struct region *region = &regions->list.data[i];
		if (!region_is_still(regions, region))
			continue;
		if (!equals_last(regions, region)) {
			regions->last_valid = false; /* nothing is still now */
			return false;
		}
		const unsigned char *bytes = region_bytes(regions, region, COPY_LAST);
		memcpy(region_bytes(regions, region, COPY_SECOND), bytes, region->size);
		for (unsigned ahead = 0; ahead + 1 < looks; ahead++)
			memcpy(region_bytes(regions, region, COPY_AHEAD + ahead), bytes, region->size);
	}
	return true;
}

/* How many bytes are equal, to within a block. */
static size_t count_equal(const unsigned char *one, const unsigned char *two, size_t size)
{
	enum { LARGE = 1024, SMALL = 128 };
	size_t at = 0;
	while (at + LARGE <= size && memcmp(one + at, two + at, LARGE) == 0)
		at += LARGE;
	while (at + SMALL <= size && memcmp(one + at, two + at, SMALL) == 0)
		at += SMALL;
	return at;
}

static uint64_t same_until(const struct regions *regions, enum region_copy one, enum region_copy two)
{
	for (size_t i = 0; i < regions->list.count; i++) {
		const struct region *region = &regions->list.data[i];
		if (region->failed || (i && memcmp(region_bytes(regions, region, one),
						    region_bytes(regions, region, two), region->size) != 0))
			return 0;
	}
	if (!regions->list.count)
		return 0;
	const struct region *first = &regions->list.data[0];
	return first->start +
	       count_equal(region_bytes(regions, first, one), region_bytes(regions, first, two), first->size);
}

uint64_t regions_agree_until(struct regions *regions)
{
	if (!regions->agreed)
		regions->agreed = same_until(regions, COPY_FIRST, regions->twice ? COPY_SECOND : COPY_FIRST);
	return regions->agreed;
}

uint64_t regions_unchanged_until(struct regions *regions)
{
	if (!regions->unchanged && regions->last_valid)
		regions->unchanged = same_until(regions, COPY_FIRST, COPY_LAST);
	return regions->unchanged;
}

void regions_deinit(struct regions *regions)
{
	vec_free(&regions->list);
	for (int i = 0; i < COPIES; i++)
		free(regions->copies[i]);
	*regions = (struct regions){ 0 };
}
