/* test_report_text.c: the text report: against files under tests/golden (PYROMETER_UPDATE_GOLDEN=1 writes them anew;
 * look at the difference then), within every width, with and without colour, and with source that can and cannot be
 * shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "report/print.h"
#include "report_kit.h"
#include "synthetic.h"

static void test_golden(void **state)
{
	struct report_options options = report_options_default();
	kit_expect_file(kit_shop, "text", &options, "shop.txt");
	kit_expect_file(kit_shop, "collapsed", &options, "shop.collapsed");
	kit_expect_file(kit_shop, "speedscope", &options, "shop.speedscope.json");
	kit_expect_file(kit_shop, "json", &options, "shop.json");
	kit_expect_file(kit_hostile, "text", &options, "hostile.txt");
	kit_expect_file(kit_nothing, "text", &options, "nothing.txt");
	kit_expect_file(kit_one, "text", &options, "one.txt");
	options.summary = true;
	options.ascii = true;
	options.width = 64;
	kit_expect_file(kit_shop, "text", &options, "shop-summary-ascii-64.txt");
	options = report_options_default();
	options.view.idle = options.threads = options.colour = true;
	options.view.weight = PROFILE_WALL;
	options.sort = REPORT_SORT_TOTAL;
	options.rows = 5;
	options.width = 110;
	kit_expect_file(kit_shop, "text", &options, "shop-idle-threads-wall-110.txt");
	options = report_options_default();
	options.view.only_gil = true;
	options.by = REPORT_BY_FUNCTION;
	kit_expect_file(kit_shop, "text", &options, "shop-gil.txt");
}

/* Calls `check` with each line, without its end. */
static void each_line(const struct buffer *out, void (*check)(struct text, unsigned), unsigned width)
{
	for (const char *at = out->data, *end = out->data + out->size; at < end;) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		assert_non_null(newline);
		check((struct text){ at, (size_t)(newline - at) }, width);
		at = newline + 1;
	}
}

static void expect_within(struct text line, unsigned width)
{
	if (print_count_columns(line) > width)
		fail_msg("%u columns, not %u: %.*s", print_count_columns(line), width, (int)line.size, line.data);
	assert_true(!line.size || line.data[line.size - 1] != ' ');
}

static void test_widths(void **state)
{
	static feed_scene *const scenes[] = { kit_shop, kit_hostile, kit_one, kit_nothing };
	struct report_options options = report_options_default();
	for (options.width = 72; options.width < 200; options.width += 7)
		for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
			for (int flags = 0; flags < 8; flags++) {
				options.ascii = flags & 1;
				options.threads = options.view.idle = flags & 2;
				options.lines = options.full_paths = flags & 4;
				struct buffer out = kit_write(scenes[i], "text", &options);
				each_line(&out, expect_within, options.width);
				buffer_deinit(&out);
			}
}

/* The same text without the escapes, and no escape left open at the end of a line. */
static void test_colour(void **state)
{
	struct report_options options = report_options_default();
	struct buffer plain = kit_write(kit_shop, "text", &options);
	options.colour = true;
	struct buffer coloured = kit_write(kit_shop, "text", &options), stripped = { 0 };
	bool open = false;
	for (size_t i = 0; i < coloured.size; i++) {
		if (coloured.data[i] == '\n')
			assert_false(open);
		if (coloured.data[i] != '\x1b') {
			buffer_add_char(&stripped, coloured.data[i]);
			continue;
		}
		open = coloured.data[i + 2] != '0';
		while (coloured.data[i] != 'm')
			i++;
	}
	assert_string_equal(buffer_string(&stripped), plain.data);
	assert_null(memchr(plain.data, '\x1b', plain.size));
	buffer_deinit(&stripped);
	buffer_deinit(&coloured);
	buffer_deinit(&plain);
}

static void feed_idle(struct sink *sink)
{
	struct feed feed;
	feed_begin(&feed, sink, 100);
	uint32_t thread = feed_thread(&feed, feed_process(&feed, 7, "x", ""), 7, "MainThread");
	feed_samples(&feed, thread, feed_stack(&feed, 0, feed_function(&feed, "f", "/srv/one.py", 3), 1), FEED_IDLE,
		QUALITY_EXACT, 9);
	feed_end(&feed);
}

