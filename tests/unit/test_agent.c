/* test_agent.c: what the agent counts (agent/segment/recorder.h) is what comes out of the segment (inject/drain.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/orders.h"
#include "agent/segment/recorder.h"
#include "agent/segment/ticks.h"
#include "inject/orders.h"
#include "recording_kit.h"
#include "segment_kit.h"

static uint64_t calls_of(const struct kit *kit, const char *const *names)
{
	const struct event *event = segment_find(kit, segment_find_stack(kit, names, 0), SUBJECT_CALLS);
	return event ? event->weight[WEIGHT_COUNT] : 0;
}

/* ---- tests ---- */

static void paths_and_times_come_out(void **state)
{
	struct kit kit;
	uint32_t f = segment_add_code("f"), g = segment_add_code("g");
	struct recorder_thread *thread = recorder_add_thread(42, 99, true);
	uint64_t now = recorder.head->start_ticks;
	assert_true(recorder_enter(thread, f, false, now));
	for (int i = 0; i < 3; i++) {
		assert_true(recorder_enter(thread, g, false, now + 1000000));
		recorder_leave(thread, i == 2 ? LEAVE_UNWIND : LEAVE_RETURN, now + 2000000);
	}
	recorder_leave(thread, LEAVE_RETURN, now + 8000000);
	recorder_close(SEGMENT_ENDED, NULL);
	assert_null(segment_drain(&kit));
	assert_int_equal(kit.threads.count, 1);
	assert_int_equal(kit.threads.data[0].tid, 42);
	assert_int_equal(calls_of(&kit, PATH("f")), 1);
	assert_int_equal(calls_of(&kit, PATH("f", "g")), 3);
	const struct event *outer = segment_find(&kit, segment_find_stack(&kit, PATH("f"), 0), SUBJECT_CALLS),
			   *inner = segment_find(&kit, segment_find_stack(&kit, PATH("f", "g"), 0), SUBJECT_CALLS),
			   *unwound = segment_find(&kit, segment_find_stack(&kit, PATH("f", "g"), 0), SUBJECT_UNWOUND);
	assert_int_equal(unwound->weight[WEIGHT_COUNT], 1);
	double ratio = (double)outer->weight[WEIGHT_WALL] / (double)inner->weight[WEIGHT_WALL];
	assert_true(ratio > 2.66 && ratio < 2.67);
	assert_int_equal(kit.codes.data[0].first_line, 7);
	kit_deinit(&kit);
}

/* More levels than a block of frames holds, down and up again, so that both ends of a block are crossed. */
static void recursion_of_any_depth(void **state)
{
	enum { DEPTH = 5 * SEGMENT_FRAMES };
	struct kit kit;
	uint32_t f = segment_add_code("f");
	struct recorder_thread *thread = recorder_add_thread(1, 1, true);
	for (int turn = 0; turn < 3; turn++) {
		for (int i = 0; i < DEPTH; i++)
			assert_true(recorder_enter(thread, f, false, 1000));
		for (int i = 0; i < DEPTH; i++)
			recorder_leave(thread, LEAVE_RETURN, 2000);
	}
	assert_int_equal(thread->shared->depth, 0);
	recorder_close(SEGMENT_ENDED, NULL);
	assert_null(segment_drain(&kit));
	assert_int_equal(kit.stacks.count, DEPTH);
	for (size_t i = 0; i < kit.events.count; i++)
		if (kit.events.data[i].subject == SUBJECT_CALLS)
			assert_int_equal(kit.events.data[i].weight[WEIGHT_COUNT], 3);
	kit_deinit(&kit);
}

/* A program that was killed: what it was in lasted until the end, at every depth around the ends of blocks. */
static void calls_that_never_returned(void **state)
{
	for (int depth = SEGMENT_FRAMES - 1; depth <= SEGMENT_FRAMES + 1; depth++) {
		struct kit kit;
		segment_end(state);
		segment_begin(state);
		uint32_t f = segment_add_code("f"), g = segment_add_code("g");
		struct recorder_thread *thread = recorder_add_thread(1, 1, true);
		uint64_t now = recorder.head->start_ticks;
		for (int i = 0; i < depth; i++)
			assert_true(recorder_enter(thread, i ? g : f, false, now + (uint64_t)i));
		assert_true(recorder_enter(thread, g, false, now));
		recorder_leave(thread, LEAVE_RETURN, now);
		recorder.head->end_ticks = now + 1000000;
		assert_null(segment_drain(&kit));
		size_t lasted = 0;
		for (size_t i = 0; i < kit.events.count; i++)
			lasted += kit.events.data[i].subject == SUBJECT_CALLS &&
				  kit.events.data[i].weight[WEIGHT_WALL] > 0;
		assert_int_equal(lasted, depth);
		kit_deinit(&kit);
	}
}

