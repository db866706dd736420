/* test_region.c: what a region holds (agent/calls/region.h) is what was called in it, whatever was counted before and
 * beside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/calls/region.h"
#include "agent/segment/recorder.h"
#include "inject/drain.h"
#include "recording_kit.h"

static char path[64], written[80];

static int begin(void **state)
{
	snprintf(path, sizeof path, "/tmp/pyrometer-test-%d.region", (int)getpid());
	snprintf(written, sizeof written, "%s.out", path);
	unlink(path);
	assert_int_equal(recorder_open(path, 0x030d0000, false), 0);
	atomic_store(&recorder.head->state, SEGMENT_RUNNING);
	return 0;
}

static int end(void **state)
{
	recorder_forget();
	unlink(path);
	unlink(written);
	return 0;
}

static uint32_t add_code(const char *name, uint32_t flags)
{
	return recorder_add_code(&(struct recorder_code){
		.flags = flags, .file = { "a.py", 4 }, .name = { name, strlen(name) }, .qualname = { "q", 1 } });
}

/* "f" or "f>g": calls of each path, as "f=2 f>g=5 ". */
static void describe(struct region *region, char *text, size_t size)
{
	struct kit kit = { 0 };
	struct drain drain;
	struct process_def def = { .pid = 1 };
	unlink(written);
	assert_null(region_write(region, written));
	kit_init(&kit);
	drain_init(&drain, &kit.sink);
	assert_null(drain_segment(&drain, written, &def, recorder.head->start_ns));
	drain_deinit(&drain);
	text[0] = '\0';
	for (size_t i = 0; i < kit.events.count; i++) {
		const struct event *event = &kit.events.data[i];
		char name[64] = "";
		if (event->subject != SUBJECT_CALLS)
			continue;
		for (uint32_t id = event->stack; id; id = kit.stacks.data[id - 1].parent) {
			const struct text *code = &kit.codes.data[kit.stacks.data[id - 1].code - 1].name;
			char longer[64];
			snprintf(longer, sizeof longer, "%.*s%s%.40s", (int)code->size, code->data, *name ? ">" : "",
				name);
			memcpy(name, longer, sizeof name);
		}
		size_t used = strlen(text);
		snprintf(text + used, size - used, "%s=%d ", name, (int)event->weight[WEIGHT_COUNT]);
	}
	kit_deinit(&kit);
}
#define assert_holds(region, expected)                 \
	do {                                           \
		char text_[512];                       \
		describe(region, text_, sizeof text_); \
		assert_string_equal(text_, expected);  \
	} while (0)

static void call(struct recorder_thread *thread, uint32_t code, int times)
{
	for (int i = 0; i < times; i++) {
		recorder_enter(thread, code, false, 1);
		recorder_leave(thread, LEAVE_RETURN, 2);
	}
}

/* In f and g: the inner region has neither, the outer one has g. */
static void regions_in_one_another(void **state)
{
	uint32_t f = add_code("f", 0), g = add_code("g", 0), h = add_code("h", 0);
	struct recorder_thread *thread = recorder_add_thread(1, 1, true);
	struct region *outer = region_create(0), *inner = region_create(0);
	recorder_enter(thread, f, false, 0);
	call(thread, h, 7);
	assert_null(region_enter(outer));
	recorder_enter(thread, g, false, 0);
	call(thread, h, 1);
	assert_null(region_enter(inner));
	assert_null(region_enter(inner));
	assert_int_equal(region_count_open(), 2);
	call(thread, h, 2);
	assert_null(region_leave(inner));
	call(thread, h, 2);
	assert_holds(inner, "h=4 ");
	assert_null(region_leave(inner));
	call(thread, h, 3);
	recorder_leave(thread, LEAVE_RETURN, 3);
	assert_null(region_leave(outer));
	call(thread, h, 100);
	assert_holds(inner, "h=4 ");
	assert_holds(outer, "g>h=8 g=1 ");
	assert_null(region_enter(inner));
	call(thread, g, 5);
	assert_null(region_leave(inner));
	assert_holds(inner, "g>h=4 g=5 "); /* a path is one, however it was come by */
	assert_null(region_clear(inner));
	assert_string_equal(region_write(inner, written), "nothing was counted yet");
	region_destroy(inner);
	region_destroy(outer);
	assert_int_equal(region_count_open(), 0);
}

