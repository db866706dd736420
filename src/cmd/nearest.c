/* nearest.c: see nearest.h. Edit distance, by rows of its table; words are short, so nothing is allocated. */
#include "cmd/nearest.h"

#include <stdint.h>
#include <string.h>

enum { ROW = NEAREST_WORD_MAX + 1 };

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* One row of the table: how far the first i letters of `a` are from the first 0, 1, 2, ... of `b`. Two letters that
 * changed places count as one mistake. */
static void fill_row(size_t *row, const size_t *last, const size_t *last_but_one, const char *a, size_t i,
	const char *b, size_t b_length)
{
	row[0] = i;
	for (size_t j = 1; j <= b_length; j++) {
		row[j] = smaller(smaller(last[j], row[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
		if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
			row[j] = smaller(row[j], last_but_one[j - 2] + 1);
	}
}

/* SIZE_MAX for words that are too long to be compared. */
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t rows[3][ROW];
	if (a_length > NEAREST_WORD_MAX || b_length > NEAREST_WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= b_length; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_length; i++)
		fill_row(rows[i % 3], rows[(i + 2) % 3], rows[(i + 1) % 3], a, i, b, b_length);
	return rows[a_length % 3][b_length];
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
