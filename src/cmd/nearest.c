/* nearest.c: see nearest.h. Edit distance, one row of the table at a time; words are short, so nothing is allocated. */
#include "cmd/nearest.h"

#include <stdint.h>
#include <string.h>

static size_t smallest(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;
	return ab < c ? ab : c;
}

/* SIZE_MAX for words that are too long to be compared. */
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t row[NEAREST_WORD_MAX + 1];
	if (a_length > NEAREST_WORD_MAX || b_length > NEAREST_WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= b_length; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t above = row[j];
			row[j] = smallest(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[b_length];
}

void nearest_init(struct nearest *nearest, const char *typed, size_t length)
{
	/* A third of the letters may be wrong, and one always; otherwise the suggestion would be a guess. */
	*nearest = (struct nearest){ .typed = typed, .length = length, .distance = (length < 6 ? 1 : length / 3) + 1 };
}

void nearest_offer(struct nearest *nearest, const char *word)
{
	size_t distance = edit_distance(nearest->typed, nearest->length, word, strlen(word));
	if (distance < nearest->distance) {
		nearest->distance = distance;
		nearest->best = word;
	}
}
