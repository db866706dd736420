#include "sample/regions.h"

#include <string.h>

void regions_clear(struct regions *regions)
{
	regions->list.count = 0;
	regions->size = 0;
	regions->hint = 0;
	regions->last_valid = false;
}

bool regions_add(struct regions *regions, uint64_t start, uint32_t size)
{
	size_t offset = (regions->size + 15) & ~(size_t)15;
	if (offset + size > regions->room) {
		size_t room = regions->room ? regions->room : 4096;
		while (room < offset + size)
			room *= 2;
		for (int i = 0; i < COPIES; i++) {
			unsigned char *bigger = realloc(regions->copies[i], room);
			if (!bigger)
				return false;
			regions->copies[i] = bigger;
		}
		regions->room = room;
	}
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

bool regions_merge(struct regions *regions, uint32_t gap, uint32_t most)
{
	struct region *list = regions->list.data;
	size_t count = regions->list.count, kept = 0;
	if (!count)
		return true;
	qsort(list, count, sizeof *list, compare_starts);
	for (size_t i = 1; i < count; i++) {
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

void regions_keep(struct regions *regions)
{
	unsigned char *first = regions->copies[COPY_FIRST];
	regions->copies[COPY_FIRST] = regions->copies[COPY_LAST];
	regions->copies[COPY_LAST] = first;
	regions->last_valid = true;
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

uint64_t regions_same_until(const struct regions *regions, enum region_copy one, enum region_copy two)
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

void regions_deinit(struct regions *regions)
{
	vec_free(&regions->list);
	for (int i = 0; i < COPIES; i++)
		free(regions->copies[i]);
	*regions = (struct regions){ 0 };
}
