/* test_recording.c: what goes into a recording comes out of it, in as few bytes as promised. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "recording/block.h"
#include "recording/columns.h"
#include "recording/ticks.h"
#include "recording/writer.h"
#include "recording_kit.h"

/* ---- round trips ---- */

static void round_trip(const struct kit *kit, size_t flush_every, uint64_t time_error)
{
	struct kit_folder folder;
	kit_folder_make(&folder);
	kit_write(kit, folder.file, flush_every);
	struct kit got;
	kit_init(&got);
	struct recording_status status;
	kit_ok(recording_read(folder.file, &got.sink, &status));
	assert_true(status.complete);
	assert_string_equal(status.reason, "");
	assert_int_equal(status.bytes_lost, 0);
	assert_int_equal(status.events, kit->events.count);
	kit_check_definitions(&got, kit);
	kit_check_events(&got, kit, kit->events.count, time_error);
	kit_deinit(&got);
	kit_folder_remove(&folder);
}

static void test_random_recordings(void **state)
{
	static const uint64_t periods[] = { 0, 1, 777, 100000, 1000000, 1000000000, UINT64_MAX / 2, UINT64_MAX };
	uint64_t seed = (uint64_t)time(NULL);
	const char *asked = getenv("PYROMETER_TEST_SEED");
	(void)state;
	if (asked)
		seed = strtoull(asked, NULL, 0);
	print_message("PYROMETER_TEST_SEED=%llu\n", (unsigned long long)seed);
	for (uint64_t i = 0; i < 128; i++) {
		struct kit kit;
		kit_init(&kit);
		/* Half of them always the same. */
		kit_make_random(&kit, i % 2 ? i : seed + i, i < 96 ? 10 * i : 3000, periods[i / 2 % 8]);
		round_trip(&kit, i % 3 ? 100 * (i % 3) : 0, TIME_ERROR);
		kit_deinit(&kit);
	}
}

/* Many blocks and full batches; events as a sampler gives them. */
static void test_long_recording(void **state)
{
	struct kit kit;
	struct random random = { 5, 0 };
	(void)state;
	kit_init(&kit);
	kit_make_frame(&kit, 3, 2000, 1000000);
	for (uint64_t i = 0; i < 50000; i++) {
		uint64_t time = tick_time(42, 1000000, i) + random_below(&random, 50000);
		for (uint32_t thread = 1; thread <= 3; thread++)
			kit_add_event(&kit, (struct event){ .kind = EVENT_SAMPLE,
						    .process = 1,
						    .thread = thread,
						    .time = time,
						    .stack = (uint32_t)random_below(&random, 2001) });
	}
	/* The same again, more at once than fits into a batch. */
	assert_int_equal(kit.events.count, 150000);
	assert_true(vec_push(&kit.steps, (struct kit_step){ CALL_EVENTS, 0, 150000 }));
	kit_add_end(&kit);
	struct kit_folder folder;
	kit_folder_make(&folder);
	kit_write(&kit, folder.file, 0);
	struct kit got;
	struct recording_status status;
	kit_init(&got);
	kit_ok(recording_read(folder.file, &got.sink, &status));
	assert_int_equal(got.events.count, 300000);
	for (size_t i = 0; i < 150000; i++)
		assert_int_equal(got.events.data[150000 + i].stack, kit.events.data[i].stack);
	got.events.count = 150000;
	kit_check_events(&got, &kit, 150000, TIME_ERROR);
	kit_deinit(&got);
	kit_folder_remove(&folder);
	kit_deinit(&kit);
}

static void test_calls_are_exact_to_the_nanosecond(void **state)
{
	struct kit kit;
	struct random random = { 6, 0 };
	(void)state;
	kit_init(&kit);
	kit_make_frame(&kit, 2, 5, 0);
	for (int i = 0; i < 1000; i++)
		kit_add_event(&kit, (struct event){ .kind = EVENT_CALL,
					    .process = 1,
					    .thread = 1,
					    .stack = 3,
					    .time = random_any(&random, UINT64_MAX),
					    .weight = { random_any(&random, UINT64_MAX) } });
	kit_add_end(&kit);
	round_trip(&kit, 300, 0);
	kit_deinit(&kit);
}

/* Two processes of two threads; each sample's wall weight is the time since the process's samples before, or constant.
 */
