/* columns.h: a table of numbers, one column a field, packed for zstd.
 *
 * A column is `count` numbers of which most are 0, because the coder of events stores what differs from a prediction.
 * All 0: the column is absent. Few others: runs of zeros between exceptions. Many: every number. A number is a head
 * byte (itself below 248, else an escape) and up to 8 tail bytes. What compresses well is a long run of bytes of one
 * distribution, so the heads of a column stand together and apart from everything else, the small things before all big
 * ones, and the packed bytes carry cuts: places where the compressor does well to begin a new table.
 *
 * Writing never fails half way: a lack of memory is remembered and comes out in packed->bytes.failed.
 */
#pragma once
#include "base/buffer.h"
#include "base/varint.h"
#include "base/vec.h"

/* The content of a block on its way to the compressor. */
struct packed {
	struct buffer bytes;
	VEC(size_t) cuts; /* offsets, ascending */
};
void packed_clear(struct packed *packed);
void packed_deinit(struct packed *packed);

enum {
	COLUMNS_MAX = 127,     /* ids are below */
	COLUMN_BYTE_END = 248, /* numbers below take one byte */
};

struct column_writer {
	VEC(struct column_exception {
		uint64_t value;
		uint32_t position;
	})
	exceptions;
	uint32_t count; /* numbers of the column; set before it is packed */
	bool failed;
};
void column_writer_clear(struct column_writer *column);
void column_writer_deinit(struct column_writer *column);
/* Out of line: the rare way. */
void column_writer_add(struct column_writer *column, uint32_t position, uint64_t value);
/* The number at `position` (ascending); 0 costs nothing. */
static inline void column_put(struct column_writer *column, uint32_t position, uint64_t value)
{
	if (value)
		column_writer_add(column, position, value);
}
/* Appends the columns, whose ids are their places, to `packed`. */
void columns_pack(const struct column_writer *columns, unsigned columns_count, struct packed *packed);

/* A column being read. Zeroed: an absent one. After an attempt to read past its end it is `bad` and gives 0. */
struct column_reader {
	const unsigned char *runs, *values; /* heads still to be read */
	const unsigned char *tail, *tail_end;
	uint32_t exceptions; /* left, of a sparse column */
	uint32_t zeros;	     /* to give before the next exception */
	uint32_t dense;	     /* numbers left, of a dense column */
	bool is_dense, bad;
};
/* Finds the columns in `bytes`; counts[id] is how many numbers each must hold. Ids from columns_count on are passed
 * over. What is wrong, or NULL. */
const char *columns_unpack(
	struct bytes_reader *bytes, const uint32_t *counts, unsigned columns_count, struct column_reader *ret);
uint64_t column_reader_next_stored(struct column_reader *column);
static inline uint64_t column_next(struct column_reader *column)
{
	if (!column->is_dense) {
		if (column->zeros) {
			column->zeros--;
			return 0;
		}
		if (!column->exceptions)
			return 0;
	}
	return column_reader_next_stored(column);
}