static void generators_are_resumed(void **state)
{
	struct kit kit;
	uint32_t f = segment_add_code("f"), g = segment_add_code("g");
	struct recorder_thread *thread = recorder_add_thread(1, 1, true);
	recorder_enter(thread, f, false, 0);
	for (uint64_t i = 0; i < 4; i++) {
		recorder_enter(thread, g, i > 0, 10000 * i);
		recorder_leave(thread, i < 3 ? LEAVE_YIELD : LEAVE_RETURN, 10000 * i + 2000);
	}
	recorder_leave(thread, LEAVE_RETURN, 100000);
	recorder_close(SEGMENT_ENDED, NULL);
	assert_null(segment_drain(&kit));
	uint32_t stack = segment_find_stack(&kit, PATH("f", "g"), 0);
	assert_int_equal(calls_of(&kit, PATH("f", "g")), 1);
	assert_int_equal(segment_find(&kit, stack, SUBJECT_RESUMED)->weight[WEIGHT_COUNT], 3);
	double inside = (double)segment_find(&kit, stack, SUBJECT_CALLS)->weight[WEIGHT_WALL],
	       suspended = (double)segment_find(&kit, stack, SUBJECT_SUSPENDED)->weight[WEIGHT_WALL];
	assert_true(suspended / inside > 2.99 && suspended / inside < 3.01); /* 3 x 8000 to 4 x 2000 */
	kit_deinit(&kit);
}

/* One that is never resumed is suspended until the end, not since the beginning of time. */
static void generators_are_abandoned(void **state)
{
	struct kit kit;
	uint32_t g = segment_add_code("g");
	struct recorder_thread *thread = recorder_add_thread(1, 1, true);
	uint64_t now = recorder.head->start_ticks;
	recorder_enter(thread, g, false, now);
	recorder_leave(thread, LEAVE_YIELD, now + 1000000);
	recorder.head->end_ticks = now + 3000000;
	assert_null(segment_drain(&kit));
	uint32_t stack = segment_find_stack(&kit, PATH("g"), 0);
	double inside = (double)segment_find(&kit, stack, SUBJECT_CALLS)->weight[WEIGHT_WALL],
	       suspended = (double)(int64_t)segment_find(&kit, stack, SUBJECT_SUSPENDED)->weight[WEIGHT_WALL];
	assert_true(suspended / inside > 1.99 && suspended / inside < 2.01);
	kit_deinit(&kit);
}

static void *call_much(void *code)
{
	struct recorder_thread *thread = recorder_add_thread(1, 1, true);
	for (int i = 0; i < 100000; i++) {
		recorder_enter(thread, *(uint32_t *)code, false, ticks_now());
		recorder_leave(thread, LEAVE_RETURN, ticks_now());
	}
	return NULL;
}

static void threads_do_not_mix(void **state)
{
	enum { THREADS = 8 };
	struct kit kit;
	pthread_t threads[THREADS];
	uint32_t f = segment_add_code("f");
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, call_much, &f);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	recorder_close(SEGMENT_ENDED, NULL);
	assert_null(segment_drain(&kit));
	assert_int_equal(kit.threads.count, THREADS);
	assert_int_equal(kit.stacks.count, 1);
	uint64_t calls = 0;
	for (size_t i = 0; i < kit.events.count; i++)
		if (kit.events.data[i].subject == SUBJECT_CALLS)
			calls += kit.events.data[i].weight[WEIGHT_COUNT];
	assert_int_equal(calls, THREADS * 100000);
	kit_deinit(&kit);
}

