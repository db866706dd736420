/* test_profile.c: recordings written by hand, and what is added up of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "profile/decode.h"
#include "profile/flat.h"
#include "profile/times.h"
#include "synthetic.h"

#define assert_ok(call) assert_null(call)

static struct profile *new_profile(const struct profile_window *window)
{
	struct profile *profile;
	assert_ok(profile_create(window, &profile));
	return profile;
}

/* A profile, a view of it, its tree and its flat rows. */
struct looked {
	struct profile_view view;
	struct profile_tree tree;
	struct profile_flat flat;
};

static struct looked look(
	struct profile *profile, const struct profile_view_options *view, struct profile_tree_options tree)
{
	struct looked looked;
	tree.by_line = true;
	assert_ok(profile_view_init(profile, view, &looked.view));
	assert_ok(profile_tree_init(&looked.view, &tree, &looked.tree));
	assert_ok(profile_flat_init(&looked.view, &looked.tree, &looked.flat));
	return looked;
}

static void unlook(struct looked *looked)
{
	profile_flat_deinit(&looked->flat);
	profile_tree_deinit(&looked->tree);
	profile_view_deinit(&looked->view);
}

static const struct profile_function_row *row_of(const struct looked *looked, const char *name)
{
	for (size_t i = 0; i < looked->flat.functions.count; i++) {
		const struct profile_function_row *row = &looked->flat.functions.data[i];
		struct text found = looked->view.profile->functions.data[row->function].name;
		if (found.size == strlen(name) && memcmp(found.data, name, found.size) == 0)
			return row;
	}
	fail_msg("no function %s", name);
	return NULL;
}

static const struct profile_line_row *line_of(const struct looked *looked, const char *file_end, uint32_t line)
{
	for (size_t i = 0; i < looked->flat.lines.count; i++) {
		const struct profile_line_row *row = &looked->flat.lines.data[i];
		struct text file = looked->view.profile->functions.data[row->function].file;
		size_t length = strlen(file_end);
		if (row->line == line && file.size >= length &&
			memcmp(file.data + file.size - length, file_end, length) == 0)
			return row;
	}
	fail_msg("no line %s:%u", file_end, line);
	return NULL;
}

static void expect_self_total(const struct looked *looked, const char *name, uint64_t self, uint64_t total)
{
	assert_int_equal(row_of(looked, name)->self.weight, self);
	assert_int_equal(row_of(looked, name)->total.weight, total);
}

static void expect_words_last(const struct looked *looked)
{
	const struct profile_flat *flat = &looked->flat;
	for (size_t i = 0; i < flat->functions.count; i++)
		assert_int_equal(flat->functions.data[i].is_word, i + 3 >= flat->functions.count);
	for (size_t i = 0; i < flat->lines.count; i++)
		assert_int_equal(flat->lines.data[i].is_word, i + 3 >= flat->lines.count);
}

static void test_empty(void **state)
{
	_cleanup_profile_ struct profile *profile = new_profile(NULL);
	struct looked looked = look(profile, &(struct profile_view_options){ 0 }, (struct profile_tree_options){ 0 });
	assert_int_equal(looked.view.all.samples, 0);
	assert_int_equal(looked.tree.nodes.count, 1);
	assert_int_equal(looked.flat.functions.count, 0);
	assert_int_equal(profile_duration(profile), 0);
	unlook(&looked);
}

static void test_shop_views(void **state)
{
	static const struct {
		struct profile_view_options options;
		uint64_t samples;
	} views[] = {
		{ { .idle = true }, 7536 + 7530 + 7530 + 560 },
		{ { 0 }, 5136 + 530 + 560 },
		{ { .only_cpu = true }, 5006 + 340 + 560 },
		{ { .only_gil = true }, 5006 + 340 + 520 },
		{ { .process = 2 }, 560 },
		{ { .thread = 2 }, 530 },
		{ { .thread = 2, .idle = true }, 7530 },
		{ { .weight = PROFILE_CPU }, 5006 + 340 + 560 },
		{ { .weight = PROFILE_BYTES }, 0 },
	};
	_cleanup_profile_ struct profile *profile = new_profile(NULL);
	feed_shop(&profile->sink, "/srv");
	for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
		struct profile_view view;
		assert_ok(profile_view_init(profile, &views[i].options, &view));
		assert_int_equal(view.all.samples, views[i].samples);
		profile_view_deinit(&view);
	}
}

