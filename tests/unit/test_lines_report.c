/* test_lines_report.c: recordings of lines to tables: hits, times, corrections, orders, and every format. That the text
 * and the files are line_profiler's is tests/consumers/check_consumers.py's to show, and that blocks of source are
 * Python's, tests/tools/check_blocks.py's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "profile/lines.h"
#include "profile/lprof_reader.h"
#include "report/block.h"
#include "report_kit.h"
#include "synthetic.h"

struct table {
	struct profile *profile;
	struct lines lines;
};

static void mill(struct sink *sink)
{
	const char *folder = getenv("GOLDEN_DIR");
	feed_mill(sink, folder ? folder : ".", 1700000000);
}

/* Recorded after the file was changed last. */
static void mill_later(struct sink *sink)
{
	const char *folder = getenv("GOLDEN_DIR");
	feed_mill(sink, folder ? folder : ".", 9000000000);
}

static struct table make_table(feed_scene *scene)
{
	struct table table;
	assert_null(profile_create(NULL, &table.profile));
	scene(&table.profile->sink);
	assert_null(lines_init(table.profile, &table.lines));
	return table;
}

static void free_table(struct table *table)
{
	lines_deinit(&table->lines);
	profile_destroy(table->profile);
}

static const struct lines_function *function(const struct table *table, const char *name)
{
	for (size_t i = 0; i < table->lines.functions.count; i++) {
		const struct lines_function *each = &table->lines.functions.data[i];
		struct text text = lines_function_name(&table->lines, each);
		if (text.size == strlen(name) && memcmp(text.data, name, text.size) == 0)
			return each;
	}
	fail_msg("there is no %s", name);
	return NULL;
}

static const struct lines_sum *line(const struct table *table, const char *name, uint32_t number)
{
	const struct lines_function *of = function(table, name);
	for (uint32_t i = 0; i < of->count; i++)
		if (table->lines.lines.data[of->first + i].line == number)
			return &table->lines.lines.data[of->first + i].sum;
	fail_msg("there is no line %u of %s", number, name);
	return NULL;
}

static void expect_times(const struct lines_sum *sum, bool measured, uint64_t total, uint64_t self)
{
	struct lines_times times = lines_times(sum, measured);
	assert_int_equal(times.total, total);
	assert_int_equal(times.self, self);
}

/* ---- the table ---- */

/* Threads, processes and code objects of one name are added up. */
static void test_sums(void **state)
{
	struct table t = make_table(mill);
	assert_int_equal(t.lines.functions.count, 4);
	assert_int_equal(function(&t, "grind")->sum.hits, 4);
	assert_int_equal(function(&t, "grind")->hits, 92);
	assert_int_equal(function(&t, "Mill.idle")->count, 0);
	assert_int_equal(line(&t, "grind", 7)->hits, 4);
	assert_int_equal(line(&t, "grind", 9)->hits, 40);
	expect_times(line(&t, "grind", 7), true, 4000, 4000);
	expect_times(line(&t, "grind", 9), true, 900000, 100000);
	assert_int_equal(lines_times(line(&t, "grind", 9), true).cpu, 800000);
	assert_true(t.lines.has_cost && t.lines.has_called && t.lines.has_cpu);
	free_table(&t);
}

static void test_correction(void **state)
{
	struct table t = make_table(mill);
	/* Three hits at 10 ns, one at 20. */
	expect_times(line(&t, "grind", 7), false, 4000 - 30 - 20, 4000 - 30 - 20);
	expect_times(line(&t, "grind", 9), false, 900000 - 40 * 10 - 660 * 15, 100000 - 40 * 10);
	expect_times(line(&t, "crush", 18), false, 720000 - 100 * 10 - 400 * 15, 120000 - 100 * 10);
	assert_int_equal(lines_function_time(&t.lines, function(&t, "grind"), true), 913000);
	assert_int_equal(lines_function_time(&t.lines, function(&t, "grind"), false),
		913000 - (2 + 1 + 43 + 40 + 4) * 10 - 2 * 20 - 660 * 15);
	free_table(&t);
}

/* Lines that contain each other: the function as a whole is its time. */
static void test_recursion(void **state)
{
	struct table t = make_table(mill);
	assert_int_equal(lines_function_time(&t.lines, function(&t, "crush"), true), 800000);
	assert_int_equal(lines_function_time(&t.lines, function(&t, "crush"), false), 800000 - 620 * 15);
	free_table(&t);
}