static void check_wall_weights(bool constant)
{
	struct kit kit;
	struct kit_folder folder;
	uint64_t last[3] = { 0 };
	kit_init(&kit);
	kit_make_frame(&kit, 4, 5, 1000000);
	struct process_def second = { .id = 2, .parent = 1 };
	kit_ok(kit.sink.ops->process(&kit.sink, &second));
	for (uint64_t i = 0; i < 2000; i++)
		for (uint32_t thread = 1; thread <= 4; thread++) {
			uint32_t process = 1 + thread / 3;
			uint64_t time = tick_time(42, 1000000, i) + 30000 + process * 7777;
			kit_add_event(&kit, (struct event){ .kind = EVENT_SAMPLE,
						    .process = process,
						    .thread = thread,
						    .time = time,
						    .weight = { i && !constant ? time - last[process] : 1000000 } });
			if (thread % 2 == 0)
				last[process] = time;
		}
	kit_add_end(&kit);
	round_trip(&kit, 0, TIME_ERROR);
	kit_folder_make(&folder);
	kit_write(&kit, folder.file, 0);
	struct kit_bytes file = kit_read_file(folder.file);
	/* Stored, the weights alone would be 3 bytes each: 24,000. */
	assert_true(file.size < 8000);
	free(file.data);
	kit_folder_remove(&folder);
	kit_deinit(&kit);
}

static void test_wall_weights_cost_nothing(void **state)
{
	(void)state;
	check_wall_weights(false);
	check_wall_weights(true);
}

static void test_extreme_times(void **state)
{
	static const uint64_t times[] = { UINT64_MAX, 0, UINT64_MAX - 1, 1, UINT64_MAX / 2, UINT64_MAX, 999, 1000,
		1001 };
	static const uint64_t periods[] = { 0, 1, 1000000, UINT64_MAX };
	(void)state;
	for (size_t p = 0; p < 4; p++) {
		struct kit kit;
		kit_init(&kit);
		kit_make_frame(&kit, 1, 1, periods[p]);
		for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
			kit_add_event(&kit, (struct event){ .kind = EVENT_ALLOC,
						    .process = 1,
						    .thread = 1,
						    .time = times[i],
						    .weight = { [WEIGHT_BYTES] = times[i] } });
		kit_add_end(&kit);
		/* Rounding up would go beyond 64 bits: the last microsecond of 584 years is rounded down. */
		round_trip(&kit, 0, 2 * TIME_ERROR);
		kit_deinit(&kit);
	}
}

static void test_columns_keep_every_number(void **state)
{
	static const uint64_t edges[] = { 1, 247, 248, 503, 504, 1271, 1272, 65535, 65536, 0xffffff, 0x1000000,
		0xffffffffff, 0x10000000000, UINT64_MAX };
	enum { EDGES = sizeof edges / sizeof edges[0], COUNT = 4000 };
	(void)state;
	for (uint32_t spacing = 1; spacing < 2000; spacing = spacing * 3 + 1) {
		struct column_writer columns[3] = { { .count = 1 }, { .count = COUNT }, { .count = 1 } };
		struct packed packed = { 0 };
		for (uint32_t i = 0; i < COUNT; i += spacing)
			column_put(&columns[1], i, edges[i / spacing % EDGES]);
		columns_pack(columns, 3, &packed);
		assert_false(packed.bytes.failed);
		const unsigned char *data = (unsigned char *)packed.bytes.data;
		struct bytes_reader bytes = { data, data + packed.bytes.size, false };
		struct column_reader readers[3];
		assert_null(columns_unpack(&bytes, (const uint32_t[]){ 1, COUNT, 1 }, 3, readers));
		for (uint32_t i = 0; i < COUNT; i++)
			assert_int_equal(column_next(&readers[1]), i % spacing ? 0 : edges[i / spacing % EDGES]);
		assert_false(readers[1].bad);
		column_writer_deinit(&columns[1]);
		packed_deinit(&packed);
	}
}

static void test_long_texts_are_cut(void **state)
{
	enum { LONG = 9 << 20 };
	struct kit_folder folder;
	struct kit kit, got;
	struct recording_status status;
	char *bytes = malloc(LONG);
	(void)state;
	assert_non_null(bytes);
	memset(bytes, 'x', LONG);
	struct text text = { bytes, LONG };
	kit_init(&kit);
	kit_init(&got);
	kit_make_frame(&kit, 1, 1, 0);
	struct code_def code = { .id = 2,
		.line_table_kind = LINES_KIND_311,
		.file = text,
		.name = text,
		.qualname = text,
		.line_table = text };
	kit_ok(kit.sink.ops->code(&kit.sink, &code));
	code.id = 3;
	code.line_table.size = 5 << 20;
	/* More than one block may hold. */
	for (; code.id < 7; code.id++)
		kit_ok(kit.sink.ops->code(&kit.sink, &code));
	kit_folder_make(&folder);
	kit_write(&kit, folder.file, 0);
	kit_ok(recording_read(folder.file, &got.sink, &status));
	assert_int_equal(got.codes.count, 6);
	assert_int_equal(got.codes.data[1].line_table.size, 0);
	assert_int_equal(got.codes.data[1].line_table_kind, LINES_KIND_NONE);
	assert_int_equal(got.codes.data[1].name.size, 64 << 10);
	for (size_t i = 2; i < 6; i++)
		assert_int_equal(got.codes.data[i].line_table.size, 5 << 20);
	assert_int_equal(got.codes.data[5].line_table_kind, LINES_KIND_311);
	kit_folder_remove(&folder);
	kit_deinit(&kit);
	kit_deinit(&got);
	free(bytes);
}