static void test_functions(void **state)
{
	_cleanup_profile_ struct profile *profile = new_profile(NULL);
	feed_shop(&profile->sink, "/srv");
	struct looked looked = look(profile, &(struct profile_view_options){ 0 }, (struct profile_tree_options){ 0 });
	expect_self_total(&looked, "JSONDecoder.raw_decode", 1984, 1984);
	expect_self_total(&looked, "JSONDecoder.decode", 0, 1984);
	expect_self_total(&looked, "Basket.price", 610 + 130 + 240 + 7 + 520, 610 + 130 + 240 + 7 + 520 + 1480 + 410);
	expect_self_total(&looked, "<garbage collection>", 410, 410);
	expect_self_total(&looked, "<partial>", 0, 7);
	expect_self_total(&looked, "<no Python frame>", 40, 40);
	expect_self_total(&looked, "digest_worker", 530, 530);
	assert_int_equal(row_of(&looked, "JSONDecoder.raw_decode")->in_c, 1900);
	assert_int_equal(row_of(&looked, "digest_worker")->waits_gil, 190);
	assert_int_equal(row_of(&looked, "digest_worker")->holds_gil, 340);
	assert_int_equal(looked.flat.in_c, 1900 + 120 + 340);
	assert_int_equal(looked.flat.gc.samples, 410);
	uint64_t self = 0;
	for (size_t i = 0; i < looked.flat.functions.count; i++)
		self += looked.flat.functions.data[i].self.weight;
	assert_int_equal(self, looked.view.all.weight);
	assert_ptr_equal(&looked.flat.functions.data[0], row_of(&looked, "JSONDecoder.raw_decode"));
	assert_int_equal(looked.flat.words, 410 + 40);
	expect_words_last(&looked);
	profile_flat_sort_by_total(&looked.flat);
	assert_ptr_equal(&looked.flat.functions.data[0], row_of(&looked, "<module>"));
	expect_words_last(&looked);
	unlook(&looked);
}

static void test_lines(void **state)
{
	_cleanup_profile_ struct profile *profile = new_profile(NULL);
	feed_shop(&profile->sink, "/srv");
	struct looked looked = look(profile, &(struct profile_view_options){ 0 }, (struct profile_tree_options){ 0 });
	const struct profile_line_row *query = line_of(&looked, "prices.py", 17),
				      *churn = line_of(&looked, "prices.py", 22);
	assert_int_equal(query->self.weight, 610 + 130 + 7 + 520);
	assert_int_equal(churn->self.weight, 240);
	assert_int_equal(churn->total.weight, 240 + 410);
	assert_int_equal(churn->gc.weight, 410);
	assert_int_equal(line_of(&looked, "app.py", 50)->total.weight, 1984 + 1480 + 610 + 130 + 240 + 410 + 95 + 520);
	unlook(&looked);
}

/* f -> g -> f -> f: each counts once, and a line that calls itself too. */
static void test_recursion(void **state)
{
	_cleanup_profile_ struct profile *profile = new_profile(NULL);
	struct feed feed;
	feed_begin(&feed, &profile->sink, 1000);
	uint32_t thread = feed_thread(&feed, feed_process(&feed, 1, "x", ""), 1, "MainThread");
	uint32_t f = feed_function(&feed, "f", "a.py", 1), g = feed_function(&feed, "g", "a.py", 10);
	uint32_t outer = feed_stack(&feed, 0, f, 2),
		 inner = feed_stack(&feed, feed_stack(&feed, feed_stack(&feed, outer, g, 1), f, 2), f, 2);
	feed_samples(&feed, thread, inner, FEED_BUSY, QUALITY_EXACT, 5);
	feed_samples(&feed, thread, outer, FEED_BUSY, QUALITY_EXACT, 3);
	struct looked looked = look(profile, &(struct profile_view_options){ 0 }, (struct profile_tree_options){ 0 });
	expect_self_total(&looked, "f", 8, 8);
	expect_self_total(&looked, "g", 0, 5);
	assert_int_equal(line_of(&looked, "a.py", 3)->total.weight, 8);
	unlook(&looked);
}

