/* test_rss.c: memory over time: mprof's files, what is made of readings and samples, and every format of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "profile/rss_dat.h"
#include "profile/rss_plot.h"
#include "report_kit.h"
#include "synthetic.h"

enum { MIB = 1 << 20 };

/* ---- mprof's files ---- */

static struct error *parse(const char *file, size_t size, struct profile **ret_profile)
{
	assert_null(profile_create(NULL, ret_profile));
	return rss_dat_read(file, size, *ret_profile);
}

static struct profile *read_good(const char *file)
{
	struct profile *profile;
	assert_true(rss_dat_is_it(file, strlen(file)));
	assert_null(parse(file, strlen(file), &profile));
	return profile;
}

static const struct rss_points *resident(const struct profile *profile, size_t process)
{
	return &profile->rss->processes.data[process].kinds[RSS_RESIDENT];
}

static void expect_point(struct rss_point point, uint64_t time, uint64_t bytes)
{
	assert_int_equal(point.time, time);
	assert_int_equal(point.bytes, bytes);
}

static void test_dat(void **state)
{
	/* In any order, with words that nobody knows; 15.105469 MiB are 15,468 KiB. */
	struct profile *profile = read_good("FUNC m.f 1.5000 1000.5000 2.5000 1001.0000 3\n"
					    "CMDLINE python3 app.py --port 8000\n"
					    "WORD x\n"
					    "MEM 15.105469 1000.0000\n"
					    "CHLD 7 31.25 1000.1000\n"
					    "MEM 16.0 1000.1000\r\n"
					    "FUNC g 1 1000 2 1000.2\n"
					    "CHLD 7 32.25 1000.2000\n");
	assert_int_equal(profile->info.start_unix_ns, 1000 * (uint64_t)NS_PER_S);
	assert_int_equal(profile->processes.count, 3);
	assert_memory_equal(profile->processes.data[1].command.data, "python3 app.py --port 8000", 26);
	assert_int_equal(profile->processes.data[2].pid, 7);
	assert_int_equal(resident(profile, 1)->items.count, 2);
	expect_point(resident(profile, 1)->items.data[0], 0, 15468 << 10);
	expect_point(resident(profile, 1)->items.data[1], 100 * NS_PER_MS, 16 * MIB);
	expect_point(resident(profile, 2)->items.data[1], 200 * NS_PER_MS, 33024 << 10);
	assert_int_equal(profile->rss->given.count, 2);
	const struct rss_given_mark *mark = &profile->rss->given.data[0];
	assert_memory_equal(mark->name.data, "m.f", 3);
	assert_int_equal(mark->level, 3);
	expect_point(mark->until, NS_PER_S, MIB * 5 / 2);
	assert_int_equal(profile->rss->given.data[1].level, 0);
	profile_destroy(profile);
}

static void test_dat_breaks_off(void **state)
{
	struct profile *profile = read_good("MEM 1 10\nMEM 2 11\nMEM 3");
	assert_int_equal(resident(profile, 1)->items.count, 2);
	assert_true(profile->rss->cut);
	profile_destroy(profile);
}

static void test_dat_damaged(void **state)
{
	static const struct {
		const char *file, *says;
	} bad[] = {
		{ "MEM 1 2\nMEM x 3\n", "line 2 is no MEM line" },
		{ "MEM 1 2\n\nMEM 3 4\n", "line 2 is empty" },
		{ "MEM 1\n", "line 1 is no MEM line" },
		{ "MEM -1 2\n", "line 1 is no MEM line" },
		{ "MEM nan 2\n", "line 1 is no MEM line" },
		{ "MEM 1e99 2\n", "line 1 is no MEM line" },
		{ "MEM 1 inf\n", "line 1 is no MEM line" },
		{ "MEM 1 2\nCHLD x 1 2\n", "line 2 is no CHLD line" },
		{ "MEM 1 2\nCHLD 4 1\n", "line 2 is no CHLD line" },
		{ "MEM 1 2\nCHLD 99999999999 1 2\n", "line 2 is no CHLD line" },
		{ "MEM 1 2\nFUNC f 1 2 3\n", "line 2 is no FUNC line" },
		{ "MEM 1 2\nFUNC f 1 5 3 4\n", "line 2 is no FUNC line" },
		{ "CMDLINE x\n", "no reading of memory" },
		{ "FUNC f 1 2 3 4\n", "no reading of memory" },
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct profile *profile;
		_cleanup_error_ struct error *error = parse(bad[i].file, strlen(bad[i].file), &profile);
		profile_destroy(profile);
		assert_non_null(error);
		assert_int_equal(error->kind, ERROR_CORRUPT);
		if (!strstr(error_message(error), bad[i].says))
			fail_msg("%s: %s", bad[i].file, error_message(error));
	}
	assert_false(rss_dat_is_it("", 0));
	assert_false(rss_dat_is_it("MEM", 3));
	assert_false(rss_dat_is_it("MEMORY 1", 8));
}

