/* test_calls.c: recordings of calls to tables: counts, times, corrections, names, orders, and every format. That the
 * numbers are cProfile's own is tests/behaviour/test_calls_report.py's to show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "report/calls.h"
#include "report_kit.h"
#include "synthetic.h"

struct table {
	struct profile *profile;
	struct calls calls;
	struct call_names names;
};

static struct table make_table(feed_scene *scene)
{
	struct table table;
	assert_null(profile_create(NULL, &table.profile));
	scene(&table.profile->sink);
	assert_null(calls_init(table.profile, &table.calls));
	assert_null(call_names_init(&table.calls, /* full_paths */ false, &table.names));
	return table;
}

static void free_table(struct table *table)
{
	call_names_deinit(&table->names);
	calls_deinit(&table->calls);
	profile_destroy(table->profile);
}

/* The function that is called so, or -1. */
static int find(const struct table *table, const char *label)
{
	int found = -1;
	for (size_t i = 0; i < table->calls.functions.count; i++) {
		struct buffer text = { 0 };
		call_name_add(&text, &table->names.items[i]);
		if (strcmp(buffer_string(&text), label) == 0)
			found = (int)i;
		buffer_deinit(&text);
	}
	return found;
}

static const struct calls_function *function(const struct table *table, const char *label)
{
	int number = find(table, label);
	if (number < 0)
		fail_msg("there is no %s", label);
	return &table->calls.functions.data[number];
}

static const struct calls_sum *pair(const struct table *table, const char *caller, const char *callee)
{
	int from = find(table, caller), to = find(table, callee);
	for (size_t i = 0; i < table->calls.pairs.count; i++)
		if ((int)table->calls.pairs.data[i].caller == from && (int)table->calls.pairs.data[i].callee == to)
			return &table->calls.pairs.data[i].sum;
	return NULL;
}

static void expect_times(const struct calls_sum *sum, bool measured, uint64_t self, uint64_t total)
{
	struct calls_times times = calls_times(sum, measured);
	assert_int_equal(times.self, self);
	assert_int_equal(times.total, total);
}

static void test_bakery(void **state)
{
	struct table t = make_table(feed_bakery);
	const struct calls_function *knead = function(&t, "bake.py:30(knead)"),
				    *rise = function(&t, "bake.py:40(rise)");
	assert_int_equal(knead->sum.calls, 20);
	assert_int_equal(knead->sum.primitive, 4);
	expect_times(&knead->sum, true, 300 * NS_PER_MS, 300 * NS_PER_MS);
	assert_int_equal(pair(&t, "bake.py:12(bake)", "bake.py:30(knead)")->calls, 4);
	const struct calls_sum *again = pair(&t, "bake.py:30(knead)", "bake.py:30(knead)");
	assert_int_equal(again->calls, 16);
	assert_int_equal(again->primitive, 8);
	expect_times(again, true, 200 * NS_PER_MS, 200 * NS_PER_MS);
	assert_int_equal(rise->sum.calls, 4);
	assert_int_equal(rise->sum.resumed, 36);
	assert_int_equal(rise->suspended, 500 * NS_PER_MS);
	assert_int_equal(function(&t, "bake.py:70(sell)")->unwound, 3);
	expect_times(&function(&t, "bake.py:12(bake)")->sum, true, 250 * NS_PER_MS, 800 * NS_PER_MS);
	assert_int_equal(function(&t, "bake.py:12(bake)")->sum.total_cpu, 790 * NS_PER_MS);
	const struct calls_sum *append = &function(&t, "{method 'append' of 'list' objects}")->sum;
	assert_int_equal(append->calls, 500);
	expect_times(append, true, 60 * NS_PER_MS, 60 * NS_PER_MS);
	struct calls_whole whole = calls_whole(&t.calls, /* measured */ true);
	assert_int_equal(whole.calls, 584);
	assert_int_equal(whole.primitive, 568);
	assert_int_equal(whole.time, 1050 * NS_PER_MS);
	free_table(&t);
}

/* A call of Python costs 1,000 ns inside and 500 beside, one of a builtin 100 and 50. */
static void test_correction(void **state)
{
	struct table t = make_table(feed_bakery);
	assert_true(t.calls.has_cost);
	expect_times(&function(&t, "{built-in method time.sleep}")->sum, false, 110 * NS_PER_MS - 2 * 100,
		110 * NS_PER_MS - 2 * 100);
	/* 20 calls, of which 16 were made by knead itself. */
	uint64_t knead = 300 * NS_PER_MS - 20 * 1000 - 16 * 500;
	expect_times(&function(&t, "bake.py:30(knead)")->sum, false, knead, knead);
	/* Its own: 4 calls, and beside those of knead, append, the resumptions of rise, and two __init__. */
	uint64_t own = 4 * 1000 + 4 * 500 + 400 * 50 + 40 * 500 + 10 * 500;
	uint64_t below = 20 * 1000 + 16 * 500 + 400 * 100 + 40 * 1000 + 10 * 1000;
	expect_times(
		&function(&t, "bake.py:12(bake)")->sum, false, 250 * NS_PER_MS - own, 800 * NS_PER_MS - own - below);
	expect_times(pair(&t, "bake.py:70(sell)", "{method 'append' of 'list' objects}"), false, 20 * NS_PER_MS - 10000,
		20 * NS_PER_MS - 10000);
	free_table(&t);
}