/* ---- size ---- */

struct sampled {
	struct recording_observer observer;
	uint64_t raw, stored; /* bytes of events blocks */
	uint64_t samples;
};

static struct error *add_sizes(struct recording_observer *observer, const struct recording_block *block)
{
	struct sampled *sampled = (struct sampled *)observer;
	sampled->raw += block->type == BLOCK_EVENTS ? block->raw_size : 0;
	sampled->stored += block->type == BLOCK_EVENTS ? block->stored_size + sizeof(struct block_header) : 0;
	return NULL;
}

/* As the sampler does: two counters of each thread and two of the process, in the moment of a tick's samples. */
static void add_counters(struct sink *sink, uint32_t threads, uint64_t time)
{
	struct event event = { .kind = EVENT_COUNTER, .process = 1, .time = time };
	for (event.thread = 1; event.thread <= threads; event.thread++) {
		event.subject = SUBJECT_CPU_TIME;
		event.weight[WEIGHT_COUNT] = 1000000000 + event.thread * 1000003;
		kit_ok(sink->ops->events(sink, &event, 1));
		event.subject = SUBJECT_RUNQUEUE_TIME;
		event.weight[WEIGHT_COUNT] = event.thread <= 2 ? time / 7 : 12345;
		kit_ok(sink->ops->events(sink, &event, 1));
	}
	event.thread = 0;
	event.weight[WEIGHT_COUNT] = 5;
	for (event.subject = SUBJECT_GIL_SWITCHES; event.subject <= SUBJECT_GC_GENERATION0; event.subject++)
		kit_ok(sink->ops->events(sink, &event, 1));
}

/* Ten seconds of samples, late by 40 us (lognormal, sigma 0.35); of the threads `running` change their leaf each time.
 */
static struct sampled sample(uint64_t period, uint32_t threads, uint32_t running, uint32_t leaves, uint64_t counters)
{
	struct kit kit, got;
	struct random random = { 9, 0 };
	struct kit_folder folder;
	struct sink *sink;
	struct sampled sampled = { .observer = { add_sizes } };
	struct recording_status status;
	uint32_t stacks[64] = { 0 };
	uint64_t last = 0;
	kit_init(&kit);
	kit_init(&got);
	kit_make_frame(&kit, threads, threads * leaves, period);
	kit_folder_make(&folder);
	kit_ok(recording_writer_create(folder.file, &sink));
	kit_ok(kit_play(&kit, 0, kit.steps.count, sink));
	for (uint64_t i = 0; i < 10000000000 / period; i++) {
		uint64_t time = tick_time(42, period, i) + (uint64_t)(40000 * exp(0.35 * random_gauss(&random)));
		if (time < last + 5000)
			time = last + 5000;
		for (uint32_t t = 0; t < threads; t++) {
			if (t < running || !i)
				stacks[t] = 1 + t * leaves + (uint32_t)random_below(&random, leaves);
			struct event event = { .kind = EVENT_SAMPLE,
				.process = 1,
				.thread = t + 1,
				.stack = stacks[t],
				.time = time,
				.weight = { time - last },
				.state = STATE_ON_CPU | (stacks[t] % 3 ? STATE_IN_C : 0) };
			kit_ok(sink->ops->events(sink, &event, 1));
		}
		if (counters && i % counters == 0)
			add_counters(sink, threads, time);
		last = time;
		kit_ok(recording_writer_flush(sink, time));
	}
	kit_ok(recording_writer_finish(sink));
	int fd;
	kit_ok(recording_open(folder.file, &fd));
	kit_ok(recording_read_fd(fd, folder.file, &got.sink, &sampled.observer, &status));
	close(fd);
	sampled.samples = status.events;
	kit_folder_remove(&folder);
	kit_deinit(&kit);
	kit_deinit(&got);
	return sampled;
}