/* One line reached by two ways counts both; stacks that come with falling instructions have their own lines. */
static void test_two_ways(void **state)
{
	_cleanup_profile_ struct profile *profile = new_profile(NULL);
	struct feed feed;
	feed_begin(&feed, &profile->sink, 1000);
	uint32_t thread = feed_thread(&feed, feed_process(&feed, 1, "x", ""), 1, "MainThread");
	uint32_t f = feed_function(&feed, "f", "a.py", 1), g = feed_function(&feed, "g", "a.py", 50);
	feed_samples(&feed, thread, feed_stack(&feed, feed_stack(&feed, 0, f, 9), g, 4), FEED_BUSY, QUALITY_EXACT, 5);
	feed_samples(&feed, thread, feed_stack(&feed, feed_stack(&feed, 0, f, 2), g, 4), FEED_BUSY, QUALITY_EXACT, 3);
	feed_samples(&feed, thread, feed_stack(&feed, feed_stack(&feed, 0, f, 20), f, 15), FEED_BUSY, QUALITY_EXACT, 2);
	struct looked looked = look(profile, &(struct profile_view_options){ 0 }, (struct profile_tree_options){ 0 });
	assert_int_equal(line_of(&looked, "a.py", 54)->total.weight, 8);
	assert_int_equal(line_of(&looked, "a.py", 10)->total.weight, 5);
	assert_int_equal(line_of(&looked, "a.py", 3)->total.weight, 3);
	assert_int_equal(line_of(&looked, "a.py", 21)->total.weight, 2);
	assert_int_equal(line_of(&looked, "a.py", 16)->self.weight, 2);
	unlook(&looked);
}

/* The same stack in two threads. */
static void test_roots(void **state)
{
	_cleanup_profile_ struct profile *profile = new_profile(NULL);
	struct feed feed;
	feed_begin(&feed, &profile->sink, 1000);
	uint32_t process = feed_process(&feed, 1, "x", ""), one = feed_thread(&feed, process, 1, "a"),
		 two = feed_thread(&feed, process, 2, "b");
	uint32_t stack = feed_stack(&feed, 0, feed_function(&feed, "f", "a.py", 1), 2);
	feed_samples(&feed, one, stack, FEED_BUSY, QUALITY_EXACT, 5);
	feed_samples(&feed, two, stack, FEED_BUSY, QUALITY_EXACT, 9);
	feed_samples(&feed, one, stack, FEED_BUSY, QUALITY_REPAIRED, 1);
	struct looked looked = look(
		profile, &(struct profile_view_options){ 0 }, (struct profile_tree_options){ .by_thread = true });
	assert_int_equal(looked.tree.nodes.count, 1 + 2 + 2);
	const struct profile_node *first = &looked.tree.nodes.data[looked.tree.nodes.data[0].first_child];
	assert_int_equal(first->kind, NODE_THREAD);
	assert_int_equal(first->what, two);
	assert_int_equal(first->total.weight, 9);
	assert_int_equal(looked.tree.nodes.data[first->next_sibling].total.weight, 6);
	unlook(&looked);
}

/* Ten thousand calls deep, and a profile that goes on after it was looked at. */
static void test_deep_and_again(void **state)
{
	_cleanup_profile_ struct profile *profile = new_profile(NULL);
	feed_hostile(&profile->sink);
	struct looked looked = look(profile, &(struct profile_view_options){ 0 }, (struct profile_tree_options){ 0 });
	expect_self_total(&looked, "down", 50, 50);
	expect_self_total(&looked, "<module>", 0, looked.view.all.weight);
	uint32_t deepest = 0;
	for (size_t i = 0; i < looked.tree.nodes.count; i++)
		deepest = looked.tree.nodes.data[i].depth > deepest ? looked.tree.nodes.data[i].depth : deepest;
	assert_int_equal(deepest, 10001);
	uint64_t before = looked.view.all.weight;
	unlook(&looked);
	struct feed feed = { .sink = &profile->sink,
		.period = 1000000,
		.time = 1,
		.codes = (uint32_t)profile->codes.count - 1,
		.stacks = (uint32_t)profile->stacks.count - 1 };
	feed_samples(&feed, 1, feed_stack(&feed, 0, feed_function(&feed, "late", "b.py", 1), 0), FEED_BUSY,
		QUALITY_EXACT, 4);
	looked = look(profile, &(struct profile_view_options){ 0 }, (struct profile_tree_options){ 0 });
	expect_self_total(&looked, "late", 4, 4);
	assert_int_equal(looked.view.all.weight, before + 4);
	unlook(&looked);
}