/* Recursion whose hits within were not told: there were at least those of its lines. */
static void feed_untold(struct sink *sink)
{
	struct feed feed;
	feed_begin_lines(&feed, sink, 1);
	uint32_t process = feed_process(&feed, 1, "python3", "/srv"), thread = feed_thread(&feed, process, 1, "t");
	uint32_t code = feed_lined(&feed, "f", "", "f.py", 1);
	feed_tally(&feed, thread, feed_place(&feed, code, 2), SUBJECT_LINE, 10, 420, 0);
	feed_tally(&feed, thread, feed_place(&feed, code, 3), SUBJECT_LINE, 5, 300, 0);
	feed_tally(&feed, thread, feed_place(&feed, code, -1), SUBJECT_LINES, 10, 500, 0);
	feed_cost(&feed, process, SUBJECT_LINE_COST, 10000, 0);
	feed_end(&feed);
}

static void test_untold(void **state)
{
	struct table t = make_table(feed_untold);
	assert_int_equal(lines_function_time(&t.lines, function(&t, "f"), true), 500);
	assert_int_equal(lines_function_time(&t.lines, function(&t, "f"), false), 500 - 15 * 10);
	assert_false(t.lines.has_called);
	free_table(&t);
}

/* Numbers that no recording has: nothing overflows, nothing is negative, and there are no billions of rows. */
static void feed_absurd(struct sink *sink)
{
	struct feed feed;
	feed_begin_lines(&feed, sink, 1);
	uint32_t process = feed_process(&feed, 1, "python3", "/srv"), thread = feed_thread(&feed, process, 1, "t");
	uint32_t code = feed_lined(&feed, "f", "", "/nowhere/f.py", UINT32_MAX);
	uint32_t first = feed_place(&feed, code, 1), last = feed_place(&feed, code, INT32_MAX),
		 whole = feed_place(&feed, code, -1);
	for (int i = 0; i < 2; i++) {
		feed_tally(&feed, thread, first, SUBJECT_LINE, UINT64_MAX, UINT64_MAX, UINT64_MAX);
		feed_tally(&feed, thread, last, SUBJECT_LINE, 1, 2, UINT64_MAX);
		feed_tally(&feed, thread, last, SUBJECT_LINE_INSIDE, UINT64_MAX, UINT64_MAX, 0);
		feed_tally(&feed, thread, whole, SUBJECT_LINES, UINT64_MAX, 1, 0);
	}
	feed_cost(&feed, process, SUBJECT_LINE_COST, UINT64_MAX, UINT64_MAX);
	feed_end(&feed);
}

static void test_absurd(void **state)
{
	struct table t = make_table(feed_absurd);
	expect_times(line(&t, "f", INT32_MAX), true, 4, 0);
	expect_times(line(&t, "f", INT32_MAX), false, 0, 0);
	free_table(&t);
	struct report_options options = report_options_default();
	options.line_self = options.summarize = true;
	struct buffer out = kit_write(feed_absurd, "text", &options);
	assert_true(out.size < 4096);
	buffer_deinit(&out);
}

/* A line has a number and stands alone; a function has none. */
static void test_no_place(void **state)
{
	struct feed feed;
	struct profile *profile;
	assert_null(profile_create(NULL, &profile));
	feed_begin_lines(&feed, &profile->sink, 1);
	uint32_t thread = feed_thread(&feed, feed_process(&feed, 1, "python3", "/srv"), 1, "t"),
		 code = feed_lined(&feed, "f", "", "f.py", 1);
	const uint32_t at_line = feed_place(&feed, code, 2), whole = feed_place(&feed, code, -1),
		       nowhere = feed_place(&feed, code, 0), below = feed_path(&feed, at_line, code);
	const struct {
		uint32_t stack;
		enum subject subject;
	} wrong[] = { { 0, SUBJECT_LINE }, { whole, SUBJECT_LINE }, { at_line, SUBJECT_LINES },
		{ nowhere, SUBJECT_LINE }, { below, SUBJECT_LINES }, { 0, SUBJECT_LINE_INSIDE } };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct event event = { .kind = EVENT_TALLY,
			.thread = thread,
			.stack = wrong[i].stack,
			.subject = (uint8_t)wrong[i].subject };
		_cleanup_error_ struct error *error = profile->sink.ops->events(&profile->sink, &event, 1);
		assert_true(error && error->kind == ERROR_CORRUPT);
	}
	assert_int_equal(profile->rows.count, 0);
	profile_destroy(profile);
}

/* ---- formats ---- */

static void test_golden(void **state)
{
	struct report_options options = report_options_default();
	kit_expect_file(mill, "text", &options, "mill.txt");
	kit_expect_file(mill, "json", &options, "mill.json");
	options.view.weight = PROFILE_WALL;
	kit_expect_file(mill, "collapsed", &options, "mill.collapsed");
	options.line_self = options.summarize = options.skip_zero = options.measured = options.colour = true;
	options.line_sort = LINE_SORT_TIME;
	options.unit = 1e-3;
	kit_expect_file(mill, "text", &options, "mill-self-measured-ms.txt");
}

