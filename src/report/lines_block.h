/* lines_block.h: a function's rows in a table of lines: its block of source, and what was measured of each line. */
#pragma once
#include "base/buffer.h"
#include "profile/lines.h"
#include "report/source.h"

struct lines_block {
	const struct lines *lines;
	const struct lines_function *function;
	const struct source_file *source; /* NULL: not found */
	uint32_t first_line;
	size_t rows;
	size_t block_rows; /* the block's own; behind them only lines that were hit, and those beside */
};

/* `sources` must outlive the block and not be asked for another file meanwhile. */
struct error *lines_block_find(const struct lines *lines, const struct lines_function *function,
	struct sources *sources, struct lines_block *ret_block);

/* Writes a row: `measured` is NULL where the line was not hit, else one of the function's. */
typedef void lines_block_row(
	void *table, const struct lines_block *block, uint32_t line, const struct lines_line *measured);
/* All rows by their number, dots in `out` for those that are left out. */
void lines_block_draw(const struct lines_block *block, struct buffer *out, lines_block_row *row, void *table);

enum { LINES_BLOCK_NUMBER_COLUMNS = 6 };

/* What stands in that line of the source; nothing without one. */
void lines_block_add_source(const struct lines_block *block, uint32_t line, struct buffer *out);