/* The same function in two processes, read twice, is one; the same name on another line is not. */
static void test_function_identity(void **state)
{
	_cleanup_profile_ struct profile *profile = new_profile(NULL);
	struct feed feed;
	feed_begin(&feed, &profile->sink, 1000);
	uint32_t one = feed_thread(&feed, feed_process(&feed, 1, "x", ""), 1, "MainThread");
	uint32_t two = feed_thread(&feed, feed_process(&feed, 2, "x", ""), 2, "MainThread");
	feed_samples(
		&feed, one, feed_stack(&feed, 0, feed_function(&feed, "f", "a.py", 1), 2), FEED_BUSY, QUALITY_EXACT, 5);
	feed_samples(
		&feed, two, feed_stack(&feed, 0, feed_function(&feed, "f", "a.py", 1), 2), FEED_BUSY, QUALITY_EXACT, 6);
	feed_samples(&feed, two, feed_stack(&feed, 0, feed_function(&feed, "f", "a.py", 30), 2), FEED_BUSY,
		QUALITY_EXACT, 1);
	struct looked looked = look(profile, &(struct profile_view_options){ 0 }, (struct profile_tree_options){ 0 });
	assert_int_equal(looked.flat.functions.count, 2);
	assert_int_equal(looked.flat.functions.data[0].self.weight, 11);
	assert_int_equal(looked.tree.nodes.count, 3);
	unlook(&looked);
	looked = look(profile, &(struct profile_view_options){ 0 },
		(struct profile_tree_options){ .by_process = true, .by_thread = true });
	assert_int_equal(looked.flat.functions.count, 2);
	assert_int_equal(looked.flat.functions.data[0].total.weight, 11);
	assert_int_equal(looked.tree.nodes.count, 1 + 2 + 2 + 3);
	assert_int_equal(
		looked.tree.nodes.data[looked.tree.nodes.data[0].first_child].what, 2); /* the heavier process */
	unlook(&looked);
}

static void test_fold(void **state)
{
	_cleanup_profile_ struct profile *profile = new_profile(NULL);
	feed_shop(&profile->sink, "/srv");
	struct profile_view view;
	struct profile_tree tree, folded;
	assert_ok(profile_view_init(profile, &(struct profile_view_options){ .process = 1, .thread = 1 }, &view));
	assert_ok(profile_tree_init(&view, &(struct profile_tree_options){ 0 }, &tree));
	assert_ok(profile_tree_fold(profile, &tree, &folded));
	assert_int_equal(folded.nodes.data[0].total.weight, tree.nodes.data[0].total.weight);
	bool seen = false;
	for (size_t i = 1; i < folded.nodes.count; i++) {
		const struct profile_node *node = &folded.nodes.data[i];
		const struct profile_function *function = &profile->functions
								   .data[profile->frames.data[node->what].function];
		if (function->name.size == 5 && memcmp(function->name.data, "loads", 5) == 0) {
			seen = true;
			assert_int_equal(node->folded, 2);
			assert_int_equal(node->self.weight, 1984);
			assert_int_equal(node->first_child, 0);
		}
	}
	assert_true(seen);
	profile_tree_deinit(&folded);
	profile_tree_deinit(&tree);
	profile_view_deinit(&view);
}