static void test_cpu(void **state)
{
	struct report_options options = report_options_default();
	options.cpu_clock = true;
	kit_expect_file(mill, "text", &options, "mill-cpu.txt");
	options.view.only_cpu = true;
	options.view.weight = PROFILE_CPU;
	kit_expect_file(mill, "collapsed", &options, "mill-cpu.collapsed");
}

static void expect_words(const struct buffer *out, const char *words, bool there)
{
	if (!strstr(out->data, words) == there)
		fail_msg("%s%s in:\n%s", there ? "no " : "", words, out->data);
}

/* A module's lines behind its first function are shown with the few beside them. */
static void feed_module(struct sink *sink)
{
	const char *folder = getenv("GOLDEN_DIR");
	struct feed feed;
	feed_begin_lines(&feed, sink, 9000000000);
	uint32_t thread = feed_thread(
		&feed, feed_process(&feed, 1, "python3 mill.py", folder ? folder : "."), 1, "MainThread");
	uint32_t module = feed_lined(&feed, "<module>", "<module>", "mill.py", 1);
	static const int32_t lines[] = { 1, 2, 5, 6, 15, 22 };
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		feed_tally(&feed, thread, feed_place(&feed, module, lines[i]), SUBJECT_LINE, 1, 1000 + i, 0);
	feed_end(&feed);
}

static void test_module(void **state)
{
	struct report_options options = report_options_default();
	kit_expect_file(feed_module, "text", &options, "mill-module.txt");
}

static void test_changed(void **state)
{
	static const char words[] = "mill.py has changed since: the lines shown may not be those that ran.\n";
	struct report_options options = report_options_default();
	struct buffer before = kit_write(mill, "text", &options), after = kit_write(mill_later, "text", &options);
	expect_words(&before, words, true);
	expect_words(&after, words, false);
	expect_words(&before, "    for kernel in grain:\n", true);
	expect_words(&after, "    for kernel in grain:\n", true);
	buffer_deinit(&before);
	buffer_deinit(&after);
}

/* -n keeps what takes most, in the order asked for. */
static void test_rows(void **state)
{
	struct report_options options = report_options_default();
	options.rows = 2;
	struct buffer out = kit_write(mill, "text", &options);
	expect_words(&out, "Function: grind", true);
	expect_words(&out, "/nowhere/lost.py", true);
	expect_words(&out, "Function: crush", false);
	assert_true(strstr(out.data, "lost.py") < strstr(out.data, "grind"));
	buffer_deinit(&out);
	options.line_sort = LINE_SORT_TIME;
	out = kit_write(mill, "text", &options);
	assert_true(strstr(out.data, "lost.py") > strstr(out.data, "grind"));
	buffer_deinit(&out);
}

static void test_sorts(void **state)
{
	static const struct {
		const char *word;
		enum report_line_sort sort;
	} words[] = { { "time", LINE_SORT_TIME }, { "self", LINE_SORT_TIME }, { "cumtime", LINE_SORT_TIME },
		{ "both", LINE_SORT_DEFAULT }, { "calls", LINE_SORT_CALLS }, { "filename", LINE_SORT_FILE },
		{ "name", LINE_SORT_NAME } };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		struct report_options options = report_options_default();
		assert_null(report_parse_sort(words[i].word, RECORDING_LINES, &options));
		assert_int_equal(options.line_sort, words[i].sort);
		struct buffer out = kit_write(mill, "text", &options);
		buffer_deinit(&out);
	}
}

/* Each format gives something or a sentence. */
static void test_formats(void **state)
{
	static const struct {
		const char *name;
		bool gives;
	} formats[] = { { "text", true }, { "json", true }, { "collapsed", true }, { "speedscope", true },
		{ "pprof", true }, { "svg", true }, { "lprof", true }, { "pstats", false }, { "callgrind", false } };
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
		struct report_options options = report_options_default();
		struct buffer out = { 0 };
		struct profile *profile;
		options.view.weight = PROFILE_WALL;
		assert_null(profile_create(NULL, &profile));
		mill(&profile->sink);
		_cleanup_error_ struct error *error = report_find_format(formats[i].name)
							      ->write(profile, &options, &out);
		assert_int_equal(!error && out.size > 0, formats[i].gives);
		assert_int_equal(error ? error->kind : ERROR_USAGE, ERROR_USAGE);
		buffer_deinit(&out);
		profile_destroy(profile);
	}
	struct profile *profile;
	assert_null(profile_create(NULL, &profile));
	kit_shop(&profile->sink);
	struct report_options options = report_options_default();
	struct buffer out = { 0 };
	_cleanup_error_ struct error *error = report_find_format("x.lprof")->write(profile, &options, &out);
	assert_true(error && error->kind == ERROR_USAGE);
	profile_destroy(profile);
}