static void expect_says(feed_scene *scene, const struct report_options *options, const char *sentence)
{
	struct buffer out = kit_write(scene, "text", options);
	if (!strstr(out.data, sentence))
		fail_msg("not said: %s\n%s", sentence, out.data);
	buffer_deinit(&out);
}

static void expect_does_not_say(feed_scene *scene, const struct report_options *options, const char *sentence)
{
	struct buffer out = kit_write(scene, "text", options);
	if (strstr(out.data, sentence))
		fail_msg("said: %s\n%s", sentence, out.data);
	buffer_deinit(&out);
}

static void test_nothing_to_show(void **state)
{
	struct report_options options = report_options_default();
	expect_says(kit_nothing, &options, "The recording has no samples.");
	expect_says(
		feed_idle, &options, "All samples were idle: the program waited the whole time. --idle shows where.");
	options.view.only_gil = true;
	expect_says(feed_idle, &options, "All samples were idle");
	options.view.idle = true;
	expect_says(feed_idle, &options, "No sample is left of what was asked for.");
	options = report_options_default();
	options.view.weight = PROFILE_BYTES;
	expect_says(kit_shop, &options, "This recording has no bytes.");
}

/* What was not measured has no section. */
static void test_only_what_was_measured(void **state)
{
	static const char *const titles[] = { "\nThreads", "\nProcesses", "\nGIL", "\nGarbage collection",
		"\nIn C functions" };
	struct report_options options = report_options_default();
	for (size_t i = 0; i < sizeof titles / sizeof *titles; i++) {
		expect_says(kit_shop, &options, titles[i]);
		expect_does_not_say(kit_one, &options, titles[i]);
	}
	options.summary = true;
	expect_does_not_say(kit_shop, &options, "\nCalls");
	expect_does_not_say(kit_shop, &options, "\nThreads");
}

static void feed_cut_off(struct sink *sink)
{
	struct feed feed;
	feed_begin(&feed, sink, 100);
	uint32_t thread = feed_thread(&feed, feed_process(&feed, 7, "x", ""), 7, "MainThread");
	feed_samples(&feed, thread, feed_stack(&feed, 0, feed_function(&feed, "f", "/srv/one.py", 3), 1), FEED_BUSY,
		QUALITY_EXACT, 9);
}

static void feed_killed(struct sink *sink)
{
	feed_cut_off(sink);
	struct recording_end end = { .duration = 90000000,
		.read_errors = 2,
		.unseen_children = 1,
		.target_ended = 1,
		.target_status = 9,
		.stopped_ns = 5000000,
		.own_cpu_ns = 900000 };
	assert_null(sink->ops->end(sink, &end));
}

/* Two threads on one GIL, one of which also waits for a core and for disks; a third one sleeps. */
static void feed_waits(struct sink *sink)
{
	struct feed feed;
	feed_begin(&feed, sink, 1000);
	uint32_t process = feed_process(&feed, 7, "x", "");
	uint32_t worker = feed_thread(&feed, process, 7, "MainThread"), other = feed_thread(&feed, process, 8, "b");
	feed_samples(&feed, worker, 0, FEED_BUSY | STATE_GC, QUALITY_EXACT, 400);
	feed_samples(&feed, worker, 0, STATE_RUNNABLE, QUALITY_EXACT, 100);
	feed_samples(&feed, worker, 0, STATE_UNINTERRUPTIBLE, QUALITY_EXACT, 100);
	feed.time = feed.period;
	feed_samples(&feed, other, 0, STATE_WAITS_GIL, QUALITY_EXACT, 300);
	feed_samples(&feed, other, 0, FEED_IDLE, QUALITY_EXACT, 200);
	feed_samples(&feed, other, 0, STATE_STOPPED, QUALITY_EXACT, 100);
	feed_end(&feed);
}

static void feed_one_failure(struct sink *sink)
{
	feed_cut_off(sink);
	struct recording_end end = { .duration = 90000000, .ticks_due = 101, .read_errors = 1 };
	assert_null(sink->ops->end(sink, &end));
}

static void feed_children(struct sink *sink, enum children_found found)
{
	feed_cut_off(sink);
	struct recording_end end = { .duration = 90000000, .children_found = found, .children_unknown = 1 };
	assert_null(sink->ops->end(sink, &end));
}

static void feed_children_listed(struct sink *sink)
{
	feed_children(sink, CHILDREN_BY_LIST);
}