/* Of the package nothing shows, of what it lets through what is below; builtins only where they are wanted. */
static void what_does_not_count(void **state)
{
	uint32_t ours = add_code("ours", SEGMENT_CODE_OURS), through = add_code("through", SEGMENT_CODE_THROUGH),
		 builtin = add_code("sorted", SEGMENT_CODE_BUILTIN), f = add_code("f", 0);
	struct recorder_thread *thread = recorder_add_thread(1, 1, true);
	struct region *all = region_create(0), *python = region_create(REGION_NO_BUILTINS);
	assert_null(region_enter(all));
	assert_null(region_enter(python));
	for (int i = 0; i < 2; i++) {
		recorder_enter(thread, through, false, 0);
		recorder_enter(thread, ours, false, 0);
		call(thread, f, 9);
		recorder_leave(thread, LEAVE_RETURN, 2);
		recorder_enter(thread, builtin, false, 0);
		call(thread, f, 3);
		recorder_leave(thread, LEAVE_RETURN, 2);
		recorder_leave(thread, LEAVE_RETURN, 2);
	}
	assert_null(region_leave(python));
	assert_null(region_leave(all));
	assert_holds(all, "sorted>f=6 sorted=2 ");
	assert_holds(python, "f=6 ");
	region_destroy(all);
	region_destroy(python);
}

/* Calls that are under way at the end are in it; all threads are put back when nobody listens any more. */
static void open_calls_and_threads(void **state)
{
	enum { DEPTH = 3 * SEGMENT_FRAMES };
	uint32_t f = add_code("f", 0);
	struct recorder_thread *one = recorder_add_thread(1, 1, true), *other = recorder_add_thread(2, 2, true);
	struct region *region = region_create(0);
	assert_null(region_enter(region));
	for (int i = 0; i < DEPTH; i++)
		recorder_enter(one, f, false, 1);
	call(other, f, 2);
	assert_null(region_leave(region));
	recorder_leave_all();
	assert_int_equal(one->shared->depth, 0);
	assert_null(region_enter(region));
	call(one, f, 1);
	assert_null(region_leave(region));
	struct kit kit = { 0 };
	struct drain drain;
	struct process_def def = { .pid = 1 };
	assert_null(region_write(region, written));
	kit_init(&kit);
	drain_init(&drain, &kit.sink);
	assert_null(drain_segment(&drain, written, &def, recorder.head->start_ns));
	assert_int_equal(drain.calls, DEPTH + 3);
	assert_int_equal(kit.threads.count, 2);
	drain_deinit(&drain);
	kit_deinit(&kit);
	region_destroy(region);
}

static void a_recording_that_has_ended(void **state)
{
	struct region *region = region_create(0);
	assert_null(region_enter(region));
	recorder_close(SEGMENT_SEALED, "enough");
	assert_null(region_leave(region));
	assert_string_equal(region_enter(region), "enough");
	assert_null(region_write(region, written));
	unlink(path);
	assert_int_equal(recorder_open(path, 0x030d0000, false), 0);
	assert_non_null(region_enter(region));
	assert_non_null(region_write(region, written));
	region_destroy(region);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(regions_in_one_another, begin, end),
		cmocka_unit_test_setup_teardown(what_does_not_count, begin, end),
		cmocka_unit_test_setup_teardown(open_calls_and_threads, begin, end),
		cmocka_unit_test_setup_teardown(a_recording_that_has_ended, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