/* Two libraries that call each other stay two. */
static void test_fold_packages(void **state)
{
	_cleanup_profile_ struct profile *profile = new_profile(NULL);
	struct feed feed;
	feed_begin(&feed, &profile->sink, 1000);
	uint32_t thread = feed_thread(&feed, feed_process(&feed, 1, "x", ""), 1, "MainThread");
	uint32_t one = feed_function(&feed, "one", "/v/site-packages/one/a.py", 1),
		 two = feed_function(&feed, "two", "/v/site-packages/two/a.py", 1);
	uint32_t other = feed_function(&feed, "other", "/v/site-packages/two/b.py", 1);
	uint32_t stack = feed_stack(&feed, feed_stack(&feed, feed_stack(&feed, 0, one, 1), two, 1), other, 1);
	feed_samples(&feed, thread, stack, FEED_BUSY, QUALITY_EXACT, 5);
	struct profile_view view;
	struct profile_tree tree, folded;
	assert_ok(profile_view_init(profile, &(struct profile_view_options){ 0 }, &view));
	assert_ok(profile_tree_init(&view, &(struct profile_tree_options){ 0 }, &tree));
	assert_ok(profile_tree_fold(profile, &tree, &folded));
	assert_int_equal(folded.nodes.count, 3);
	assert_int_equal(folded.nodes.data[2].folded, 1);
	profile_tree_deinit(&folded);
	profile_tree_deinit(&tree);
	profile_view_deinit(&view);
}

static void test_fold_recursion(void **state)
{
	_cleanup_profile_ struct profile *profile = new_profile(NULL);
	feed_hostile(&profile->sink);
	struct profile_view view;
	struct profile_tree tree, folded;
	assert_ok(profile_view_init(profile, &(struct profile_view_options){ 0 }, &view));
	assert_ok(profile_tree_init(&view, &(struct profile_tree_options){ 0 }, &tree));
	assert_ok(profile_tree_fold(profile, &tree, &folded));
	assert_true(folded.nodes.count < 20);
	assert_int_equal(
		folded.nodes.data[folded.nodes.data[folded.nodes.data[0].first_child].first_child].folded, 9999);
	profile_tree_deinit(&folded);
	profile_tree_deinit(&tree);
	profile_view_deinit(&view);
}

static void test_times(void **state)
{
	_cleanup_profile_ struct profile *profile = new_profile(NULL);
	_cleanup_profile_time_table_ struct profile_time_table times = { 0 };
	feed_shop(&profile->sink, "/srv");
	assert_ok(profile_time_table_init(profile, &times));
	assert_int_equal(times.threads[1].cpu, 4980ull * NS_PER_MS);
	assert_true(times.threads[1].cpu_exact);
	assert_false(times.threads[2].cpu_exact);
	assert_int_equal(times.threads[2].cpu, 340ull * NS_PER_MS);
	assert_int_equal(times.threads[3].idle, 7530ull * NS_PER_MS);
	assert_int_equal(times.all.gil_wait, (130 + 190) * (uint64_t)NS_PER_MS);
	assert_int_equal(times.all.gil_held, (5006 + 340 + 520) * (uint64_t)NS_PER_MS);
	assert_int_equal(times.all.gc, 410ull * NS_PER_MS);
	assert_int_equal(times.processes[2].threads, 2);
	assert_int_equal(times.all.cpu, (4980 + 340 + 560) * (uint64_t)NS_PER_MS);
	assert_false(times.all.cpu_exact);
	assert_int_equal(times.all.quality[QUALITY_PARTIAL], 7);
	assert_int_equal(profile_counter_change(&profile->processes.data[1].gc[0]), 571);
	assert_int_equal(profile->waits.count, 2);
}

/* Every moment of a thread is in one part of its time, also in states that are two things at once. */
static void test_parts_of_time(void **state)
{
	static const unsigned states[] = { FEED_BUSY, STATE_ON_CPU | STATE_RUNNABLE, STATE_RUNNABLE,
		STATE_RUNNABLE | STATE_WAITS_GIL, STATE_WAITS_GIL | STATE_IN_SYSCALL, STATE_UNINTERRUPTIBLE,
		STATE_UNINTERRUPTIBLE | STATE_IN_SYSCALL, STATE_STOPPED, FEED_IDLE, 0 };
	_cleanup_profile_ struct profile *profile = new_profile(NULL);
	_cleanup_profile_time_table_ struct profile_time_table times = { 0 };
	struct feed feed;
	feed_begin(&feed, &profile->sink, 1000);
	uint32_t process = feed_process(&feed, 1, "x", ""), thread = feed_thread(&feed, process, 1, "MainThread");
	feed_thread(&feed, process, 2, "holder");
	for (size_t i = 0; i < sizeof states / sizeof *states; i++)
		feed_samples(&feed, thread, 0, states[i], QUALITY_EXACT, 1);
	assert_ok(profile_time_table_init(profile, &times));
	const struct profile_times *all = &times.all;
	assert_int_equal(all->on_cpu, 2 * NS_PER_MS);
	assert_int_equal(all->runnable, NS_PER_MS);
	assert_int_equal(all->gil_wait, 2 * NS_PER_MS);
	assert_int_equal(all->disk_wait, 2 * NS_PER_MS);
	assert_int_equal(all->idle, 3 * NS_PER_MS);
	assert_int_equal(all->on_cpu + all->runnable + all->gil_wait + all->disk_wait + all->idle, all->wall);
	assert_int_equal(all->core_wait, all->runnable);
	static const int calls[] = { PROFILE_STOPPED, 232, PROFILE_NO_CALL };
	assert_int_equal(profile->idle.count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(profile->idle.data[i].system_call, calls[i]);
		assert_int_equal(profile->idle.data[i].wall, NS_PER_MS);
	}
}