/* Whatever stands in the file, reading it ends, and without reading beside it (the sanitizers watch). */
static void damage_is_survived(void **state)
{
	uint32_t codes[4] = { segment_add_code("a"), segment_add_code("b"), segment_add_code("c"),
		segment_add_code("d") };
	struct recorder_thread *thread = recorder_add_thread(1, 1, true);
	for (uint64_t i = 0; i < 300; i++)
		if (i % 3 == 2)
			recorder_leave(thread, LEAVE_RETURN, i);
		else
			recorder_enter(thread, codes[i * 7 % 4], false, i);
	uint64_t used = recorder.head->used;
	unsigned char *whole = malloc(used);
	memcpy(whole, recorder.head, used);
	struct random random = { .seed = 5 };
	for (int turn = 0; turn < 400; turn++) {
		unsigned char *bytes = (unsigned char *)recorder.head;
		memcpy(bytes, whole, used);
		for (int i = 0; i < 6; i++) {
			uint64_t place = sizeof(uint64_t) + random_below(&random, used - 16);
			uint32_t value = (uint32_t)random_any(&random, UINT32_MAX);
			memcpy(bytes + place / 4 * 4, &value, sizeof value);
		}
		struct kit kit;
		error_free(segment_drain(&kit));
		kit_deinit(&kit);
	}
	assert_return_code(truncate(segment_path, 100), 0);
	struct kit kit;
	struct error *error = segment_drain(&kit);
	assert_non_null(error);
	error_free(error);
	kit_deinit(&kit);
	free(whole);
}

/* ---- one after the other ---- */

static void sessions_do_not_mix(void **state)
{
	struct recorder_thread *thread = recorder_add_thread(1, 1, true);
	recorder_enter(thread, segment_add_code("before"), false, 1);
	uint32_t first = recorder.session;
	recorder_close(SEGMENT_SEALED, "enough");
	assert_false(recorder_is_on());
	assert_null(recorder_add_thread(2, 2, true));
	unlink(segment_path);
	assert_int_equal(recorder_open(segment_path, 0x030d0000, false), 0);
	assert_int_not_equal(recorder.session, first);
	recorder_leave(thread, LEAVE_RETURN, 2); /* who was amid an event has still where to write */
	thread = recorder_add_thread(1, 1, true);
	recorder_enter(thread, segment_add_code("after"), false, recorder.head->start_ticks);
	atomic_store(&recorder.head->state, SEGMENT_RUNNING);
	struct kit kit;
	assert_null(segment_drain(&kit));
	assert_int_equal(kit.codes.count, 1);
	kit_deinit(&kit);
}

static void orders_arrive(void **state)
{
	static struct orders orders;
	_cleanup_buffer_ struct buffer text = { 0 };
	assert_true(calls_orders_write(&(struct calls_orders){ .builtins = true }, "/run/x y", &text));
	assert_true(orders_read(&orders, text.data));
	assert_string_equal(orders_get(&orders, "folder"), "/run/x y");
	assert_string_equal(orders_get(&orders, "builtins"), "");
	assert_null(orders_get(&orders, "fold"));
	assert_null(orders_get(&orders, "nothing"));
	assert_true(orders_read(&orders, "calls\na=1\nb=\na=2\n"));
	const char *one = orders_get(&orders, "a"), *other = orders_next(&orders, "a", one);
	assert_string_equal(one, "1");
	assert_string_equal(other, "2");
	assert_null(orders_next(&orders, "a", other));
	assert_true(orders_read(&orders, "lines\na=1\n") && orders.lines);
	assert_true(orders_read(&orders, "memory\na=1\n") && !orders.lines);
	assert_false(orders_read(&orders, "samples\na=1\n"));
	assert_false(orders_read(&orders, NULL));
	char *long_one = calloc(1, ORDERS_MAX + 1);
	memset(long_one, '\n', ORDERS_MAX);
	memcpy(long_one, "calls", 5);
	assert_false(orders_read(&orders, long_one));
	free(long_one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(paths_and_times_come_out, segment_begin, segment_end),
		cmocka_unit_test_setup_teardown(recursion_of_any_depth, segment_begin, segment_end),
		cmocka_unit_test_setup_teardown(calls_that_never_returned, segment_begin, segment_end),
		cmocka_unit_test_setup_teardown(generators_are_resumed, segment_begin, segment_end),
		cmocka_unit_test_setup_teardown(generators_are_abandoned, segment_begin, segment_end),
		cmocka_unit_test_setup_teardown(threads_do_not_mix, segment_begin, segment_end),
		cmocka_unit_test_setup_teardown(damage_is_survived, segment_begin, segment_end),
		cmocka_unit_test_setup_teardown(sessions_do_not_mix, segment_begin, segment_end),
		cmocka_unit_test(orders_arrive),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