/* Bytes of a good file changed, cut and moved, each with a seed: no crash, and what is taken can be shown. */
static void test_dat_random(void **state)
{
	static const char good[] = "CMDLINE a b\nMEM 15.105469 1000.0000\nCHLD 7 31.250000 1000.1000\n"
				   "FUNC m.f 1.5 1000.5 2.5 1001.0 3\nMEM 16.105469 1000.2000\n";
	static const char bytes[] = " \n\r\0-.e019xCMFU\xff";
	struct report_options options = report_options_default();
	uint64_t seed = 1;
	for (unsigned round = 0; round < 20000; round++) {
		char file[sizeof good];
		struct profile *profile;
		memcpy(file, good, sizeof good);
		for (unsigned i = 0; i <= round % 4; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			file[(seed >> 33) % (sizeof good - 1)] = bytes[(seed >> 20) % (sizeof bytes - 1)];
		}
		_cleanup_error_ struct error *error = parse(
			file, sizeof good - 1 - (round % 3 ? 0 : (seed >> 40) % 60), &profile);
		for (const char *const *name = (const char *const[]){ "text", "svg", "json", "mprof", NULL };
			!error && *name; name++) {
			_cleanup_buffer_ struct buffer out = { 0 };
			assert_null(report_find_format(*name)->write(profile, &options, &out));
			assert_true(out.size > 0);
		}
		profile_destroy(profile);
	}
}

/* ---- readings and samples ---- */

enum { TICK = 10 * NS_PER_MS };

/* Grows by 40 MiB in `grow`, 200 ms later falls by 30 in the main function's next line, with a child of 5 MiB amid. */
static void feed_stairs(struct sink *sink)
{
	struct feed feed;
	feed_begin(&feed, sink, 100);
	uint32_t parent = feed_process(&feed, 70, "python3 app.py", "/srv");
	uint32_t child = feed_process(&feed, 71, "python3 child.py", "/srv");
	uint32_t thread = feed_thread(&feed, parent, 70, "MainThread");
	uint32_t work = feed_function(&feed, "work", "/srv/app.py", 10);
	uint32_t grow = feed_function(&feed, "grow", "/srv/app.py", 1);
	uint32_t first = feed_stack(&feed, 0, work, 1), second = feed_stack(&feed, 0, work, 5);
	uint32_t inside = feed_stack(&feed, first, grow, 2);
	for (unsigned i = 0; i < 60; i++) {
		uint64_t time = feed.time, own = i < 20 ? 10 : i < 24 ? 10 + 10 * (i - 19) : i < 44 ? 50 : 20;
		feed_counter(&feed, parent, 0, SUBJECT_RSS, time, own * MIB);
		if (i >= 30 && i < 50)
			feed_counter(&feed, child, 0, SUBJECT_RSS, time, 5 * MIB);
		uint32_t stack = i < 20 ? first : i < 24 ? inside : second;
		feed_samples(
			&feed, thread, stack, (i >= 20 && i < 24) || i == 43 ? FEED_BUSY : FEED_IDLE, QUALITY_EXACT, 1);
	}
	feed_counter(&feed, parent, 0, SUBJECT_PSS, feed.time, 9 * MIB);
	feed_counter(&feed, parent, 0, SUBJECT_USS, feed.time, 8 * MIB);
	feed_end(&feed);
}

static void test_plot(void **state)
{
	_cleanup_profile_ struct profile *profile = NULL;
	_cleanup_rss_plot_ struct rss_plot plot = { 0 };
	assert_null(profile_create(NULL, &profile));
	feed_stairs(&profile->sink);
	assert_null(rss_plot_init(profile, &plot));
	assert_int_equal(plot.curves.count, 2);
	assert_int_equal(plot.curves.data[0].peak.bytes, 50 * MIB);
	assert_int_equal(plot.curves.data[0].shares_peak[RSS_UNIQUE].bytes, 8 * MIB);
	/* The child's part of the sum begins and ends with it. */
	assert_int_equal(plot.sum.points.items.count, 60);
	assert_int_equal(plot.sum.peak.bytes, 55 * MIB);
	assert_int_equal(plot.sum.points.items.data[49].bytes, 25 * MIB);
	assert_int_equal(plot.sum.points.items.data[50].bytes, 20 * MIB);
	assert_ptr_equal(rss_plot_top(&plot), &plot.sum);

	assert_int_equal(plot.steps.count, 2);
	const struct rss_step *rise = &plot.steps.data[0], *fall = &plot.steps.data[1];
	assert_int_equal(rise->until.bytes - rise->from.bytes, 40 * MIB);
	assert_int_equal(profile->frames.data[profile->stacks.data[rise->stack].frame].line, 3);
	assert_int_equal(fall->from.bytes - fall->until.bytes, 30 * MIB);
	assert_int_equal(profile->frames.data[profile->stacks.data[fall->stack].frame].line, 15);
	assert_int_equal(plot.lines.data[0].rose, 40 * MIB);

	/* `work` from its first to its last sample; `grow` within. */
	assert_int_equal(plot.marks.count, 2);
	assert_int_equal(plot.marks.data[0].level, 0);
	assert_int_equal(plot.marks.data[1].level, 1);
	assert_int_equal(plot.marks.data[1].until.time - plot.marks.data[1].from.time, 4 * TICK);
	assert_int_equal(plot.marks.data[1].line, 11);
}