static void test_json(void **state)
{
	struct report_options options = report_options_default();
	struct buffer out = kit_write(mill, "json", &options);
	assert_true(kit_is_json(&out));
	assert_int_equal(kit_find_json_number(&out, "functions"), 4);
	buffer_deinit(&out);
}

/* ---- files of line_profiler ---- */

static struct profile *read_back(const void *data, size_t size)
{
	struct profile *profile;
	assert_true(lprof_is_it(data, size));
	assert_null(profile_create(NULL, &profile));
	_cleanup_error_ struct error *error = lprof_read(data, size, profile);
	if (error)
		fail_msg("%s", error_message(error));
	return profile;
}

/* What was written says the same when it is read, and is written the same again. */
static void test_lprof(void **state)
{
	struct report_options options = report_options_default();
	struct buffer out = kit_write(mill, "lprof", &options), again = { 0 };
	struct table t = { .profile = read_back(out.data, out.size) };
	assert_null(lines_init(t.profile, &t.lines));
	assert_int_equal(t.lines.functions.count, 4);
	assert_int_equal(line(&t, "lost", 3)->hits, 20000000000);
	expect_times(line(&t, "grind", 9), false, 900000 - 40 * 10 - 660 * 15, 900000 - 40 * 10 - 660 * 15);
	assert_false(t.lines.has_cost);
	assert_null(report_find_format("lprof")->write(t.profile, &options, &again));
	assert_int_equal(out.size, again.size);
	assert_memory_equal(out.data, again.data, out.size);
	free_table(&t);
	buffer_deinit(&out);
	buffer_deinit(&again);
}

/* A file cut anywhere is refused with a sentence, and so is one in which a byte is another. */
static void test_damaged_lprof(void **state)
{
	struct report_options options = report_options_default();
	struct buffer out = kit_write(mill, "lprof", &options);
	for (size_t size = 0; size < out.size; size++) {
		struct profile *profile;
		assert_null(profile_create(NULL, &profile));
		_cleanup_error_ struct error *error = lprof_read(out.data, size, profile);
		assert_true(error && error->kind == ERROR_CORRUPT);
		profile_destroy(profile);
	}
	for (size_t i = 0; i < out.size; i++) {
		struct profile *profile;
		out.data[i] ^= 0x21;
		assert_null(profile_create(NULL, &profile));
		_cleanup_error_ struct error *error = lprof_read(out.data, out.size, profile);
		assert_true(!error || error->kind == ERROR_CORRUPT);
		profile_destroy(profile);
		out.data[i] ^= 0x21;
	}
	buffer_deinit(&out);
}

/* ---- blocks ---- */

static size_t block(const char *source)
{
	struct text lines[64];
	size_t count = 0;
	for (const char *at = source; *at; count++) {
		size_t size = strcspn(at, "\n");
		lines[count] = (struct text){ at, size };
		at += size + (at[size] == '\n');
	}
	return block_count_lines(lines, count);
}

static void test_blocks(void **state)
{
	assert_int_equal(block(""), 0);
	assert_int_equal(block("x = 1\ny = 2\n"), 1);
	assert_int_equal(block("def f():\n    return 1\n\n    # of it\n# not\nx = 1\n"), 4);
	assert_int_equal(block("@a\n@b(\n    1,\n)\ndef f(): pass\nx = 1\n"), 5);
	assert_int_equal(block("f = lambda x: (x +\n    1)\nx = 1\n"), 2);
	assert_int_equal(block("    def f(self):\n        '''\nx\n'''\n        return 1\n    y = 1\n"), 5);
	assert_int_equal(block("def f():\n  return 'a\\\n(b'\nx = 1\n"), 3);
	assert_int_equal(block("def f():\n  x = '''\n''' \"it's\"; y = [ # (\n  1]\nz\n"), 4);
	assert_int_equal(block("def f():\n        x = 1\n\ty = 2\nz"), 3);
	assert_int_equal(block("def f():\n    x = \\\n1\n    return x\n"), 4);
	assert_int_equal(block("async def f(\n):\n    pass\n\n\n"), 3);
	assert_int_equal(block("def f():\n        x\n    y\n"), 2);
	assert_int_equal(block("def f():\n    x = (1,\n"), 1);
	assert_int_equal(block("def f():\n    x = 'never closed\n    y\n"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_correction),
		cmocka_unit_test(test_recursion),
		cmocka_unit_test(test_untold),
		cmocka_unit_test(test_absurd),
		cmocka_unit_test(test_no_place),
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_cpu),
		cmocka_unit_test(test_module),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_sorts),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_lprof),
		cmocka_unit_test(test_damaged_lprof),
		cmocka_unit_test(test_blocks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