static void test_names(void **state)
{
	struct table t = make_table(feed_bakery);
	const char *const there[] = { "pastry/__init__.py:1(<module>)", "bread/__init__.py:1(<module>)",
		"<string>:1(Loaf.__init__)", "<string>:1(Roll.__init__)", "bake.py:1(<module>)" };
	for (size_t i = 0; i < sizeof there / sizeof *there; i++)
		function(&t, there[i]);
	assert_int_equal(find(&t, "bake.py:60(serve)"), -1);
	free_table(&t);
}

static void feed_twins(struct sink *sink)
{
	struct feed feed;
	feed_begin_calls(&feed, sink);
	for (uint32_t i = 1; i <= 2; i++) {
		uint32_t thread = feed_thread(&feed, feed_process(&feed, i, "python3 t.py", "/srv"), i, "MainThread");
		for (unsigned j = 0; j < 2; j++)
			feed_calls(&feed, thread,
				feed_path(&feed, 0, feed_callable(&feed, "__init__", "T.__init__", "<string>", 1, 0)),
				1 + j, 100);
	}
	feed_path(&feed, 0, feed_callable(&feed, "never", "never", "t.py", 1, 0));
	feed_end(&feed);
}

/* The first of each process is one function, the second another. */
static void test_twins(void **state)
{
	struct table t = make_table(feed_twins);
	assert_int_equal(t.calls.functions.count, 2);
	assert_int_equal(function(&t, "<string>:1(T.__init__)")->sum.calls, 2);
	assert_int_equal(function(&t, "<string>:1(T.__init__#2)")->sum.calls, 4);
	assert_false(t.calls.has_cost);
	free_table(&t);
}

/* One thread began with `outer`, the other was caught in it. */
static void feed_caught(struct sink *sink)
{
	struct feed feed;
	feed_begin_calls(&feed, sink);
	uint32_t process = feed_process(&feed, 1, "python3 c.py", "/srv");
	uint32_t first = feed_thread(&feed, process, 1, "MainThread"),
		 second = feed_thread(&feed, process, 2, "second");
	uint32_t outer = feed_path(&feed, 0, feed_callable(&feed, "outer", "", "c.py", 1, 0)),
		 inner = feed_path(&feed, outer, feed_callable(&feed, "inner", "", "c.py", 2, 0));
	feed_calls(&feed, first, outer, 1, 100000);
	feed_calls(&feed, first, inner, 1, 40000);
	feed_calls(&feed, second, inner, 2, 70000);
	feed_cost(&feed, process, SUBJECT_CALL_COST, 1000000, 0);
	feed_end(&feed);
}

static void test_caught(void **state)
{
	struct table t = make_table(feed_caught);
	expect_times(&function(&t, "c.py:1(outer)")->sum, true, 60000, 100000);
	expect_times(&function(&t, "c.py:1(outer)")->sum, false, 59000, 98000);
	expect_times(&function(&t, "c.py:2(inner)")->sum, true, 110000, 110000);
	free_table(&t);
}

/* Numbers that no recording has: nothing overflows, nothing is negative. */
static void feed_absurd(struct sink *sink)
{
	struct feed feed;
	feed_begin_calls(&feed, sink);
	uint32_t process = feed_process(&feed, 1, "python3 c.py", "/srv"),
		 thread = feed_thread(&feed, process, 1, "MainThread");
	uint32_t outer = feed_path(&feed, 0, feed_callable(&feed, "outer", "", "c.py", 1, 0)),
		 inner = feed_path(&feed, outer, feed_callable(&feed, "inner", "", "c.py", 2, 0));
	feed_calls(&feed, thread, outer, 3, 10);
	feed_calls(&feed, thread, inner, UINT64_MAX, UINT64_MAX);
	feed_tally(&feed, thread, inner, SUBJECT_SUSPENDED, 0, (uint64_t)INT64_MIN, 0);
	feed_cost(&feed, process, SUBJECT_CALL_COST, UINT64_MAX, UINT64_MAX);
	feed_end(&feed);
}

