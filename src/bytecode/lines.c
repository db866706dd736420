/* lines.c: the line tables of CPython as one sequence of ranges (see lines.h).
 *
 * All four kinds say "the next so many bytes of code are on this line". The two older ones are read like
 * PyCode_Addr2Line does: a pair's line applies from its address on, so a range ends where the next pair with an address
 * step begins, and the last one is open. From 3.10 an entry is a range by itself.
 */
#include "bytecode/lines.h"

enum { INSTRUCTION_UNIT = 2, NO_LINE_310 = -128 };

/* The kinds of entries of a 3.11 table: 0 to 9 are the short form, 10 to 12 one line with columns. */
enum { ENTRY_ONE_LINE = 10, ENTRY_NO_COLUMNS = 13, ENTRY_LONG = 14, ENTRY_NONE = 15 };

static uint32_t clamp_line(int64_t line)
{
	return line <= 0 ? 0 : line > UINT32_MAX ? UINT32_MAX : (uint32_t)line;
}

static int32_t clamp_column(uint64_t column)
{
	return column > INT32_MAX ? INT32_MAX : (int32_t)column;
}

static struct code_position position_of_line(int64_t line)
{
	uint32_t clamped = clamp_line(line);
	return (struct code_position){ .line = clamped, .end_line = clamped, .column = -1, .end_column = -1 };
}

/* Steps are small and tables finite, but a table can repeat the largest step; the sum must stay a number. */
static int64_t add_line(int64_t line, int64_t step)
{
	int64_t sum;
	return __builtin_add_overflow(line, step, &sum) ? line : sum;
}

void lines_iterator_init(struct lines_iterator *iterator, const struct line_table *table)
{
	*iterator = (struct lines_iterator){
		.at = table->bytes,
		.end = table->bytes ? table->bytes + table->size : NULL,
		.line = table->first_line,
		.kind = table->kind,
	};
}

/* 2.7 to 3.9. */
static bool next_lnotab(struct lines_iterator *it, struct lines_range *ret_range)
{
	uint64_t start = it->address;
	int64_t line = it->line;
	while (it->end - it->at >= 2) {
		it->address += it->at[0];
		if (it->address > start) {
			/* A pair's line step counts from its own address on: for the next range. */
			*ret_range = (struct lines_range){ start, it->address, position_of_line(line) };
			it->line = add_line(line, it->kind == LINES_KIND_LNOTAB_SIGNED ? (int8_t)it->at[1] : it->at[1]);
			it->at += 2;
			return true;
		}
		line = add_line(line, it->kind == LINES_KIND_LNOTAB_SIGNED ? (int8_t)it->at[1] : it->at[1]);
		it->at += 2;
	}
	it->done = true;
	*ret_range = (struct lines_range){ start, UINT64_MAX, position_of_line(line) };
	return true;
}

static bool next_310(struct lines_iterator *it, struct lines_range *ret_range)
{
	while (it->end - it->at >= 2) {
		uint64_t start = it->address;
		int step = (int8_t)it->at[1];
		it->address += it->at[0];
		it->at += 2;
		if (step != NO_LINE_310)
			it->line = add_line(it->line, step);
		if (it->address == start)
			continue;
		*ret_range = (struct lines_range){ start, it->address,
			position_of_line(step == NO_LINE_310 ? 0 : it->line) };
		return true;
	}
	return false;
}

static unsigned read_byte(struct lines_iterator *it)
{
	return it->at < it->end ? *it->at++ : 0;
}

/* Six bits a byte, the lowest first; bit 6 says that more follow. */
static uint64_t read_varint_311(struct lines_iterator *it)
{
	uint64_t value = 0;
	for (unsigned shift = 0; it->at < it->end; shift += 6) {
		unsigned byte = *it->at++;
		if (shift < 60)
			value |= (uint64_t)(byte & 63) << shift;
		if (!(byte & 64))
			break;
	}
	return value;
}

/* The sign is the lowest bit. */
static int64_t read_signed_varint_311(struct lines_iterator *it)
{
	uint64_t value = read_varint_311(it);
	return value & 1 ? -(int64_t)(value >> 1) : (int64_t)(value >> 1);
}

/* A column of the long form is one more than it is; 0 says unknown. */
static int32_t read_column_311(struct lines_iterator *it)
{
	uint64_t column = read_varint_311(it);
	return column ? clamp_column(column - 1) : -1;
}

static struct code_position read_short_entry(struct lines_iterator *it, unsigned kind)
{
	struct code_position position = position_of_line(it->line);
	unsigned byte = read_byte(it);
	position.column = (int32_t)(kind << 3 | byte >> 4);
	position.end_column = position.column + (int32_t)(byte & 15);
	return position;
}

static struct code_position read_one_line_entry(struct lines_iterator *it, unsigned kind)
{
	it->line = add_line(it->line, kind - ENTRY_ONE_LINE);
	struct code_position position = position_of_line(it->line);
	position.column = (int32_t)read_byte(it);
	position.end_column = (int32_t)read_byte(it);
	return position;
}

static struct code_position read_long_entry(struct lines_iterator *it)
{
	it->line = add_line(it->line, read_signed_varint_311(it));
	struct code_position position = position_of_line(it->line);
	position.end_line = clamp_line(add_line(it->line, (int64_t)read_varint_311(it)));
	position.column = read_column_311(it);
	position.end_column = read_column_311(it);
	return position;
}

static struct code_position read_entry_311(struct lines_iterator *it, unsigned kind)
{
	switch (kind) {
	case ENTRY_NONE:
		return position_of_line(0);
	case ENTRY_LONG:
		return read_long_entry(it);
	case ENTRY_NO_COLUMNS:
		it->line = add_line(it->line, read_signed_varint_311(it));
		return position_of_line(it->line);
	default:
		return kind < ENTRY_ONE_LINE ? read_short_entry(it, kind) : read_one_line_entry(it, kind);
	}
}

static bool next_311(struct lines_iterator *it, struct lines_range *ret_range)
{
	if (it->at >= it->end)
		return false;
	unsigned first = *it->at++;
	ret_range->start = it->address;
	it->address += ((first & 7) + 1) * INSTRUCTION_UNIT;
	ret_range->end = it->address;
	ret_range->position = read_entry_311(it, first >> 3 & 15);
	return true;
}

bool lines_iterator_next(struct lines_iterator *iterator, struct lines_range *ret_range)
{
	if (iterator->done)
		return false;
	switch (iterator->kind) {
	case LINES_KIND_LNOTAB_UNSIGNED:
	case LINES_KIND_LNOTAB_SIGNED:
		return next_lnotab(iterator, ret_range);
	case LINES_KIND_310:
		return next_310(iterator, ret_range);
	case LINES_KIND_311:
		return next_311(iterator, ret_range);
	case LINES_KIND_PLAIN:
		return false;
	default:
		iterator->done = true;
		*ret_range = (struct lines_range){ 0, UINT64_MAX, position_of_line(iterator->line) };
		return true;
	}
}

struct code_position lines_find_position(const struct line_table *table, int32_t instruction)
{
	if (instruction < 0)
		return position_of_line(table->first_line);
	if (table->kind == LINES_KIND_PLAIN)
		return position_of_line(instruction);
	struct lines_iterator iterator;
	struct lines_range range;
	lines_iterator_init(&iterator, table);
	while (lines_iterator_next(&iterator, &range))
		if ((uint64_t)instruction < range.end)
			return range.position;
	return position_of_line(0);
}
