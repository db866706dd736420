/* test_report.c: formats by name, equal totals in all of them, and names that would break them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "report/print.h"
#include "report_kit.h"
#include "synthetic.h"

/* pprof has its three values whatever is weighed by. */
static void test_pprof_any_weight(void **state)
{
	struct report_options options = report_options_default();
	uint64_t sums[3];
	options.view.weight = PROFILE_BYTES;
	struct buffer pprof = kit_write(kit_shop, "pprof", &options);
	assert_true(kit_sum_pprof(&pprof, sums));
	assert_int_equal(sums[0], 6226);
	buffer_deinit(&pprof);
}

static const char *name_of(const char *file)
{
	const struct report_format *format = report_find_format(file);
	return format ? format->name : "none";
}

static void test_find_format(void **state)
{
	static const char *const cases[][2] = {
		{ "text", "text" },
		{ "web.txt", "text" },
		{ "web.json", "json" },
		{ "a.b/web.speedscope.json", "speedscope" },
		{ "web.collapsed", "collapsed" },
		{ "web.folded", "collapsed" },
		{ "web.pb.gz", "pprof" },
		{ "web.pprof", "pprof" },
		{ "pprof", "pprof" },
		{ "web.svg", "svg" },
		{ "web.gz", "none" },
		{ "web.pyro", "none" },
		{ ".svg", "none" },
		{ "", "none" },
		{ "websvg", "none" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(name_of(cases[i][0]), cases[i][1]);
	for (const struct report_format *const *format = report_list_formats(); *format; format++) {
		assert_non_null((*format)->summary);
		assert_non_null((*format)->extensions[0]);
	}
}

static void test_find_weight(void **state)
{
	enum profile_weight weight = PROFILE_COUNT;
	assert_true(report_find_weight("cpu", &weight));
	assert_int_equal(weight, PROFILE_CPU);
	assert_false(report_find_weight("time", &weight));
	assert_int_equal(weight, PROFILE_CPU);
}

/* What the formats say of a scene under these options: all the same. */
static void expect_totals(
	feed_scene *scene, struct report_options options, uint64_t samples, uint64_t wall, uint64_t cpu)
{
	long lines;
	uint64_t sums[3];
	struct buffer collapsed = kit_write(scene, "collapsed", &options), json = kit_write(scene, "json", &options);
	struct buffer speedscope = kit_write(scene, "speedscope", &options),
		      pprof = kit_write(scene, "pprof", &options);
	struct buffer svg = kit_write(scene, "svg", &options);
	assert_int_equal(kit_sum_collapsed(&collapsed, &lines), samples);
	assert_true(lines >= 0);
	assert_true(kit_is_json(&json) && kit_is_json(&speedscope));
	assert_int_equal(kit_find_json_number(&json, "total_weight"), samples);
	assert_int_equal(kit_sum_json_arrays(&json, "self"), samples);
	assert_int_equal(kit_sum_json_arrays(&json, "wall_ns"), wall);
	assert_int_equal(kit_sum_json_arrays(&json, "cpu_ns"), cpu);
	assert_int_equal(kit_sum_json_arrays(&speedscope, "weights"), wall);
	assert_true(kit_sum_pprof(&pprof, sums));
	assert_int_equal(sums[0], samples);
	assert_int_equal(sums[1], wall);
	assert_int_equal(sums[2], cpu);
	assert_int_equal(kit_find_json_number(&svg, "whole"), samples);
	buffer_deinit(&collapsed);
	buffer_deinit(&json);
	buffer_deinit(&speedscope);
	buffer_deinit(&pprof);
	buffer_deinit(&svg);
}

static void test_equal_totals(void **state)
{
	enum { MS = 1000000 };
	struct report_options options = report_options_default();
	expect_totals(kit_shop, options, 6226, 6226ull * MS, 5906ull * MS);
	expect_totals(kit_hostile, options, 288, 288ull * MS, 288ull * MS);
	expect_totals(kit_one, options, 1, 10 * MS, 10 * MS);
	expect_totals(kit_nothing, options, 0, 0, 0);
	options.threads = true;
	expect_totals(kit_shop, options, 6226, 6226ull * MS, 5906ull * MS);
	options.by = REPORT_BY_FUNCTION;
	expect_totals(kit_shop, options, 6226, 6226ull * MS, 5906ull * MS);
	options.by = REPORT_BY_LINE;
	expect_totals(kit_shop, options, 6226, 6226ull * MS, 5906ull * MS);
	options.by = REPORT_BY_PROCESS;
	options.view.idle = true;
	expect_totals(kit_shop, options, 23156, 23156ull * MS, 5906ull * MS);
	options.view.idle = false;
	options.view.only_gil = true;
	expect_totals(kit_shop, options, 5866, 5866ull * MS, 5866ull * MS);
	options.view.only_cpu = true;
	expect_totals(kit_hostile, options, 288, 288ull * MS, 288ull * MS);
}

/* Microseconds that add up: 3 samples of 333.3 us are 1,000, not 999. */
static void feed_thirds(struct sink *sink)
{
	struct feed feed;
	feed_begin(&feed, sink, 3000);
	uint32_t thread = feed_thread(&feed, feed_process(&feed, 1, "x", ""), 1, "MainThread");
	for (uint32_t i = 0; i < 300; i++)
		feed_samples(&feed, thread, feed_stack(&feed, 0, feed_function(&feed, "f", "a.py", 1 + i), 0),
			FEED_BUSY, QUALITY_EXACT, 1);
	feed_end(&feed);
}

static void test_collapsed_time(void **state)
{
	struct report_options options = report_options_default();
	long lines;
	options.view.weight = PROFILE_WALL;
	struct buffer collapsed = kit_write(feed_thirds, "collapsed", &options);
	assert_int_equal(kit_sum_collapsed(&collapsed, &lines), 99999);
	assert_int_equal(lines, 300);
	buffer_deinit(&collapsed);
}

static void expect_line(const struct buffer *text, const char *line)
{
	const char *found = strstr(text->data, line);
	if (!found || (found != text->data && found[-1] != '\n') || found[strlen(line)] != '\n')
		fail_msg("no line \"%s\" in\n%.3000s", line, text->data);
}

static void test_collapsed_frames(void **state)
{
	struct report_options options = report_options_default();
	options.view.process = 1;
	struct buffer collapsed = kit_write(kit_shop, "collapsed", &options);
	expect_line(&collapsed,
		"<module> (app.py:70);main (app.py:50);Router.dispatch (router/core.py:113);Router._call (router/core.py:143);"
		"Handler.handle (app.py:29);Basket.price (shop/prices.py:22);<garbage collection> 410");
	expect_line(&collapsed, "<partial>;Basket.price (shop/prices.py:17) 7");
	buffer_deinit(&collapsed);
	options.by = REPORT_BY_FUNCTION;
	collapsed = kit_write(kit_shop, "collapsed", &options);
	expect_line(&collapsed, "<partial>;Basket.price (shop/prices.py) 7");
	buffer_deinit(&collapsed);
	options = report_options_default();
	options.threads = options.full_paths = true;
	collapsed = kit_write(kit_shop, "collapsed", &options);
	expect_line(
		&collapsed, "process 4260 \"/usr/bin/python3 app.py --port 8000\";thread libuv;<no Python frame> 40");
	expect_line(&collapsed, "process 4242 \"/usr/bin/python3 app.py --port 8000\";thread MainThread;<partial>;"
				"Basket.price (/srv/shop/shop/prices.py:17) 7");
	buffer_deinit(&collapsed);
	options = report_options_default();
	options.by = REPORT_BY_PROCESS;
	collapsed = kit_write(kit_one, "collapsed", &options);
	expect_line(&collapsed, "process 7 \"python3 one.py\";f (one.py:4) 1");
	buffer_deinit(&collapsed);
}

static void test_collapsed_hostile(void **state)
{
	struct report_options options = report_options_default();
	struct buffer collapsed = kit_write(kit_hostile, "collapsed", &options);
	expect_line(&collapsed, "<module> (/tmp/a:b c.py:4);a:b:c (a:b:c:1) 10");
	expect_line(&collapsed, "<module> (/tmp/a:b c.py:4);line\\nbreak\\r\\ttab (line\\nbreak\\r\\ttab:3) 12");
	expect_line(&collapsed, "<module> (/tmp/a:b c.py:4);nul\\x00inside (nul\\x00inside:5) 14");
	expect_line(&collapsed, "<module> (/tmp/a:b c.py:4);invalid\\xff\\xfe\\xc3 (invalid\\xff\\xfe\\xc3:7) 16");
	expect_line(&collapsed, "<module> (/tmp/a:b c.py:4);<unnamed> 17");
	assert_int_equal(strlen(collapsed.data), collapsed.size);
	buffer_deinit(&collapsed);
}

/* Speedscope's profiles are threads, by this name. */
static void test_speedscope_threads(void **state)
{
	struct report_options options = report_options_default();
	struct buffer json = kit_write(kit_shop, "speedscope", &options);
	assert_non_null(strstr(json.data,
		"\"name\":\"digest-1 (pid 4242, tid 4250)\",\"unit\":\"nanoseconds\",\"startValue\":0,\"endValue\":530000000"));
	assert_non_null(strstr(json.data, "\"name\":\"MainThread (pid 4260, tid 4260)\""));
	assert_null(strstr(json.data, "digest-2")); /* idle all the time */
	assert_non_null(strstr(json.data, "{\"name\":\"Basket.price\",\"file\":\"shop/prices.py\",\"line\":8}"));
	buffer_deinit(&json);
}

static size_t count_of(const struct buffer *text, const char *part)
{
	size_t count = 0;
	for (const char *at = text->data; (at = strstr(at, part)); at += strlen(part))
		count++;
	return count;
}

/* The page holds no more than it says, nothing of the recording ends its script, and what is not XML is not in it. */
static void test_svg(void **state)
{
	struct report_options options = report_options_default();
	struct buffer svg = kit_write(kit_hostile, "svg", &options);
	assert_int_equal(count_of(&svg, "<g><rect"), 2000 + 14 + 1);
	assert_non_null(strstr(svg.data,
		"8,001 frames narrower than 0.05 % or deeper than 2000 calls are not drawn: 17.36 % of the width."));
	assert_int_equal(count_of(&svg, "<script"), 1);
	assert_int_equal(count_of(&svg, "]]>"), 2);
	assert_int_equal(count_of(&svg, "http"), 3); /* names of namespaces: nothing is fetched */
	for (const char *at = svg.data, *end = svg.data + svg.size; at < end;) {
		struct print_char c = print_read_char(at, end);
		assert_true(c.code != UINT32_MAX && (c.code >= 0x20 || c.code == '\n' || c.code == '\t') &&
			    c.code != 0xfffe);
		at += c.size;
	}
	buffer_deinit(&svg);
}

static void feed_wide(struct sink *sink)
{
	struct feed feed;
	feed_begin(&feed, sink, 1000);
	uint32_t thread = feed_thread(&feed, feed_process(&feed, 1, "x", ""), 1, "MainThread");
	for (uint32_t i = 0; i < 3000; i++)
		feed_samples(&feed, thread, feed_stack(&feed, 0, feed_function(&feed, "f", "a.py", 1 + i), 0),
			FEED_BUSY, QUALITY_EXACT, i < 100 ? 10 : 1);
	feed_end(&feed);
}

static void test_svg_leaves_out(void **state)
{
	struct report_options options = report_options_default();
	struct buffer svg = kit_write(feed_wide, "svg", &options);
	assert_int_equal(count_of(&svg, "<g><rect"), 101);
	assert_non_null(strstr(svg.data,
		"2,900 frames narrower than 0.05 % or deeper than 2000 calls are not drawn: 74.36 % of the width."));
	buffer_deinit(&svg);
}

static void test_json(void **state)
{
	struct report_options options = report_options_default();
	struct buffer json = kit_write(kit_shop, "json", &options);
	static const char schema[] = "{\"schema\":\"pyrometer.report/1\",";
	assert_memory_equal(json.data, schema, sizeof schema - 1);
	assert_non_null(strstr(json.data, "\"samples\":{\"all\":23156,\"exact\":23065,\"repaired\":84,\"partial\":7}"));
	assert_non_null(strstr(json.data, "\"command\":[\"/usr/bin/python3\",\"app.py\",\"--port\",\"8000\"]"));
	assert_non_null(strstr(json.data, "\"python\":\"3.11.7\""));
	assert_non_null(strstr(json.data, "\"collections\":[571,52,4]"));
	assert_int_equal(kit_find_json_number(&json, "gil_switches"), 5210);
	assert_non_null(strstr(json.data,
		"\"idle_in\":[\n{\"system_call\":202,\"name\":\"futex\",\"meaning\":\"a lock\",\"samples\":14530,"));
	buffer_deinit(&json);
	options.by = REPORT_BY_FUNCTION;
	json = kit_write(kit_shop, "json", &options);
	assert_true(kit_is_json(&json));
	assert_non_null(strstr(json.data, "\"lines\":[]"));
	buffer_deinit(&json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find_format),
		cmocka_unit_test(test_find_weight),
		cmocka_unit_test(test_equal_totals),
		cmocka_unit_test(test_pprof_any_weight),
		cmocka_unit_test(test_collapsed_time),
		cmocka_unit_test(test_collapsed_frames),
		cmocka_unit_test(test_collapsed_hostile),
		cmocka_unit_test(test_speedscope_threads),
		cmocka_unit_test(test_svg),
		cmocka_unit_test(test_svg_leaves_out),
		cmocka_unit_test(test_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
