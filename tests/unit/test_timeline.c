/* test_timeline.c: single calls, from what the agent keeps (agent/segment/timeline.h) to events (inject/timeline.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "agent/segment/ticks.h"
#include "inject/timeline.h"
#include "segment_kit.h"

static const struct process_def process = { .pid = 1 };

/* What is taken while the target runs, and in the end. */
struct taking {
	struct kit kit;
	struct drain drain;
};

static int begin(void **state)
{
	segment_begin(state);
	recorder.head->timeline = 1;
	return 0;
}

static void open_taking(struct taking *taking)
{
	*taking = (struct taking){ 0 };
	kit_init(&taking->kit);
	drain_init(&taking->drain, &taking->kit.sink);
	taking->drain.most_kept = UINT64_MAX;
}

static void close_taking(struct taking *taking)
{
	drain_deinit(&taking->drain);
	kit_deinit(&taking->kit);
}

static void take(struct taking *taking)
{
	assert_null(timeline_take(&taking->drain, segment_path, &process, recorder.head->start_ns));
}

static void take_rest(struct taking *taking)
{
	assert_null(drain_segment(&taking->drain, segment_path, &process, recorder.head->start_ns));
}

static size_t count_calls(const struct kit *kit)
{
	size_t count = 0;
	for (size_t i = 0; i < kit->events.count; i++)
		count += kit->events.data[i].kind == EVENT_CALL;
	return count;
}

/* The n-th single call. */
static const struct event *call_at(const struct kit *kit, size_t n)
{
	for (size_t i = 0; i < kit->events.count; i++)
		if (kit->events.data[i].kind == EVENT_CALL && n-- == 0)
			return &kit->events.data[i];
	fail();
	return NULL;
}

static void assert_call(const struct taking *t, size_t n, const char *const *names, unsigned how)
{
	const struct event *call = call_at(&t->kit, n);
	assert_int_equal(call->stack, segment_find_stack(&t->kit, names, 0));
	assert_int_equal(call->weight[WEIGHT_COUNT], how);
}

static void calls_come_out_one_by_one(void **state)
{
	struct taking t;
	uint32_t f = segment_add_code("f"), g = segment_add_code("g");
	struct recorder_thread *thread = recorder_add_thread(42, 99, true);
	uint64_t now = ticks_now(), day = 1ull << 46;
	recorder_enter(thread, f, false, now);
	recorder_enter(thread, g, false, now + 1000000);
	recorder_leave(thread, LEAVE_YIELD, now + 3000000);
	recorder_enter(thread, g, true, now + 4000000);
	recorder_leave(thread, LEAVE_UNWIND, now + 4000000 + day); /* longer than a word can say */
	recorder_close(SEGMENT_ENDED, NULL);
	open_taking(&t);
	take(&t);
	assert_int_equal(count_calls(&t.kit), 0); /* no block is full */
	take_rest(&t);
	assert_int_equal(count_calls(&t.kit), 3);
	assert_call(&t, 0, PATH("f", "g"), CALL_YIELDED);
	assert_call(&t, 1, PATH("f", "g"), CALL_UNWOUND);
	assert_call(&t, 2, PATH("f"), CALL_LEFT_OPEN);
	const struct event *first = call_at(&t.kit, 0), *second = call_at(&t.kit, 1);
	double ratio = (double)second->weight[WEIGHT_WALL] / (double)first->weight[WEIGHT_WALL],
	       wanted = (double)day / 2000000;
	assert_true(ratio > 0.999 * wanted && ratio < 1.001 * wanted);
	/* And what is counted is counted all the same, of the same thread. */
	assert_int_equal(segment_find(&t.kit, segment_find_stack(&t.kit, PATH("f", "g"), 0), SUBJECT_RESUMED)
				 ->weight[WEIGHT_COUNT],
		1);
	assert_int_equal(t.kit.threads.count, 1);
	assert_int_equal(t.kit.processes.count, 1);
	close_taking(&t);
}

/* Of our own package's calls nothing is shown, with all that they call; what only passes on is left out itself. */
static void nobodys_calls_are_not_shown(void **state)
{
	struct taking t;
	const struct recorder_text file = { "a.py", 4 };
	uint32_t ours = recorder_add_code(
			 &(struct recorder_code){ .flags = SEGMENT_CODE_OURS, .file = file, .name = { "ours", 4 } }),
		 through = recorder_add_code(
			 &(struct recorder_code){ .flags = SEGMENT_CODE_THROUGH, .file = file, .name = { "t", 1 } }),
		 f = segment_add_code("f"), g = segment_add_code("g");
	struct recorder_thread *thread = recorder_add_thread(1, 1, true);
	const uint32_t path[] = { f, through, g, ours, f };
	for (int i = 0; i < 5; i++)
		recorder_enter(thread, path[i], false, ticks_now());
	for (int i = 0; i < 5; i++)
		recorder_leave(thread, LEAVE_RETURN, ticks_now());
	recorder_close(SEGMENT_ENDED, NULL);
	open_taking(&t);
	take(&t);
	take_rest(&t);
	assert_int_equal(count_calls(&t.kit), 2);
	assert_call(&t, 0, PATH("f", "g"), CALL_RETURNED);
	assert_call(&t, 1, PATH("f"), CALL_RETURNED);
	close_taking(&t);
}

