/* nearest.h: which of the words that exist was probably meant. */
#pragma once
#include <stddef.h>

enum { NEAREST_WORD_MAX = 64 };

struct nearest {
	const char *typed;
	size_t length;
	size_t distance;  /* of the best so far; while there is none, the first that would be too far */
	const char *best; /* NULL: nothing was near enough */
};

void nearest_init(struct nearest *nearest, const char *typed, size_t length);
void nearest_offer(struct nearest *nearest, const char *word);
