/* lines_tool.c: src/bytecode/lines.h as a filter, so that a script can hold it against every CPython there is
 * (tests/tools/check_lines.py).
 *
 * A line in:   KIND FIRST_LINE TABLE OFFSET...      the table in hexadecimal, "-" for an empty one
 * A line out:  one LINE,END_LINE,COLUMN,END_COLUMN for each offset
 */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "bytecode/lines.h"

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes in place; false when it is no hexadecimal. */
static bool decode_hex(char *hex, size_t *ret_size)
{
	size_t length = strcmp(hex, "-") == 0 ? 0 : strlen(hex);
	for (size_t i = 0; i + 1 < length; i += 2) {
		int high = hex_digit(hex[i]), low = hex_digit(hex[i + 1]);
		if (high < 0 || low < 0)
			return false;
		hex[i / 2] = (char)(high << 4 | low);
	}
	*ret_size = length / 2;
	return length % 2 == 0;
}

static bool answer(char *line)
{
	char *rest = NULL;
	char *kind = strtok_r(line, " \n", &rest), *first = strtok_r(NULL, " \n", &rest),
	     *hex = strtok_r(NULL, " \n", &rest);
	size_t size;
	if (!hex || !decode_hex(hex, &size))
		return false;
	struct line_table table = {
		.kind = (uint32_t)strtoul(kind, NULL, 10),
		.first_line = (uint32_t)strtoul(first, NULL, 10),
		.bytes = (const unsigned char *)hex,
		.size = size,
	};
	for (char *offset; (offset = strtok_r(NULL, " \n", &rest));) {
		struct code_position at = lines_find_position(&table, (int32_t)strtol(offset, NULL, 10));
		printf("%u,%u,%d,%d ", at.line, at.end_line, at.column, at.end_column);
	}
	putchar('\n');
	return true;
}

int main(void)
{
	_cleanup_free_ char *line = NULL;
	size_t capacity = 0;
	while (getline(&line, &capacity, stdin) > 0)
		if (!answer(line)) {
			fprintf(stderr, "lines_tool: expected KIND FIRST_LINE HEX OFFSET...\n");
			return 2;
		}
	return 0;
}