static void feed_children_lost(struct sink *sink)
{
	feed_children(sink, CHILDREN_BY_EVENTS);
}

static void test_warnings(void **state)
{
	struct report_options options = report_options_default();
	expect_says(feed_cut_off, &options, "The recording was cut off; this is what came before.");
	expect_says(feed_killed, &options,
		"\n2 reads of the program failed.\n1 child process ended before a sample could be taken.\n"
		"The program died of signal 9 (Killed).\n");
	expect_says(feed_waits, &options, "3 ticks late, 1 missed\n");
	expect_says(feed_one_failure, &options, "\nlate, 0 missed, 1 read failed\n");
	expect_does_not_say(feed_one_failure, &options, "of the program failed");
	options.width = 120;
	expect_says(feed_children_listed, &options,
		"\nChild processes that ended within a millisecond or two may be missing");
	expect_says(feed_children_lost, &options,
		"\nMore child processes began than could be followed: some may be missing.\n");
	expect_says(feed_killed, &options, "took 900 µs of CPU (1.0 % of a core) and stopped the program for 5.0");
}

/* The head accounts for all the time of the threads, and says what the columns mean that need it. */
static void test_where_time_went(void **state)
{
	struct report_options options = report_options_default();
	expect_says(feed_waits, &options,
		"\n       wall CPU, about  core wait   GIL wait  disk wait       idle"
		"\n     0.60 s     0.40 s     0.10 s     0.30 s     0.10 s     0.30 s"
		"\n                33.3 %      8.3 %     25.0 %      8.3 %     25.0 %"
		"\n   shares of the 1.20 s that 2 threads had"
		"\n   core wait: ready to run, but all cores of the machine were busy"
		"\n   GIL wait: ready to run Python code, but another thread held the GIL"
		"\n   idle: 0.20 s in futex (a lock), 0.10 s stopped by a signal or a debugger"
		"\n   GIL held 66.6 % of the wall time, collector 0.40 s\n");
	expect_says(feed_waits, &options, "\n      CPU core wait      idle  GIL held  GIL wait  thread\n");
	expect_does_not_say(
		feed_waits, &options, "Lines by own time"); /* there are none, only threads without Python */
	expect_does_not_say(kit_shop, &options, "core wait");
	expect_does_not_say(kit_shop, &options, "disk wait");
	expect_does_not_say(kit_one, &options, "GIL wait");
	expect_does_not_say(kit_one, &options, "shares of the");
}

static void feed_foreign(struct sink *sink)
{
	feed_waits(sink);
	struct recording_info info = { .system = feed_text("Linux 6.1.0 aarch64") };
	assert_null(sink->ops->begin(sink, &info));
}

/* Numbers of system calls are the recorded machine's: nothing is said of a kind that is not known. */
static void test_foreign_machine(void **state)
{
	struct report_options options = report_options_default();
	expect_says(feed_foreign, &options,
		"   idle: 0.20 s in system call 202, 0.10 s stopped by a signal or a debugger\n");
}

/* Words of ours stand below the functions, and not among the lines. */
static void test_words_stand_apart(void **state)
{
	struct report_options options = report_options_default();
	options.width = 100;
	expect_says(kit_shop, &options,
		"     60  <module> (shop/prices.py:1)\n"
		"                                 no functions:\n"
		"   6.6 % \xc2\xb1"
		"0.6   6.6 %       410  <garbage collection>  the collector\n"
		"   0.6 % \xc2\xb1"
		"0.2   0.6 %        40  <no Python frame>  threads without Python code\n\n");
	expect_does_not_say(kit_shop, &options, "<partial>");
	options.sort = REPORT_SORT_TOTAL;
	expect_says(kit_shop, &options, "<partial>  part of the stack is not known\n");
	expect_does_not_say(kit_shop, &options, "0.6  <garbage");
}

/* Files of the shop, made in a folder of their own. */
static char folder[] = "/tmp/pyrometer-test-XXXXXX";

/* Of sums that wrapped there is no average. */
static void feed_lying_memory(struct sink *sink)
{
	const struct text none = feed_text("");
	const struct recording_info info = {
		.mode = RECORDING_MEMORY, .command = none, .host = none, .tool = none, .system = none
	};
	struct feed feed = { .sink = sink };
	assert_null(sink->ops->begin(sink, &info));
	feed_event(&feed, &(struct event){ .kind = EVENT_ALLOC,
				  .state = 1,
				  .thread = feed_thread(&feed, feed_process(&feed, 7, "app", "/"), 7, "MainThread"),
				  .weight = { [WEIGHT_BYTES] = 1ull << 63, [WEIGHT_COUNT] = UINT64_MAX } });
}