/* The entropy of one thread's samples here is 0.61 (time, to 1 us) + 0.25 (4 leaves) bytes. */
static void test_size_of_a_sample(void **state)
{
	(void)state;
	struct sampled one = sample(1000000, 1, 1, 4, 0), fast = sample(100000, 1, 1, 4, 0);
	struct sampled fifty = sample(1000000, 50, 2, 4, 0), counted = sample(1000000, 50, 2, 4, 100);
	print_message("bytes a sample: one thread %.3f, at 10 kHz %.3f, fifty threads of which two run %.4f\n",
		(double)one.stored / (double)one.samples, (double)fast.stored / (double)fast.samples,
		(double)fifty.stored / (double)fifty.samples);
	assert_true(one.stored * 100 <= one.samples * 105);
	assert_true(fast.stored * 100 <= fast.samples * 97);
	assert_true(fifty.stored * 100 <= fifty.samples * 5);
	/* Many stacks: what they cost is mostly their entropy of 1.37 bytes, and a dictionary that is sorted. */
	struct sampled many = sample(100000, 1, 1, 3000, 0);
	print_message("one of 3,000 stacks each time: %.3f\n", (double)many.stored / (double)many.samples);
	assert_true(many.stored * 100 <= many.samples * 250);
	/* Ten thousand counters of which 200 changed. */
	print_message("bytes of counters: %lu\n", (unsigned long)(counted.stored - fifty.stored));
	assert_int_equal(counted.samples - fifty.samples, 10200);
	assert_true(counted.stored - fifty.stored < 4000);
	/* Threads that do not change cost next to nothing before compression too. */
	assert_true(fifty.raw * 100 <= fifty.samples * 15);
}

/* ---- raw ---- */

static char *print_raw(const char *path)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	assert_non_null(out);
	kit_ok(recording_print_raw(path, out));
	fclose(out);
	return text;
}

static void test_raw(void **state)
{
	struct kit_folder folder;
	struct kit kit;
	(void)state;
	kit_init(&kit);
	kit_make_frame(&kit, 1, 2, 1000000);
	struct text name = { "a\"b\n\x1b", 5 };
	struct thread_def thread = { .id = 2, .process = 1, .name = name };
	kit_ok(kit.sink.ops->thread(&kit.sink, &thread));
	kit_add_event(&kit, (struct event){ .kind = EVENT_SAMPLE,
				    .process = 1,
				    .thread = 2,
				    .stack = 2,
				    .time = 2000000,
				    .state = STATE_ON_CPU | STATE_HOLDS_GIL,
				    .quality = QUALITY_REPAIRED,
				    .weight = { 1000000 } });
	kit_add_end(&kit);
	kit_folder_make(&folder);
	kit_write(&kit, folder.file, 0);
	char *text = print_raw(folder.file);
	assert_non_null(strstr(text, "block 0 at=16 type=1(definitions)"));
	assert_non_null(strstr(text, "info start_unix_ns=0"));
	assert_non_null(strstr(text, "thread id=2 process=1 tid=0 flags=0 ident=0 name=\"a\\\"b\\x0a\\x1b\"\n"));
	assert_non_null(strstr(text, "\nstack id=2 parent=1 code=1 instruction=4\n"));
	assert_non_null(strstr(text, "\nevent sample time=2000000 process=1 thread=2 stack=2 state=on-cpu,holds-gil "
				     "quality=repaired wall=1000000\n"));
	assert_non_null(strstr(text, "\nend duration=1 "));
	assert_non_null(strstr(text, "\ncomplete blocks=3 events=1 "));
	free(text);
	struct kit_bytes file = kit_read_file(folder.file);
	kit_write_file(folder.file, file.data, file.size - 1);
	text = print_raw(folder.file);
	assert_non_null(strstr(text, "\nincomplete blocks=2 events=1 "));
	assert_non_null(strstr(text, "is cut off"));
	free(text);
	free(file.data);
	kit_deinit(&kit);
	kit_folder_remove(&folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_recordings),
		cmocka_unit_test(test_long_recording),
		cmocka_unit_test(test_calls_are_exact_to_the_nanosecond),
		cmocka_unit_test(test_wall_weights_cost_nothing),
		cmocka_unit_test(test_extreme_times),
		cmocka_unit_test(test_columns_keep_every_number),
		cmocka_unit_test(test_long_texts_are_cut),
		cmocka_unit_test(test_size_of_a_sample),
		cmocka_unit_test(test_raw),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