/* The kernel's word on waiting for a core counts where its word on CPU time does. */
static void test_core_wait(void **state)
{
	_cleanup_profile_ struct profile *profile = new_profile(NULL);
	_cleanup_profile_time_table_ struct profile_time_table times = { 0 };
	struct feed feed;
	feed_begin(&feed, &profile->sink, 1000);
	uint32_t thread = feed_thread(&feed, feed_process(&feed, 1, "x", ""), 1, "MainThread");
	feed_samples(&feed, thread, 0, FEED_BUSY, QUALITY_EXACT, 400);
	for (uint64_t i = 0; i < 2; i++) {
		feed_counter(&feed, 1, thread, SUBJECT_CPU_TIME, i * feed.time, i * 100 * NS_PER_MS);
		feed_counter(&feed, 1, thread, SUBJECT_RUNQUEUE_TIME, i * feed.time, i * 300 * NS_PER_MS);
	}
	assert_ok(profile_time_table_init(profile, &times));
	assert_true(times.all.cpu_exact);
	assert_int_equal(times.all.cpu, 100 * NS_PER_MS);
	assert_int_equal(times.all.core_wait, 300 * NS_PER_MS);
	assert_int_equal(times.processes[1].core_wait, 300 * NS_PER_MS);
}

static void test_window(void **state)
{
	_cleanup_profile_ struct profile *profile = new_profile(
		&(struct profile_window){ 100 * NS_PER_MS, 200 * NS_PER_MS });
	feed_shop(&profile->sink, "/srv");
	struct profile_view view;
	assert_ok(profile_view_init(profile, &(struct profile_view_options){ .thread = 1 }, &view));
	assert_int_equal(view.all.samples, 100);
	assert_int_equal(profile_duration(profile), 100 * NS_PER_MS);
	profile_view_deinit(&view);
}

/* A counter that was read for a part of the time only does not say how much CPU time there was in all. */
static void test_counters(void **state)
{
	struct profile_window window = { 100 * NS_PER_MS, 200 * NS_PER_MS };
	for (int windowed = 0; windowed < 2; windowed++) {
		_cleanup_profile_ struct profile *profile = new_profile(windowed ? &window : NULL);
		_cleanup_profile_time_table_ struct profile_time_table times = { 0 };
		struct feed feed;
		feed_begin(&feed, &profile->sink, 1000);
		uint32_t thread = feed_thread(&feed, feed_process(&feed, 1, "x", ""), 1, "MainThread");
		uint32_t stack = feed_stack(&feed, 0, feed_function(&feed, "f", "a.py", 1), 2);
		feed_samples(&feed, thread, stack, FEED_BUSY, QUALITY_EXACT, 400);
		static const unsigned readings[][2] = { { 0, 10 }, { 50, 20 }, { 150, 50 }, { 300, 90 } };
		for (size_t i = 0; i < sizeof readings / sizeof *readings; i++)
			feed_counter(&feed, 1, thread, SUBJECT_CPU_TIME, readings[i][0] * (uint64_t)NS_PER_MS,
				readings[i][1]);
		assert_int_equal(profile_counter_change(&profile->threads.data[1].cpu), windowed ? 30 : 80);
		assert_ok(profile_time_table_init(profile, &times));
		assert_false(times.threads[1].cpu_exact);
		assert_int_equal(times.threads[1].cpu, (windowed ? 100 : 400) * (uint64_t)NS_PER_MS);
	}
}

