/* test_memory_report.c: recordings of memory in which lines were measured (cellar.c) to tables, as text and as JSON.
 * That the table is memory_profiler's is tests/consumers/check_consumers.py's to show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "profile/lines.h"
#include "report_kit.h"
#include "synthetic.h"

static void cellar(struct sink *sink)
{
	const char *folder = getenv("GOLDEN_DIR");
	feed_cellar(sink, folder ? folder : ".");
}

static void expect_words(
	feed_scene *scene, const char *format, const struct report_options *options, const char *words, bool there)
{
	struct buffer out = kit_write(scene, format, options);
	if (!strstr(out.data, words) == there)
		fail_msg("%s%s in:\n%s", there ? "no " : "", words, out.data);
	buffer_deinit(&out);
}

static void test_golden(void **state)
{
	struct report_options options = report_options_default();
	kit_expect_file(cellar, "text", &options, "cellar.txt");
	kit_expect_file(cellar, "json", &options, "cellar.json");
}

/* Threads are added up: of a line the most that was there, of a function what was resident before any was in it. */
static void test_sums(void **state)
{
	struct profile *profile;
	struct lines lines;
	assert_null(profile_create(NULL, &profile));
	cellar(&profile->sink);
	assert_null(lines_init(profile, &lines));
	assert_int_equal(lines.functions.count, 5);
	const struct lines_function *fill = &lines.functions.data[0];
	const struct lines_line *line = lines_of_function(&lines, fill);
	assert_int_equal(fill->sum.hits, 3);
	assert_int_equal(fill->sum.usage, 20 << 20);
	assert_int_equal(line[0].sum.increment, 24000168);
	assert_int_equal(line[0].sum.usage, 43 << 20);
	assert_int_equal(line[3].sum.increment, -24000168);
	assert_int_equal(line[3].sum.hits, 3);
	assert_int_equal(lines_function_got(&lines, fill), 24000168 + 2048);
	lines_deinit(&lines);
	profile_destroy(profile);
}

/* The table stands where nobody asked for rows. */
static void test_choice(void **state)
{
	struct report_options options = report_options_default();
	expect_words(cellar, "text", &options, "by line", false);
	expect_words(cellar, "text", &options, "Peak: ", true);
	options.by = REPORT_BY_LINE;
	expect_words(cellar, "text", &options, "Live at the peak", true);
	expect_words(cellar, "text", &options, "Occurrences", false);
	options.by = REPORT_BY_DEFAULT;
	struct profile *profile;
	struct buffer out = { 0 };
	assert_null(profile_create(NULL, &profile));
	profile->memory_choice.given = true;
	cellar(&profile->sink);
	assert_null(report_find_format("text")->write(profile, &options, &out));
	assert_null(strstr(buffer_string(&out), "Occurrences"));
	buffer_deinit(&out);
	profile_destroy(profile);
}

/* -n keeps the functions that got most; --skip-zero leaves out what was never called. */
static void test_rows(void **state)
{
	struct report_options options = report_options_default();
	options.skip_zero = true;
	expect_words(cellar, "text", &options, "def empty", false);
	expect_words(cellar, "json", &options, "\"qualname\":\"Cellar.empty\"", false);
	options.rows = 2;
	expect_words(cellar, "text", &options, "def fill", true);
	expect_words(cellar, "text", &options, "/nowhere/lost.py", true);
	expect_words(cellar, "text", &options, "def taste", false);
}

/* Lines that no file has, and sums that wrap. */
static void feed_absurd(struct sink *sink)
{
	struct feed feed;
	feed_begin_memory(&feed, sink);
	uint32_t thread = feed_thread(&feed, feed_process(&feed, 1, "python3", "/srv"), 1, "t"),
		 code = feed_lined(&feed, "f", "", "/nowhere/f.py", UINT32_MAX);
	static const int32_t lines[] = { 1, INT32_MAX, -1 };
	for (size_t i = 0; i < 3 * sizeof lines / sizeof *lines; i++) {
		int32_t line = lines[i % 3];
		struct event event = { .weight = { [WEIGHT_BYTES] = INT64_MAX, [WEIGHT_COUNT] = UINT64_MAX },
			.thread = thread,
			.stack = feed_place(&feed, code, line),
			.kind = EVENT_TALLY,
			.subject = line > 0 ? SUBJECT_MEMORY_LINE : SUBJECT_MEMORY_LINES };
		feed_event(&feed, &event);
		event.subject = line > 0 ? SUBJECT_MEMORY_LINE_USAGE : SUBJECT_MEMORY_LINES;
		event.weight[WEIGHT_BYTES] = UINT64_MAX;
		feed_event(&feed, &event);
	}
	feed_end(&feed);
}

static void test_absurd(void **state)
{
	struct report_options options = report_options_default();
	struct buffer text = kit_write(feed_absurd, "text", &options), json = kit_write(feed_absurd, "json", &options);
	assert_true(text.size < 4096);
	assert_true(kit_is_json(&json));
	buffer_deinit(&text);
	buffer_deinit(&json);
}

/* A line has a number, a function has none. */
static void test_no_place(void **state)
{
	struct feed feed;
	struct profile *profile;
	assert_null(profile_create(NULL, &profile));
	feed_begin_memory(&feed, &profile->sink);
	uint32_t thread = feed_thread(&feed, feed_process(&feed, 1, "python3", "/srv"), 1, "t"),
		 code = feed_lined(&feed, "f", "", "f.py", 1);
	const uint32_t at_line = feed_place(&feed, code, 2), whole = feed_place(&feed, code, -1);
	const struct {
		uint32_t stack;
		enum subject subject;
	} wrong[] = { { 0, SUBJECT_MEMORY_LINE }, { whole, SUBJECT_MEMORY_LINE }, { whole, SUBJECT_MEMORY_LINE_USAGE },
		{ at_line, SUBJECT_MEMORY_LINES }, { feed_path(&feed, at_line, code), SUBJECT_MEMORY_LINES } };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct event event = { .kind = EVENT_TALLY,
			.thread = thread,
			.stack = wrong[i].stack,
			.subject = (uint8_t)wrong[i].subject };
		_cleanup_error_ struct error *error = profile->sink.ops->events(&profile->sink, &event, 1);
		assert_true(error && error->kind == ERROR_CORRUPT);
	}
	profile_destroy(profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_absurd),
		cmocka_unit_test(test_no_place),
	};
	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
