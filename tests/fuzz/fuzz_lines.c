/* fuzz_lines.c: line tables of any bytes (libFuzzer). The first byte is the kind, the next four the first line, then
 * two for an instruction; the rest is the table. What must hold: no access outside, ranges without holes, and the
 * answer for an instruction is the range that it lies in. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bytecode/lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_against_range(const struct line_table *table, int32_t instruction, const struct lines_range *range)
{
	struct code_position at = lines_find_position(table, instruction);
	if (memcmp(&at, &range->position, sizeof at) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { HEAD = 7 };
	if (size < HEAD)
		return 0;
	struct line_table table = { .kind = data[0] % (LINES_KIND_END + 1), .bytes = data + HEAD, .size = size - HEAD };
	memcpy(&table.first_line, data + 1, sizeof table.first_line);
	int32_t instruction = data[5] | data[6] << 8;
	struct lines_iterator iterator;
	struct lines_range range;
	uint64_t end = 0;
	lines_iterator_init(&iterator, &table);
	while (lines_iterator_next(&iterator, &range)) {
		if (range.start != end || range.end <= range.start)
			abort();
		end = range.end;
		if ((uint64_t)instruction >= range.start && (uint64_t)instruction < range.end)
			check_against_range(&table, instruction, &range);
	}
	uint32_t outside = table.kind == LINES_KIND_PLAIN ? (uint32_t)instruction : 0;
	if ((uint64_t)instruction >= end && lines_find_position(&table, instruction).line != outside)
		abort();
	return 0;
}
