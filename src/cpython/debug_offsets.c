#include "cpython/debug_offsets.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cpython/debug_offsets_table.h"

static const char cookie[8] = "xdebugpy";

enum { OFFSET_MAX = 1 << 21 }; /* an interpreter state is some hundred KiB */

bool debug_offsets_head_read(struct memory *memory, uint64_t runtime, struct debug_offsets_head *ret_head)
{
	struct {
		char cookie[8];
		uint64_t version, free_threaded;
	} head;
	if (!memory_read(memory, runtime, &head, sizeof head) || memcmp(head.cookie, cookie, sizeof cookie) != 0 ||
		head.version >> 32 || head.version >> 24 != 3 || head.free_threaded > 1)
		return false;
	*ret_head = (struct debug_offsets_head){ (uint32_t)head.version, head.free_threaded };
	return true;
}

bool debug_offsets_search(struct memory *memory, uint64_t start, uint64_t end, uint64_t *ret_runtime)
{
	enum { BLOCK = 1 << 16 };
	_cleanup_free_ char *block = malloc(BLOCK);
	struct debug_offsets_head head;
	if (!block)
		return false;
	for (uint64_t at = start & ~7ull; at < end; at += BLOCK) {
		size_t size = end - at < BLOCK ? end - at : BLOCK;
		if (!memory_read(memory, at, block, size))
			continue;
		for (size_t i = 0; i + sizeof cookie <= size; i += 8)
			if (memcmp(block + i, cookie, sizeof cookie) == 0 &&
				debug_offsets_head_read(memory, at + i, &head)) {
				*ret_runtime = at + i;
				return true;
			}
	}
	return false;
}

static uint64_t word(const unsigned char *bytes, uint16_t size, uint16_t offset)
{
	uint64_t value = 0;
	if (offset != DEBUG_OFFSETS_NONE && offset + sizeof value <= size)
		memcpy(&value, bytes + offset, sizeof value);
	return value;
}

static struct error *apply(const struct debug_offsets_map *map, const unsigned char *bytes, struct layout *layout)
{
	for (size_t i = 0; i < map->field_count; i++) {
		const struct debug_offsets_field *field = &map->fields[i];
		uint32_t *ours = (uint32_t *)((unsigned char *)layout + field->field);
		uint64_t value = word(bytes, map->size, field->source) + word(bytes, map->size, field->plus) -
				 word(bytes, map->size, field->minus);
		if (*ours == LAYOUT_NONE)
			continue;
		if (value > OFFSET_MAX)
			return error_new(ERROR_UNSUPPORTED,
				"the target publishes an impossible offset, %#llx, for field %u of its structs",
				(unsigned long long)value, field->field);
		*ours = (uint32_t)value;
	}
	return NULL;
}

struct error *debug_offsets_apply(struct memory *memory, uint64_t runtime, struct layout *layout, bool *ret_published)
{
	*ret_published = false;
	for (size_t i = 0; i < sizeof debug_offsets_maps / sizeof *debug_offsets_maps; i++) {
		const struct debug_offsets_map *map = &debug_offsets_maps[i];
		if (map->version != layout->version)
			continue;
		_cleanup_free_ unsigned char *bytes = malloc(map->size);
		if (!bytes)
			return &error_no_memory;
		if (!memory_read(memory, runtime, bytes, map->size))
			return error_new(ERROR_GONE, "the offsets that the target publishes cannot be read");
		*ret_published = true;
		return apply(map, bytes, layout);
	}
	return NULL;
}
