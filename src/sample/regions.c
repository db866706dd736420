#include "sample/regions.h"

void regions_clear(struct regions *regions)
{
	regions->list.count = 0;
	regions->size = 0;
	regions->hint = 0;
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
	regions->size = offset + size;
	return true;
}

void regions_deinit(struct regions *regions)
{
	vec_free(&regions->list);
	for (int i = 0; i < COPIES; i++)
		free(regions->copies[i]);
	*regions = (struct regions){ 0 };
}
