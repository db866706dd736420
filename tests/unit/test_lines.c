/* test_lines.c: line tables of each kind by hand, and what lies. tests/tools/check_lines.py holds the same code against
 * every CPython there is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/hash.h"
#include "bytecode/lines.h"

#define TABLE(kind_, first_, ...)                                                                         \
	&(struct line_table)                                                                              \
	{                                                                                                 \
		.kind = (kind_), .first_line = (first_), .bytes = (const unsigned char[]){ __VA_ARGS__ }, \
		.size = sizeof((const unsigned char[]){ __VA_ARGS__ })                                    \
	}

static void expect_line(const struct line_table *table, int32_t instruction, uint32_t line)
{
	struct code_position at = lines_find_position(table, instruction);
	assert_int_equal(at.line, line);
	assert_int_equal(at.end_line, line);
	assert_int_equal(at.column, -1);
	assert_int_equal(at.end_column, -1);
}

static void expect_place(const struct line_table *table, int32_t instruction, struct code_position expected)
{
	struct code_position at = lines_find_position(table, instruction);
	assert_int_equal(at.line, expected.line);
	assert_int_equal(at.end_line, expected.end_line);
	assert_int_equal(at.column, expected.column);
	assert_int_equal(at.end_column, expected.end_column);
}

static void test_no_table(void **state)
{
	const struct line_table none = { LINES_KIND_NONE, 7, NULL, 0 }, unknown = { 99, 7, NULL, 0 };
	expect_line(&none, 0, 7);
	expect_line(&none, 1000000, 7);
	expect_line(&unknown, 4, 7);
	expect_line(&(struct line_table){ LINES_KIND_LNOTAB_SIGNED, 7, NULL, 0 }, 8, 7);
	expect_line(&(struct line_table){ LINES_KIND_PLAIN, 7, NULL, 0 }, 8, 8);
	expect_line(&(struct line_table){ LINES_KIND_PLAIN, 7, NULL, 0 }, -1, 7);
	expect_line(&(struct line_table){ LINES_KIND_311, 7, NULL, 0 }, 8, 0);
}

static void test_not_begun(void **state)
{
	for (uint32_t kind = LINES_KIND_NONE; kind < LINES_KIND_END; kind++)
		expect_line(TABLE(kind, 31, 0xf0, 0x05, 0x80, 3), -1, 31);
}

static void test_unsigned_lnotab(void **state)
{
	const struct line_table *table = TABLE(LINES_KIND_LNOTAB_UNSIGNED, 10, 6, 1, 255, 0, 10, 255, 0, 45);
	expect_line(table, 0, 10);
	expect_line(table, 5, 10);
	expect_line(table, 6, 11);
	expect_line(table, 6 + 255, 11);
	expect_line(table, 6 + 255 + 10, 11 + 255 + 45);
	expect_line(table, INT32_MAX, 11 + 255 + 45);
}

static void test_signed_lnotab(void **state)
{
	const struct line_table *table = TABLE(LINES_KIND_LNOTAB_SIGNED, 10, 4, 3, 2, 0xfe, 2, 0x80);
	expect_line(table, 4, 13);
	expect_line(table, 6, 11);
	expect_line(table, 8, 0); /* 11 - 128 is no line */
}

static void test_odd_lnotab(void **state)
{
	expect_line(TABLE(LINES_KIND_LNOTAB_UNSIGNED, 10, 4, 1, 8), 100, 11);
}

static void test_310(void **state)
{
	const struct line_table *table = TABLE(LINES_KIND_310, 5, 4, 1, 2, 0x80, 6, 0, 0, 9, 2, 0xff);
	expect_line(table, 0, 6);
	expect_line(table, 3, 6);
	expect_line(table, 4, 0);
	expect_line(table, 6, 6);
	expect_line(table, 12, 14);
	expect_line(table, 14, 0); /* behind the table */
}

static void test_311(void **state)
{
	const struct line_table *table = TABLE(LINES_KIND_311, 100, 0x80 | 2 << 3 | 0,
		0x3 << 4 | 5,					     /* short: columns 19 to 24 */
		0x80 | 11 << 3 | 1, 7, 200,			     /* the next line, two units, columns 7 to 200 */
		0x80 | 13 << 3 | 0, 5,				     /* two lines back, no columns */
		0x80 | 15 << 3 | 7,				     /* eight units without a line */
		0x80 | 14 << 3 | 0, 0x40 | 0, 4, 3, 0x40 | 1, 8, 0); /* long: 128 lines on */
	expect_place(table, 0, (struct code_position){ 100, 100, 19, 24 });
	expect_place(table, 2, (struct code_position){ 101, 101, 7, 200 });
	expect_place(table, 5, (struct code_position){ 101, 101, 7, 200 });
	expect_place(table, 6, (struct code_position){ 99, 99, -1, -1 });
	expect_line(table, 8, 0);
	expect_line(table, 23, 0);
	expect_place(table, 24, (struct code_position){ 227, 230, 512, -1 });
	expect_line(table, 26, 0);
}

static void test_truncated_311(void **state)
{
	expect_place(TABLE(LINES_KIND_311, 3, 0x80 | 14 << 3), 0, (struct code_position){ 3, 3, -1, -1 });
	expect_place(TABLE(LINES_KIND_311, 3, 0x80 | 10 << 3, 9), 0, (struct code_position){ 3, 3, 9, 0 });
	expect_line(TABLE(LINES_KIND_311, 3, 0x80 | 13 << 3, 0x40), 0, 3);
}

/* Whatever the bytes: ranges follow each other without a hole, and there are not more of them than bytes. */
static void test_any_bytes(void **state)
{
	unsigned char bytes[64];
	for (uint64_t round = 1; round < 100000; round++) {
		for (size_t i = 0; i < sizeof bytes; i += 8) {
			uint64_t random = hash_u64(round * 8 + i);
			for (size_t j = 0; j < 8; j++)
				bytes[i + j] = (unsigned char)(random >> 8 * j);
		}
		struct line_table table = { (uint32_t)(round % 6), (uint32_t)hash_u64(round), bytes,
			round % sizeof bytes };
		struct lines_iterator iterator;
		struct lines_range range;
		uint64_t end = 0;
		size_t count = 0;
		lines_iterator_init(&iterator, &table);
		for (; lines_iterator_next(&iterator, &range); count++) {
			assert_true(range.start == end && range.end > range.start);
			end = range.end;
		}
		assert_true(count <= table.size + 1);
		lines_find_position(&table, (int32_t)(round % 200));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_table),
		cmocka_unit_test(test_not_begun),
		cmocka_unit_test(test_unsigned_lnotab),
		cmocka_unit_test(test_signed_lnotab),
		cmocka_unit_test(test_odd_lnotab),
		cmocka_unit_test(test_310),
		cmocka_unit_test(test_311),
		cmocka_unit_test(test_truncated_311),
		cmocka_unit_test(test_any_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
