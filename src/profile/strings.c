/* strings.c: the pool of strings.h: bytes in large blocks that never move, found again through a hash table of numbers.
 */
#include "profile/strings.h"

#include <string.h>

#include "base/hash.h"

struct profile_strings_block {
	struct profile_strings_block *next;
	char bytes[];
};

enum { BLOCK_SIZE = 64 * 1024, FIRST_SLOTS = 256 };

static const char *store(struct profile_strings *strings, struct text text)
{
	if (!strings->blocks || text.size > strings->block_size - strings->block_used) {
		size_t size = text.size > BLOCK_SIZE ? text.size : BLOCK_SIZE;
		struct profile_strings_block *block = malloc(sizeof *block + size);
		if (!block)
			return NULL;
		block->next = strings->blocks;
		strings->blocks = block;
		strings->block_used = 0;
		strings->block_size = size;
	}
	char *bytes = strings->blocks->bytes + strings->block_used;
	if (text.size)
		memcpy(bytes, text.data, text.size);
	strings->block_used += text.size;
	return bytes;
}

static uint32_t *slot_of(const struct profile_strings *strings, struct text text)
{
	size_t i = hash_bytes(text.data, text.size) & strings->slot_mask;
	for (; strings->slots[i]; i = (i + 1) & strings->slot_mask) {
		struct text other = strings->texts.data[strings->slots[i] - 1];
		if (other.size == text.size && (!text.size || memcmp(other.data, text.data, text.size) == 0))
			break;
	}
	return &strings->slots[i];
}

static bool grow(struct profile_strings *strings)
{
	size_t count = strings->slots ? (strings->slot_mask + 1) * 2 : FIRST_SLOTS;
	uint32_t *slots = calloc(count, sizeof *slots);
	if (!slots)
		return false;
	free(strings->slots);
	strings->slots = slots;
	strings->slot_mask = count - 1;
	for (size_t i = 0; i < strings->texts.count; i++)
		*slot_of(strings, strings->texts.data[i]) = (uint32_t)i + 1;
	return true;
}

bool profile_strings_add(struct profile_strings *strings, struct text text, uint32_t *ret_number)
{
	if (!text.size)
		text.data = "";
	if (strings->texts.count * 2 >= strings->slot_mask && !grow(strings))
		return false;
	uint32_t *slot = slot_of(strings, text);
	if (!*slot) {
		const char *stored = store(strings, text);
		if (!stored || !vec_push(&strings->texts, (struct text){ stored, text.size }))
			return false;
		*slot = (uint32_t)strings->texts.count;
	}
	*ret_number = *slot - 1;
	return true;
}

bool profile_strings_init(struct profile_strings *strings)
{
	uint32_t empty;
	*strings = (struct profile_strings){ 0 };
	return profile_strings_add(strings, (struct text){ "", 0 }, &empty);
}

void profile_strings_deinit(struct profile_strings *strings)
{
	for (struct profile_strings_block *block = strings->blocks, *next; block; block = next) {
		next = block->next;
		free(block);
	}
	vec_free(&strings->texts);
	free(strings->slots);
	*strings = (struct profile_strings){ 0 };
}