static void test_absurd(void **state)
{
	struct table t = make_table(feed_absurd);
	expect_times(&function(&t, "c.py:1(outer)")->sum, true, 0, 10);
	expect_times(&function(&t, "c.py:1(outer)")->sum, false, 0, 0);
	free_table(&t);
	struct report_options options = report_options_default();
	for (const struct report_format *const *format = report_list_formats(); *format; format++) {
		/* One of them is of lines, one of memory. */
		if (!(*format)->write || strcmp((*format)->name, "lprof") == 0 || strcmp((*format)->name, "mprof") == 0)
			continue;
		struct buffer out = kit_write(feed_absurd, (*format)->name, &options);
		buffer_deinit(&out);
	}
}

/* A line of a function, as the stacks of exceptions have it. */
static uint32_t feed_line(struct feed *feed, uint32_t parent, uint32_t code, int32_t line)
{
	struct stack_def def = { ++feed->stacks, parent, code, line };
	assert_null(feed->sink->ops->stack(feed->sink, &def));
	return def.id;
}

/* Of a call by one thread; the same place twice, by two threads; handled there, elsewhere, and nowhere. */
static void feed_burnt(struct sink *sink)
{
	struct feed feed;
	feed_begin_calls(&feed, sink);
	uint32_t process = feed_process(&feed, 1, "python3 burn.py", "/srv"),
		 thread = feed_thread(&feed, process, 1, "MainThread"), other = feed_thread(&feed, process, 2, "other");
	uint32_t bake = feed_callable(&feed, "bake", "", "/srv/burn.py", 10, 0),
		 open = feed_callable(&feed, "open", "", "/srv/door.py", 3, 0),
		 too_hot = feed_callable(&feed, "oven.TooHot", "", "", 0, CODE_SYNTHETIC),
		 key = feed_callable(&feed, "KeyError", "", "", 0, CODE_SYNTHETIC);
	feed_calls(&feed, thread, feed_path(&feed, 0, bake), 7, 1000000);
	uint32_t hot = feed_path(&feed, 0, too_hot), at_hot = feed_line(&feed, hot, bake, 12),
		 missing = feed_path(&feed, 0, key), at_missing = feed_line(&feed, missing, open, 0);
	feed_tally(&feed, 0, 0, SUBJECT_RAISED, 0, 0, 0);
	feed_tally(&feed, thread, at_missing, SUBJECT_RAISED, 3, 0, 0);
	feed_tally(&feed, thread, at_hot, SUBJECT_RAISED, 5, 0, 0);
	feed_tally(&feed, thread, feed_line(&feed, at_hot, bake, 13), SUBJECT_HANDLED, 4, 0, 0);
	feed_tally(&feed, other, at_hot, SUBJECT_RAISED, 20, 0, 0);
	feed_tally(&feed, other, feed_line(&feed, at_hot, open, 9), SUBJECT_HANDLED, 20, 0, 0);
	feed_end(&feed);
}

static void test_exceptions(void **state)
{
	struct report_options options = report_options_default();
	struct buffer out = kit_write(feed_burnt, "text", &options);
	static const char wanted[] = "       25 oven.TooHot raised at burn.py:12(bake)\n"
				     "        4   handled from burn.py:13(bake)\n"
				     "       20   handled from /srv/door.py:9(open)\n"
				     "        1   handled by no Python code\n"
				     "        3 KeyError raised at /srv/door.py:0(open)\n"
				     "        3   handled by no Python code\n";
	assert_non_null(strstr(buffer_string(&out), wanted));
	buffer_deinit(&out);
	options.rows = 1;
	out = kit_write(feed_burnt, "text", &options);
	assert_non_null(strstr(buffer_string(&out), "   List reduced from 2 to 1 due to restriction <1>\n"));
	assert_null(strstr(buffer_string(&out), "KeyError"));
	buffer_deinit(&out);
	out = kit_write(feed_burnt, "json", &options);
	assert_true(kit_is_json(&out));
	buffer_deinit(&out);
}

/* A stack of an exception is its type and one or two places. */
static void test_exceptions_at_no_place(void **state)
{
	struct feed feed;
	struct profile *profile;
	struct error *error = NULL;
	assert_null(profile_create(NULL, &profile));
	feed_begin_calls(&feed, &profile->sink);
	uint32_t process = feed_process(&feed, 1, "python3", "/srv"), thread = feed_thread(&feed, process, 1, "t");
	uint32_t type = feed_callable(&feed, "KeyError", "", "", 0, CODE_SYNTHETIC);
	struct event event = { .kind = EVENT_TALLY, .thread = thread, .subject = SUBJECT_RAISED };
	event.stack = feed_path(&feed, 0, type);
	error = profile->sink.ops->events(&profile->sink, &event, 1);
	assert_true(error && error->kind == ERROR_CORRUPT);
	error_free(error);
	event.subject = SUBJECT_HANDLED;
	event.stack = feed_path(&feed, event.stack, type);
	error = profile->sink.ops->events(&profile->sink, &event, 1);
	assert_true(error && error->kind == ERROR_CORRUPT);
	error_free(error);
	profile_destroy(profile);
}

