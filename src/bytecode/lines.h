/* lines.h: from an instruction of a code object to its place in the source, for every way in which CPython has written
 * that down:
 *
 *     2.7          co_lnotab      pairs (address +0..255, line +0..255)
 *     3.6 to 3.9   co_lnotab      pairs (address +0..255, line -128..127)
 *     3.10         co_linetable   pairs (length 0..254, line -127..127; -128: no line)
 *     3.11 on      co_linetable   entries of a code, a length in 2-byte units and, by the code, lines and columns
 *
 * The bytes come from another process and are not trusted: whatever they hold, the answer is a place or "no line", in
 * time that is proportional to the table. A table may have any size.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a table is written. The values stand in recordings: they must not change. */
enum lines_kind {
	LINES_KIND_NONE = 0, /* no table: everything is on the first line */
	LINES_KIND_LNOTAB_UNSIGNED,
	LINES_KIND_LNOTAB_SIGNED,
	LINES_KIND_310,
	LINES_KIND_311,
	LINES_KIND_PLAIN, /* no table: the instruction is the line, unless it is negative */
	LINES_KIND_END
};

/* Borrowed bytes. A kind that is not known counts as LINES_KIND_NONE. */
struct line_table {
	uint32_t kind; /* enum lines_kind */
	uint32_t first_line;
	const unsigned char *bytes;
	size_t size;
};

/* Lines count from 1; 0: the instruction has no line. Columns are byte offsets from 0 into the line's UTF-8, as in
 * co_positions(); -1: not known. Before 3.11 end_line is line and the columns are -1. */
struct code_position {
	uint32_t line, end_line;
	int32_t column, end_column;
};

/* Where the instruction at this byte offset stands. A negative offset is a frame that has not begun: the first line. */
struct code_position lines_find_position(const struct line_table *table, int32_t instruction);

/* The same for many instructions in one pass: ranges of instructions in rising order, without holes and without
 * overlap, from 0 on. Never yields an empty range; a table that lies yields one that ends early. LINES_KIND_PLAIN has
 * none. */
struct lines_range {
	uint64_t start, end; /* byte offsets, end exclusive; UINT64_MAX: open */
	struct code_position position;
};

struct lines_iterator {
	const unsigned char *at, *end;
	uint64_t address;
	int64_t line;
	uint32_t kind;
	bool done;
};

void lines_iterator_init(struct lines_iterator *iterator, const struct line_table *table);
/* False at the end. */
bool lines_iterator_next(struct lines_iterator *iterator, struct lines_range *ret_range);