static void test_damaged(void **state)
{
	_cleanup_profile_ struct profile *profile = new_profile(NULL);
	struct sink *sink = &profile->sink;
	struct feed feed;
	feed_begin(&feed, sink, 1000);
	feed_thread(&feed, feed_process(&feed, 1, "x", ""), 1, "MainThread");
	feed_stack(&feed, 0, feed_function(&feed, "f", "a.py", 1), 2);
	struct error *errors[] = {
		sink->ops->process(sink, &(struct process_def){ .id = 0 }),
		sink->ops->process(sink, &(struct process_def){ .id = 3 }),
		sink->ops->thread(sink, &(struct thread_def){ .id = 3, .process = 1 }),
		sink->ops->thread(sink, &(struct thread_def){ .id = 2, .process = 2 }),
		sink->ops->thread(sink, &(struct thread_def){ .id = 2, .process = 0 }),
		sink->ops->code(sink, &(struct code_def){ .id = 3 }),
		sink->ops->code(sink, &(struct code_def){ .id = 1 }),
		sink->ops->stack(sink, &(struct stack_def){ .id = 3, .code = 1 }),
		sink->ops->stack(sink, &(struct stack_def){ .id = 2, .code = 2 }),
		sink->ops->stack(sink, &(struct stack_def){ .id = 2, .code = 0 }),
		sink->ops->stack(sink, &(struct stack_def){ .id = 2, .code = 1, .parent = 2 }),
		sink->ops->events(sink, &(struct event){ .kind = EVENT_SAMPLE, .stack = 2 }, 1),
		sink->ops->events(sink, &(struct event){ .kind = EVENT_SAMPLE, .thread = 2 }, 1),
		sink->ops->events(sink, &(struct event){ .kind = EVENT_SAMPLE, .process = 2 }, 1),
		sink->ops->events(sink, &(struct event){ .kind = EVENT_SAMPLE, .waits_for = 2 }, 1),
		sink->ops->events(sink, &(struct event){ .kind = EVENT_SAMPLE, .quality = QUALITY_END }, 1),
		sink->ops->events(sink, &(struct event){ .kind = 0 }, 1),
		sink->ops->events(sink, &(struct event){ .kind = EVENT_KIND_END }, 1),
	};
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
		if (!errors[i])
			fail_msg("case %zu was taken", i);
		assert_int_equal(errors[i]->kind, ERROR_CORRUPT);
		error_free(errors[i]);
	}
	feed_samples(&feed, 1, 1, FEED_BUSY, QUALITY_EXACT, 1);
}

static void test_renamed_thread(void **state)
{
	_cleanup_profile_ struct profile *profile = new_profile(NULL);
	struct feed feed;
	feed_begin(&feed, &profile->sink, 1000);
	uint32_t process = feed_process(&feed, 1, "x", "");
	feed_thread(&feed, process, 1, "before");
	feed.threads = 0;
	feed_thread(&feed, process, 1, "after");
	assert_int_equal(profile->threads.count, 2);
	assert_memory_equal(profile->threads.data[1].name.data, "after", 5);
}

static void expect_share(uint64_t weight, uint64_t whole, uint64_t samples, double low, double high)
{
	struct profile_share share = profile_share_of(weight, whole, samples);
	assert_float_equal(share.low, low, 5e-5);
	assert_float_equal(share.high, high, 5e-5);
}

/* Against the textbook's values of Wilson's interval. */
static void test_intervals(void **state)
{
	expect_share(50, 100, 100, 0.40383, 0.59617);
	expect_share(0, 10, 10, 0, 0.27754);
	expect_share(10, 10, 10, 0.72246, 1);
	expect_share(1, 1000, 1000, 0.00018, 0.00564);
	expect_share(500, 1000, 100, 0.40383, 0.59617);
	expect_share(0, 0, 0, 0, 1);
	expect_share(7, 3, 10, 0.72246, 1);
}

