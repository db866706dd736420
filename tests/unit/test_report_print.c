/* test_report_print.c: how bytes of a target, numbers and labels are printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "report/label.h"
#include "report/print.h"
#include "synthetic.h"

static void expect(struct buffer *out, const char *expected)
{
	assert_string_equal(buffer_string(out), expected);
	out->size = 0;
}

#define TEXT(literal) ((struct text){ literal, sizeof(literal) - 1 })

static void test_text(void **state)
{
	static const struct {
		struct text text;
		const char *printed;
		unsigned columns;
	} cases[] = {
		{ TEXT("plain"), "plain", 5 },
		{ TEXT(""), "", 0 },
		{ TEXT("a\nb\tc\rd"), "a\\nb\\tc\\rd", 10 },
		{ TEXT("\x1b[31m\x7f"), "\\x1b[31m\\x7f", 12 },
		{ TEXT("nul\0l"), "nul\\x00l", 8 },
		{ TEXT("\xc3\xa4\xe4\xb8\xad"), "\xc3\xa4\xe4\xb8\xad", 3 },
		{ TEXT("\xed\xa0\x80"), "\\xed\\xa0\\x80", 12 },
		{ TEXT("\xff\xc3"), "\\xff\\xc3", 8 },
		{ TEXT("\xc0\xaf\xf5"), "\\xc0\\xaf\\xf5", 12 },
		{ TEXT("\xe0\x80\xaf"), "\\xe0\\x80\\xaf", 12 },
		{ TEXT("\xe2\x80\xaex"), "\\u202ex", 7 },
		{ TEXT("\xc2\x9b"), "\\x9b", 4 },
		{ TEXT("e\xcc\x81"), "e\xcc\x81", 1 },
		{ TEXT("\xf0\x9f\x94\xa5"), "\xf0\x9f\x94\xa5", 2 },
	};
	_cleanup_buffer_ struct buffer out = { 0 };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		print_add_text(&out, cases[i].text);
		expect(&out, cases[i].printed);
		assert_int_equal(print_count_columns(cases[i].text), cases[i].columns);
	}
}

static void test_fitted(void **state)
{
	_cleanup_buffer_ struct buffer out = { 0 };
	assert_int_equal(print_add_fitted(&out, TEXT("abcdef"), 6, PRINT_CUT_END, false), 6);
	expect(&out, "abcdef");
	assert_int_equal(print_add_fitted(&out, TEXT("abcdef"), 5, PRINT_CUT_END, false), 5);
	expect(&out, "abcd\xe2\x80\xa6");
	assert_int_equal(print_add_fitted(&out, TEXT("abcdef"), 5, PRINT_CUT_START, true), 5);
	expect(&out, "..def");
	assert_int_equal(
		print_add_fitted(&out, TEXT("\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad"), 4, PRINT_CUT_END, false), 3);
	expect(&out, "\xe4\xb8\xad\xe2\x80\xa6");
	assert_int_equal(print_add_fitted(&out, TEXT("a\nbc"), 3, PRINT_CUT_END, false), 2);
	expect(&out, "a\xe2\x80\xa6");
	assert_int_equal(print_add_fitted(&out, TEXT("abc"), 1, PRINT_CUT_END, false), 1);
	expect(&out, "a");
	assert_int_equal(print_add_fitted(&out, TEXT("abc"), 0, PRINT_CUT_END, false), 0);
	expect(&out, "");
}

static void test_json_and_xml(void **state)
{
	_cleanup_buffer_ struct buffer out = { 0 };
	print_add_json(&out, TEXT("a\"b\\c\nd\0e\xff<\xc3\xa4\xf0\x9f\x94\xa5]]>"));
	expect(&out, "\"a\\\"b\\\\c\\nd\\u0000e\\ufffd\\u003c\xc3\xa4\xf0\x9f\x94\xa5]]\\u003e\"");
	print_add_json(&out, TEXT("\xed\xa0\x80\xe2\x80\xa8"));
	expect(&out, "\"\\ufffd\\ufffd\\ufffd\\u2028\"");
	print_add_xml(&out, TEXT("<a & \"b\">\x01\n\xff\xef\xbf\xbe'"));
	expect(&out, "&#60;a &#38; &#34;b&#34;&#62;\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd&#39;");
}

static void test_numbers(void **state)
{
	_cleanup_buffer_ struct buffer out = { 0 };
	print_add_number(&out, 0);
	expect(&out, "0");
	print_add_number(&out, 999);
	expect(&out, "999");
	print_add_number(&out, 1234567);
	expect(&out, "1,234,567");
	print_add_integer(&out, UINT64_MAX);
	expect(&out, "18446744073709551615");
	print_add_bytes(&out, 1023);
	expect(&out, "1023 B");
	print_add_bytes(&out, 1536);
	expect(&out, "1.5 KiB");
	print_add_bytes(&out, UINT64_MAX);
	expect(&out, "16.0 EiB");
}

static void test_durations(void **state)
{
	static const struct {
		uint64_t ns;
		const char *printed;
	} cases[] = {
		{ 0, "0 s" },
		{ 1500, "2 us" },
		{ 1500000, "1.5 ms" },
		{ 42000000, "42 ms" },
		{ 123456789, "0.12 s" },
		{ 7540000000, "7.54 s" },
		{ 16930000000, "16.9 s" },
		{ 100000000000, "1 min 40 s" },
		{ 3599700000000, "1 h 00 min" },
		{ 36000000000000, "10 h 00 min" },
	};
	_cleanup_buffer_ struct buffer out = { 0 };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		print_add_duration(&out, cases[i].ns, true);
		expect(&out, cases[i].printed);
	}
}

static void expect_fitted_label(
	const char *name, const char *file, uint32_t line, unsigned columns, const char *expected)
{
	_cleanup_buffer_ struct buffer out = { 0 };
	label_add_fitted(&out, &(struct label){ feed_text(name), feed_text(file), line }, columns, true);
	assert_true(out.size <= columns);
	expect(&out, expected);
}

static void test_fitted_labels(void **state)
{
	expect_fitted_label("f", "a/b/c.py", 12, 20, "f (a/b/c.py:12)");
	expect_fitted_label("f", "", 0, 20, "f");
	expect_fitted_label("f", "a.py", 0, 20, "f (a.py)");
	expect_fitted_label("function", "package/module/file.py", 12, 30, "function (../file.py:12)");
	expect_fitted_label("function", "package/module/file.py", 12, 31, "function (../module/file.py:12)");
	expect_fitted_label("Basket.price.<locals>.<genexpr>", "shop/prices.py", 10, 40,
		"Basket.price.<locals.. (../prices.py:10)");
	expect_fitted_label("Basket.price.<locals>.<genexpr>", "shop/prices.py", 10, 20, "Basket.p.. (..py:10)");
	expect_fitted_label("Basket.price.<locals>.<genexpr>", "", 0, 10, "Basket.p..");
}

static void expect_command(struct text command, const char *expected)
{
	_cleanup_buffer_ struct buffer out = { 0 };
	label_add_command(&out, command);
	expect(&out, expected);
}

static void test_commands(void **state)
{
	expect_command(TEXT("python3\0app.py"), "python3 app.py");
	expect_command(TEXT("python3\0-c\0print(1)\0"), "python3 -c 'print(1)'");
	expect_command(TEXT("a\0\0b"), "a '' b");
	expect_command(TEXT("a\n"), "'a\\n'");
	expect_command(TEXT("it's"), "'it'\\''s'");
	expect_command(TEXT(""), "");
}

/* The longest folder of the path that the file lies in; a folder is no prefix of its neighbour's name. */
static void test_short_paths(void **state)
{
	static const struct {
		const char *file, *shortened;
	} cases[] = {
		{ "/srv/app/main.py", "main.py" },
		{ "/srv/app/lib/site/x/y.py", "x/y.py" },
		{ "/srv/apple/main.py", "/srv/apple/main.py" },
		{ "/other/main.py", "/other/main.py" },
		{ "/srv/app", "/srv/app" },
		{ "main.py", "main.py" },
		{ "<string>", "<string>" },
	};
	enum { COUNT = sizeof cases / sizeof *cases };
	struct profile *profile;
	struct feed feed;
	struct report_options options = report_options_default();
	assert_null(profile_create(NULL, &profile));
	feed_begin(&feed, &profile->sink, 1000);
	uint32_t thread = feed_thread(&feed,
		feed_process(&feed, 1, "x", "\n/srv/app/\n\nrelative\n/srv/app/lib/site\n/\n/srv/app/lib"), 1, "");
	for (size_t i = 0; i < COUNT; i++)
		feed_samples(&feed, thread, feed_stack(&feed, 0, feed_function(&feed, "f", cases[i].file, 1), 0),
			FEED_BUSY, QUALITY_EXACT, 1);
	assert_null(profile_decode(profile));
	for (int full = 0; full < 2; full++) {
		struct labels labels;
		options.full_paths = full;
		assert_null(labels_init(profile, &options, &labels));
		for (size_t i = 0; i < COUNT; i++) {
			uint32_t function = profile->codes.data[i + 1].function;
			const char *expected = full ? cases[i].file : cases[i].shortened;
			assert_int_equal(labels.files.data[function].size, strlen(expected));
			assert_memory_equal(labels.files.data[function].data, expected, strlen(expected));
		}
		labels_deinit(&labels);
	}
	profile_destroy(profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_fitted),
		cmocka_unit_test(test_json_and_xml),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_fitted_labels),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_short_paths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
