/* map.h: a hash table from u64 to u64, open addressing, linear probing. Key 0 is not allowed. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map {
	struct map_entry {
		uint64_t key, value;
	} * entries;
	size_t count;
	size_t mask; /* capacity - 1; 0 while empty */
};

/* The value's place, or NULL. Valid until the next map_put or map_remove. */
uint64_t *map_get(const struct map *map, uint64_t key);
/* Adds or replaces; false when there is no memory. */
bool map_put(struct map *map, uint64_t key, uint64_t value);
void map_remove(struct map *map, uint64_t key);
void map_clear(struct map *map);
void map_deinit(struct map *map);
