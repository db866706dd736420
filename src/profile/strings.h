/* strings.h: each distinct byte string once, with a small number for it. Texts stay where they are until the pool goes,
 * so that they can be handed out. Number 0 is the empty string. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/vec.h"
#include "recording/sink.h"

struct profile_strings {
	struct profile_strings_block *blocks;
	size_t block_used, block_size;
	VEC(struct text) texts;
	uint32_t *slots; /* string number + 1, by hash; 0: free */
	size_t slot_mask;
};

/* False when there is no memory. */
bool profile_strings_init(struct profile_strings *strings);
bool profile_strings_add(struct profile_strings *strings, struct text text, uint32_t *ret_number);
void profile_strings_deinit(struct profile_strings *strings);

static inline struct text profile_strings_get(const struct profile_strings *strings, uint32_t number)
{
	return strings->texts.data[number];
}