/* ---- while it goes on ---- */

enum { THREADS = 3, CALLS = 1000000 };

static void *call_much(void *code)
{
	struct recorder_thread *thread = recorder_add_thread(1, 1, true);
	for (int i = 0; i < CALLS; i++) {
		recorder_enter(thread, *(uint32_t *)code, false, ticks_now());
		recorder_leave(thread, LEAVE_RETURN, ticks_now());
	}
	return thread;
}

static void none_is_lost_while_it_goes_on(void **state)
{
	struct taking t;
	pthread_t threads[THREADS];
	uint32_t f = segment_add_code("f");
	open_taking(&t);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, call_much, &f);
	for (int i = 0; i < THREADS; i++)
		while (pthread_tryjoin_np(threads[i], NULL))
			take(&t);
	recorder_close(SEGMENT_ENDED, NULL);
	assert_true(recorder.head->words_blocks <= SEGMENT_WORDS_BLOCKS);
	take_rest(&t);
	assert_int_equal(count_calls(&t.kit), THREADS * CALLS);
	uint64_t last[THREADS + 1] = { 0 };
	for (size_t i = 0; i < t.kit.events.count; i++) {
		const struct event *event = &t.kit.events.data[i];
		if (event->kind != EVENT_CALL)
			continue;
		assert_true(event->time - event->weight[WEIGHT_WALL] > last[event->thread] || !last[event->thread]);
		last[event->thread] = event->time;
	}
	close_taking(&t);
}

/* Nobody takes anything away: what there was room for is kept, and then all is over, with a word why. */
static void a_drainer_that_is_gone_ends_it(void **state)
{
	struct taking t;
	uint32_t f = segment_add_code("f");
	struct recorder_thread *thread = recorder_add_thread(1, 1, true);
	const uint64_t room = (uint64_t)SEGMENT_WORDS_BLOCKS * SEGMENT_WORDS;
	uint64_t begun = ticks_monotonic_ns(), entered = 0;
	for (; recorder_is_on() && entered < room; entered++) {
		recorder_enter(thread, f, false, ticks_now());
		recorder_leave(thread, LEAVE_RETURN, ticks_now());
	}
	uint64_t took = ticks_monotonic_ns() - begun;
	assert_false(recorder_is_on());
	assert_true(took > 900000000 && took < 20000000000);
	assert_int_equal(recorder.head->state, SEGMENT_SEALED);
	assert_non_null(strstr(recorder.head->note, "did not take what was measured"));
	open_taking(&t);
	take(&t);
	take_rest(&t);
	assert_true(count_calls(&t.kit) >= room / 2 - 1 && count_calls(&t.kit) <= room / 2);
	close_taking(&t);
}

static void enough_is_enough(void **state)
{
	enum { ENOUGH = 10000 };
	struct taking t;
	uint32_t f = segment_add_code("f"), g = segment_add_code("g");
	struct recorder_thread *thread = recorder_add_thread(1, 1, true);
	open_taking(&t);
	t.drain.most_kept = ENOUGH;
	recorder_enter(thread, f, false, ticks_now());
	for (int i = 0; i < 20 * ENOUGH; i++) {
		recorder_enter(thread, g, false, ticks_now());
		recorder_leave(thread, LEAVE_RETURN, ticks_now());
		if (i % 1000 == 0)
			take(&t);
	}
	recorder_leave(thread, LEAVE_RETURN, ticks_now());
	recorder_close(SEGMENT_ENDED, NULL);
	take_rest(&t);
	size_t ends = 0, calls = count_calls(&t.kit);
	for (size_t i = 0; i < t.kit.events.count; i++)
		ends += t.kit.events.data[i].subject == SUBJECT_TIMELINE_END;
	assert_int_equal(ends, 1);
	assert_true(calls >= ENOUGH && calls < ENOUGH + SEGMENT_WORDS);
	assert_call(&t, calls - 1, PATH("f"), CALL_LEFT_OPEN);
	assert_null(thread->timeline.word);
	assert_int_equal(segment_find(&t.kit, segment_find_stack(&t.kit, PATH("f", "g"), 0), SUBJECT_CALLS)
				 ->weight[WEIGHT_COUNT],
		20 * ENOUGH);
	close_taking(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(calls_come_out_one_by_one, begin, segment_end),
		cmocka_unit_test_setup_teardown(nobodys_calls_are_not_shown, begin, segment_end),
		cmocka_unit_test_setup_teardown(none_is_lost_while_it_goes_on, begin, segment_end),
		cmocka_unit_test_setup_teardown(a_drainer_that_is_gone_ends_it, begin, segment_end),
		cmocka_unit_test_setup_teardown(enough_is_enough, begin, segment_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
