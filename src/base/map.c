#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

static struct map_entry *slot_of(const struct map *map, uint64_t key)
{
	size_t i = hash_u64(key) & map->mask;
	while (map->entries[i].key && map->entries[i].key != key)
		i = (i + 1) & map->mask;
	return &map->entries[i];
}

uint64_t *map_get(const struct map *map, uint64_t key)
{
	if (!map->count)
		return NULL;
	struct map_entry *slot = slot_of(map, key);
	return slot->key ? &slot->value : NULL;
}

static bool grow(struct map *map)
{
	struct map bigger = { .mask = map->mask ? map->mask * 2 + 1 : 15 };
	bigger.entries = calloc(bigger.mask + 1, sizeof *bigger.entries);
	if (!bigger.entries)
		return false;
	for (size_t i = 0; map->entries && i <= map->mask; i++)
		if (map->entries[i].key)
			*slot_of(&bigger, map->entries[i].key) = map->entries[i];
	bigger.count = map->count;
	free(map->entries);
	*map = bigger;
	return true;
}

bool map_put(struct map *map, uint64_t key, uint64_t value)
{
	if ((!map->entries || map->count * 4 >= (map->mask + 1) * 3) && !grow(map))
		return false;
	struct map_entry *slot = slot_of(map, key);
	map->count += !slot->key;
	*slot = (struct map_entry){ key, value };
	return true;
}

void map_remove(struct map *map, uint64_t key)
{
	if (!map->count)
		return;
	struct map_entry *slot = slot_of(map, key);
	if (!slot->key)
		return;
	/* Close the gap, so that probing needs no tombstones: whoever stands later in the run and may move back does.
	 */
	size_t gap = (size_t)(slot - map->entries);
	for (size_t i = (gap + 1) & map->mask; map->entries[i].key; i = (i + 1) & map->mask) {
		size_t home = hash_u64(map->entries[i].key) & map->mask;
		if (((i - home) & map->mask) >= ((i - gap) & map->mask)) {
			map->entries[gap] = map->entries[i];
			gap = i;
		}
	}
	map->entries[gap].key = 0;
	map->count--;
}

void map_clear(struct map *map)
{
	if (map->entries)
		memset(map->entries, 0, (map->mask + 1) * sizeof *map->entries);
	map->count = 0;
}

void map_deinit(struct map *map)
{
	free(map->entries);
	*map = (struct map){ 0 };
}