static void test_lying_memory(void **state)
{
	struct report_options options = report_options_default();
	expect_says(feed_lying_memory, &options, "count=-1");
	expect_does_not_say(feed_lying_memory, &options, "average");
}

static void feed_real_shop(struct sink *sink)
{
	feed_shop(sink, folder);
}

static void write_source(const char *name, unsigned lines, long modified)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	_cleanup_fclose_ FILE *file = fopen(path, "w");
	assert_non_null(file);
	for (unsigned i = 1; i <= lines; i++)
		fprintf(file, "\tsource_of(%u)  # \xff\r\n", i);
	fflush(file);
	assert_int_equal(
		futimens(fileno(file), (struct timespec[]){ { .tv_sec = modified }, { .tv_sec = modified } }), 0);
}

static void test_source(void **state)
{
	enum { BEFORE = 1600000000, AFTER = 1700000100 };
	struct report_options options = report_options_default();
	char path[4096];
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/shop", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	write_source("app.py", 66, BEFORE);
	write_source("shop/prices.py", 100, AFTER);
	expect_says(feed_real_shop, &options, "app.py:31");
	expect_says(feed_real_shop, &options, "  source_of(31)  # \\xff\n");
	expect_says(feed_real_shop, &options, "in digest_worker\n"); /* line 67: the file has none */
	expect_does_not_say(feed_real_shop, &options, "source_of(11)");
	expect_says(feed_real_shop, &options, "shop/prices.py");
	options.width = 200;
	expect_says(feed_real_shop, &options, "changed after the recording: what stands there now is not shown.");
	options.lines = true;
	expect_says(feed_real_shop, &options, "\napp.py  own, total and source\n");
	expect_says(feed_real_shop, &options, "   1.5 %   1.5 %     31          source_of(31)  # \\xff\n");
	expect_says(feed_real_shop, &options, "                     32          source_of(32)");
	unlink(path);
	write_source("shop/prices.py", 100, BEFORE);
	expect_says(feed_real_shop, &options, "23.8 %  23.8 %     11          source_of(11)");
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, i ? "shop/prices.py" : "app.py");
		unlink(path);
	}
	snprintf(path, sizeof path, "%s/shop", folder);
	rmdir(path);
	rmdir(folder);
}

static void set(const char *variable, const char *value)
{
	if (value)
		setenv(variable, value, 1);
	else
		unsetenv(variable);
}

static void expect_terminal(
	const char *columns, const char *force, const char *none, const char *locale, struct report_options expected)
{
	_cleanup_fclose_ FILE *pipe = tmpfile();
	struct report_options options = report_options_default();
	set("COLUMNS", columns);
	set("FORCE_COLOR", force);
	set("NO_COLOR", none);
	set("LC_ALL", locale);
	report_options_for_terminal(&options, pipe);
	assert_int_equal(options.width, expected.width);
	assert_int_equal(options.colour, expected.colour);
	assert_int_equal(options.ascii, expected.ascii);
}

static void test_terminal(void **state)
{
	expect_terminal(NULL, NULL, NULL, "C.UTF-8", (struct report_options){ .width = 80 });
	expect_terminal("132", NULL, NULL, "de_DE.utf8", (struct report_options){ .width = 132 });
	expect_terminal("0", NULL, NULL, "C", (struct report_options){ .width = 80, .ascii = true });
	expect_terminal("-3", "1", NULL, "en_US.UTF-8", (struct report_options){ .width = 80, .colour = true });
	expect_terminal("x", "1", "1", "POSIX", (struct report_options){ .width = 80, .ascii = true });
	expect_terminal("9999999999999999999", "0", NULL, "C.UTF-8", (struct report_options){ .width = 80 });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_colour),
		cmocka_unit_test(test_nothing_to_show),
		cmocka_unit_test(test_only_what_was_measured),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_where_time_went),
		cmocka_unit_test(test_foreign_machine),
		cmocka_unit_test(test_words_stand_apart),
		cmocka_unit_test(test_lying_memory),
		cmocka_unit_test(test_source),
		cmocka_unit_test(test_terminal),
	};
	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