static void feed_deep(struct sink *sink)
{
	feed_deep_calls(sink, 200000, 100000);
}

static void test_deep(void **state)
{
	struct table t = make_table(feed_deep);
	const struct calls_function *first = function(&t, "deep.py:1(function_0)");
	assert_int_equal(first->sum.calls, 66667);
	assert_int_equal(first->sum.primitive, 1);
	assert_int_equal(calls_times(&first->sum, false).total, 200100000);
	free_table(&t);
}

static void expect_file(const char *format, const struct report_options *options, const char *name)
{
	struct buffer out = kit_write(feed_bakery, format, options);
	kit_expect_golden(&out, name);
	buffer_deinit(&out);
}

static void test_golden(void **state)
{
	struct report_options options = report_options_default();
	expect_file("text", &options, "bakery.txt");
	expect_file("json", &options, "bakery.json");
	options.view.weight = PROFILE_WALL;
	expect_file("collapsed", &options, "bakery.collapsed");
	options.tree = options.ascii = true;
	expect_file("text", &options, "bakery-tree.txt");
	options.tree = options.ascii = false;
	options.measured = options.full_paths = true;
	options.call_sort = CALL_SORT_CALLS;
	options.rows = 4;
	expect_file("text", &options, "bakery-measured-calls-4.txt");
	options = report_options_default();
	options.callers = "append|knead";
	options.callees = "\\(bake\\)";
	expect_file("text", &options, "bakery-callers-callees.txt");
	struct buffer json = kit_write(feed_bakery, "json", &options);
	assert_true(kit_is_json(&json));
	buffer_deinit(&json);
}

static void expect_no_sort(const char *word, uint32_t mode, const char *says)
{
	struct report_options options = report_options_default();
	struct error *error = report_parse_sort(word, mode, &options);
	assert_non_null(error);
	assert_int_equal(error->kind, ERROR_USAGE);
	if (!strstr(error_message(error), says))
		fail_msg("%s: %s", word, error_message(error));
	error_free(error);
}

static void test_sort_words(void **state)
{
	static const struct {
		const char *word;
		enum report_call_sort sort;
	} words[] = { { "calls", CALL_SORT_CALLS }, { "ca", CALL_SORT_CALLS }, { "nc", CALL_SORT_CALLS },
		{ "cumulative", CALL_SORT_CUMULATIVE }, { "cumt", CALL_SORT_CUMULATIVE },
		{ "cu", CALL_SORT_CUMULATIVE }, { "file", CALL_SORT_FILE }, { "module", CALL_SORT_FILE },
		{ "l", CALL_SORT_LINE }, { "na", CALL_SORT_NAME }, { "nf", CALL_SORT_NAME_FILE_LINE },
		{ "p", CALL_SORT_PRIMITIVE }, { "s", CALL_SORT_STANDARD }, { "ti", CALL_SORT_INTERNAL },
		{ "self", CALL_SORT_INTERNAL }, { "total", CALL_SORT_CUMULATIVE } };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		struct report_options options = report_options_default();
		assert_null(report_parse_sort(words[i].word, RECORDING_CALLS, &options));
		assert_int_equal(options.call_sort, words[i].sort);
	}
	expect_no_sort("c", 0, "calls, cumtime, cumulative");
	expect_no_sort("cum", RECORDING_CALLS, "cumtime, cumulative");
	expect_no_sort("n", 0, "ncalls, name, nfl");
	expect_no_sort("t", 0, "time, tottime");
	expect_no_sort("", 0, "none of both, self, total, calls");
	expect_no_sort("weight", 0, "none of both");
	expect_no_sort("name", RECORDING_SAMPLES, "recordings of calls");
	struct report_options options = report_options_default();
	assert_null(report_parse_sort("tottime", RECORDING_SAMPLES, &options));
	assert_int_equal(options.sort, REPORT_SORT_SELF);
}

static void test_patterns(void **state)
{
	struct report_options options = report_options_default();
	assert_null(report_check_pattern("a|b"));
	struct error *error = report_check_pattern("(");
	assert_non_null(error);
	error_free(error);
	options.callers = "no such function";
	struct buffer out = kit_write(feed_bakery, "text", &options);
	assert_non_null(strstr(out.data, "No function matches 'no such function'"));
	buffer_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bakery),
		cmocka_unit_test(test_correction),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_twins),
		cmocka_unit_test(test_caught),
		cmocka_unit_test(test_absurd),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_exceptions),
		cmocka_unit_test(test_exceptions_at_no_place),
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_sort_words),
		cmocka_unit_test(test_patterns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