static void test_origins(void **state)
{
	static const struct {
		const char *file, *package;
		enum profile_origin origin;
	} cases[] = {
		{ "/srv/app.py", "", ORIGIN_OWN },
		{ "app.py", "", ORIGIN_OWN },
		{ "<string>", "", ORIGIN_OWN },
		{ "", "", ORIGIN_OWN },
		{ "/usr/lib/python3.11/json/decoder.py", "", ORIGIN_STDLIB },
		{ "/opt/py/lib64/python2.7/os.py", "", ORIGIN_STDLIB },
		{ "/home/me/lib/pythonic/a.py", "", ORIGIN_OWN },
		{ "/venv/lib/python3.11/site-packages/requests/api.py", "requests", ORIGIN_SITE },
		{ "/usr/lib/python3/dist-packages/six.py", "six.py", ORIGIN_SITE },
		{ "<frozen importlib._bootstrap>", "", ORIGIN_IMPORT },
		{ "<frozen zipimport>", "", ORIGIN_IMPORT },
		{ "/usr/lib/python3.11/importlib/_bootstrap_external.py", "", ORIGIN_IMPORT },
		{ "<frozen runpy>", "", ORIGIN_STDLIB },
		{ "/a/site-packages/", "", ORIGIN_OWN },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct text package;
		assert_int_equal(profile_find_origin(feed_text(cases[i].file), &package), cases[i].origin);
		assert_int_equal(package.size, strlen(cases[i].package));
		assert_memory_equal(package.data, cases[i].package, package.size);
	}
}

/* Bytes of allocations are not time, and never idle. */
static void test_other_weights(void **state)
{
	_cleanup_profile_ struct profile *profile = new_profile(NULL);
	struct feed feed;
	feed_begin(&feed, &profile->sink, 1000);
	uint32_t thread = feed_thread(&feed, feed_process(&feed, 1, "x", ""), 1, "MainThread");
	uint32_t stack = feed_stack(&feed, 0, feed_function(&feed, "f", "a.py", 1), 2);
	feed_samples(&feed, thread, stack, FEED_BUSY, QUALITY_EXACT, 3);
	feed_event(&feed, &(struct event){ .kind = EVENT_ALLOC,
				  .thread = thread,
				  .stack = stack,
				  .weight = { [WEIGHT_BYTES] = 4096, [WEIGHT_COUNT] = 1 } });
	struct profile_view view;
	assert_ok(profile_view_init(
		profile, &(struct profile_view_options){ .weight = PROFILE_BYTES, .only_gil = true }, &view));
	assert_int_equal(view.all.weight, 4096);
	profile_view_deinit(&view);
	assert_ok(profile_view_init(profile, &(struct profile_view_options){ 0 }, &view));
	assert_int_equal(view.all.weight, 3);
	profile_view_deinit(&view);
}

/* Each string has one number, also where one is the beginning of another, and stays where it is. */
static void test_strings(void **state)
{
	enum { COUNT = 3000 };
	static char text[COUNT];
	struct profile_strings strings;
	uint32_t number;
	memset(text, 'a', sizeof text);
	assert_true(profile_strings_init(&strings));
	for (int round = 0; round < 2; round++)
		for (uint32_t i = 0; i < COUNT; i++) {
			assert_true(profile_strings_add(&strings, (struct text){ text, i }, &number));
			assert_int_equal(number, i);
			assert_int_equal(profile_strings_get(&strings, number).size, i);
			assert_memory_equal(profile_strings_get(&strings, number).data, text, i);
		}
	assert_true(profile_strings_add(&strings, (struct text){ NULL, 0 }, &number));
	assert_int_equal(number, 0);
	profile_strings_deinit(&strings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_shop_views),
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_recursion),
		cmocka_unit_test(test_two_ways),
		cmocka_unit_test(test_roots),
		cmocka_unit_test(test_deep_and_again),
		cmocka_unit_test(test_function_identity),
		cmocka_unit_test(test_fold),
		cmocka_unit_test(test_fold_packages),
		cmocka_unit_test(test_fold_recursion),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_parts_of_time),
		cmocka_unit_test(test_core_wait),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_renamed_thread),
		cmocka_unit_test(test_intervals),
		cmocka_unit_test(test_origins),
		cmocka_unit_test(test_other_weights),
		cmocka_unit_test(test_strings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
