/* bytecode_tool.c: src/bytecode as a filter, so that a script can hold it against every CPython there is
 * (tests/tools/check_lines.py, check_callees.py). Bytes are in hexadecimal, "-" for none.
 *
 * A line in                                  a line out
 *   lines KIND FIRST_LINE TABLE OFFSET...    one LINE,END_LINE,COLUMN,END_COLUMN for each offset
 *   callees VERSION CODE OFFSET...           the index in co_names or -1 for each offset, -2 where no
 *                                            instruction begins; VERSION is 783 for 3.15
 */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "bytecode/callee.h"
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

/* The next word as a number, or as bytes. */
static bool next_number(char **rest, uint32_t *ret_number)
{
	char *word = strtok_r(NULL, " \n", rest);
	*ret_number = word ? (uint32_t)strtoul(word, NULL, 10) : 0;
	return word;
}

static char *next_bytes(char **rest, size_t *ret_size)
{
	char *word = strtok_r(NULL, " \n", rest);
	return word && decode_hex(word, ret_size) ? word : NULL;
}

static bool answer_lines(char *rest)
{
	struct line_table table;
	if (!next_number(&rest, &table.kind) || !next_number(&rest, &table.first_line) ||
		!(table.bytes = (const unsigned char *)next_bytes(&rest, &table.size)))
		return false;
	for (char *offset; (offset = strtok_r(NULL, " \n", &rest));) {
		struct code_position at = lines_find_position(&table, (int32_t)strtol(offset, NULL, 10));
		printf("%u,%u,%d,%d ", at.line, at.end_line, at.column, at.end_column);
	}
	return true;
}

static bool answer_callees(char *rest)
{
	uint32_t version;
	size_t size;
	char *code;
	if (!next_number(&rest, &version) || !(code = next_bytes(&rest, &size)))
		return false;
	const struct opcode_table *table = opcode_table_find((uint16_t)version);
	for (char *offset; (offset = strtok_r(NULL, " \n", &rest));) {
		size_t at = (size_t)strtol(offset, NULL, 10);
		struct callee callee = callee_find(table, (uint8_t *)code, size, at);
		printf("%d ", callee.info && callee.start == at ? callee.name : -2);
	}
	return true;
}

static bool answer(char *line)
{
	char *rest = NULL, *what = strtok_r(line, " \n", &rest);
	bool ok = what && (strcmp(what, "lines") == 0		 ? answer_lines(rest)
				  : strcmp(what, "callees") == 0 ? answer_callees(rest)
								 : false);
	putchar('\n');
	return ok;
}

int main(void)
{
	_cleanup_free_ char *line = NULL;
	size_t capacity = 0;
	while (getline(&line, &capacity, stdin) > 0)
		if (!answer(line)) {
			fprintf(stderr, "bytecode_tool: this is no question\n");
			return 2;
		}
	return 0;
}