/* A move that no sample saw: between the two lines of the function that both stacks have in common. */
static void test_between(void **state)
{
	_cleanup_profile_ struct profile *profile = NULL;
	struct feed feed;
	_cleanup_rss_plot_ struct rss_plot plot = { 0 };
	assert_null(profile_create(NULL, &profile));
	feed_begin(&feed, &profile->sink, 100);
	uint32_t process = feed_process(&feed, 70, "python3 app.py", "/srv");
	uint32_t thread = feed_thread(&feed, process, 70, "MainThread");
	uint32_t work = feed_function(&feed, "work", "/srv/app.py", 10);
	uint32_t wait = feed_function(&feed, "wait", "/srv/app.py", 1);
	uint32_t before = feed_stack(&feed, feed_stack(&feed, 0, work, 3), wait, 1);
	uint32_t after = feed_stack(&feed, feed_stack(&feed, 0, work, 5), wait, 1);
	for (unsigned i = 0; i < 20; i++) {
		feed_counter(&feed, process, 0, SUBJECT_RSS, feed.time, (i < 10 ? 50 : 20) * MIB);
		feed_samples(&feed, thread, i < 10 ? before : after, FEED_IDLE, QUALITY_EXACT, 1);
	}
	assert_null(rss_plot_init(profile, &plot));
	assert_int_equal(plot.steps.count, 1);
	const struct rss_step *step = &plot.steps.data[0];
	assert_int_equal(step->stack, 0);
	assert_int_equal(profile->frames.data[profile->stacks.data[step->before].frame].line, 13);
	assert_int_equal(profile->frames.data[profile->stacks.data[step->after].frame].line, 15);
	assert_int_equal(plot.marks.count, 3); /* work, and wait twice, since it was called from two lines */
}

static void test_formats(void **state)
{
	static const char *const expected[][2] = {
		{ "text", "55.0 MiB   0.31 s          -          - .  all processes together" },
		{ "text", "+40.0 MiB a  grow (app.py:3) < work (app.py:11)" },
		{ "svg", "grow (app.py:1)" },
		{ "json", "\"sum\":{\"peak_bytes\":57671680,\"peak_ns\":310000000" },
		{ "mprof", "CMDLINE python3 app.py\nMEM 10.000000 " },
		{ "mprof", "CHLD 71 5.000000 " },
	};
	struct report_options options = report_options_default();
	options.ascii = true;
	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
		struct buffer out = kit_write(feed_stairs, expected[i][0], &options);
		if (!strstr(buffer_string(&out), expected[i][1]))
			fail_msg("%s has no %s:\n%s", expected[i][0], expected[i][1], buffer_string(&out));
		buffer_deinit(&out);
	}
}

/* What is written as mprof's file and read again is the same file. */
static void test_there_and_back(void **state)
{
	struct report_options options = report_options_default();
	struct buffer first = kit_write(feed_stairs, "mprof", &options);
	struct profile *profile;
	_cleanup_buffer_ struct buffer second = { 0 };
	assert_null(parse(first.data, first.size, &profile));
	assert_null(report_find_format("mprof")->write(profile, &options, &second));
	assert_string_equal(buffer_string(&first), buffer_string(&second));
	profile_destroy(profile);
	buffer_deinit(&first);
}

/* More samples than are kept: they are thinned out, and what was long on is still there. */
static void test_many_samples(void **state)
{
	_cleanup_profile_ struct profile *profile = NULL;
	struct feed feed;
	_cleanup_rss_plot_ struct rss_plot plot = { 0 };
	assert_null(profile_create(NULL, &profile));
	feed_begin(&feed, &profile->sink, 1000);
	uint32_t process = feed_process(&feed, 70, "python3 app.py", "/srv");
	uint32_t thread = feed_thread(&feed, process, 70, "MainThread");
	uint32_t work = feed_function(&feed, "work", "/srv/app.py", 10);
	uint32_t one = feed_stack(&feed, 0, work, 1), other = feed_stack(&feed, 0, work, 2);
	feed_counter(&feed, process, 0, SUBJECT_RSS, 0, MIB);
	for (unsigned i = 0; i < 5000000; i++)
		feed_samples(&feed, thread, i % 2 ? one : other, FEED_BUSY, QUALITY_EXACT, 1);
	feed_counter(&feed, process, 0, SUBJECT_RSS, feed.time, MIB);
	assert_true(profile->rss->runs.count < 1 << 22);
	assert_null(rss_plot_init(profile, &plot));
	assert_int_equal(plot.marks.count, 1);
	assert_true(plot.marks.data[0].until.time - plot.marks.data[0].from.time > feed.time / 100 * 99);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dat),
		cmocka_unit_test(test_dat_breaks_off),
		cmocka_unit_test(test_dat_damaged),
		cmocka_unit_test(test_dat_random),
		cmocka_unit_test(test_plot),
		cmocka_unit_test(test_between),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_many_samples),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
