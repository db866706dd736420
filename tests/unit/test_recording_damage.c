/* test_recording_damage.c: of a damaged recording everything before the damage comes out, and whatever ends a recorder,
 * or is wrong with the place to write to, leaves what it should.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "recording/block.h"
#include "recording/events.h"
#include "recording/writer.h"
#include "recording_kit.h"

/* Where each block of a file ends, and how many events had come by then. */
struct boundaries {
	struct recording_observer observer;
	struct kit *kit;
	VEC(uint64_t) starts;
	VEC(size_t) events;
};

static struct error *note_block(struct recording_observer *observer, const struct recording_block *block)
{
	struct boundaries *boundaries = (struct boundaries *)observer;
	assert_true(vec_push(&boundaries->starts, block->offset));
	assert_true(vec_push(&boundaries->events, boundaries->kit->events.count));
	return NULL;
}

static struct error *read_into(
	const char *path, struct kit *kit, struct boundaries *boundaries, struct recording_status *ret_status)
{
	int fd;
	TRY(recording_open(path, &fd));
	struct error *error = recording_read_fd(
		fd, path, &kit->sink, boundaries ? &boundaries->observer : NULL, ret_status);
	close(fd);
	return error;
}

/* The end of the last block is the end of the file. */
static void find_boundaries(const char *path, struct kit *kit, struct boundaries *ret)
{
	struct recording_status status;
	*ret = (struct boundaries){ { note_block }, kit, { 0 }, { 0 } };
	kit_ok(read_into(path, kit, ret, &status));
	assert_true(status.complete);
	assert_true(vec_push(&ret->starts, status.bytes_read));
	assert_true(vec_push(&ret->events, kit->events.count));
}

static void free_boundaries(struct boundaries *boundaries)
{
	vec_free(&boundaries->starts);
	vec_free(&boundaries->events);
}

/* ---- damage ---- */

static void check_prefix(const char *path, const struct kit *whole, const struct boundaries *at, size_t blocks)
{
	struct kit got;
	struct recording_status status;
	kit_init(&got);
	struct error *error = read_into(path, &got, NULL, &status);
	if (blocks) {
		kit_ok(error);
		assert_int_equal(status.blocks, blocks);
		assert_int_equal(status.bytes_read, at->starts.data[blocks]);
		assert_int_equal(status.events, at->events.data[blocks]);
		kit_check_events(&got, whole, at->events.data[blocks], TIME_ERROR);
		assert_true(status.complete || status.reason[0]);
	} else {
		assert_non_null(error);
		assert_true(error->kind == ERROR_CORRUPT || error->kind == ERROR_UNSUPPORTED);
		error_free(error);
	}
	kit_deinit(&got);
}

struct damaged {
	struct kit_folder folder;
	struct kit kit, whole;
	struct boundaries boundaries;
	struct kit_bytes file;
};

static void damaged_init(struct damaged *d)
{
	kit_init(&d->kit);
	kit_init(&d->whole);
	kit_make_random(&d->kit, 77, 120, 1000000);
	kit_folder_make(&d->folder);
	kit_write(&d->kit, d->folder.file, 20);
	find_boundaries(d->folder.file, &d->whole, &d->boundaries);
	d->file = kit_read_file(d->folder.file);
	assert_true(d->boundaries.starts.count > 8);
}

static void damaged_deinit(struct damaged *d)
{
	free(d->file.data);
	free_boundaries(&d->boundaries);
	kit_folder_remove(&d->folder);
	kit_deinit(&d->kit);
	kit_deinit(&d->whole);
}

static void test_cut_at_every_byte(void **state)
{
	struct damaged d;
	size_t blocks = 0;
	(void)state;
	damaged_init(&d);
	for (size_t cut = 0; cut <= d.file.size; cut++) {
		while (blocks + 1 < d.boundaries.starts.count && d.boundaries.starts.data[blocks + 1] <= cut)
			blocks++;
		kit_write_file(d.folder.file, d.file.data, cut);
		check_prefix(d.folder.file, &d.kit, &d.boundaries, blocks);
	}
	damaged_deinit(&d);
}

static void test_flipped_bits(void **state)
{
	struct damaged d;
	struct random random = { 3, 0 };
	size_t blocks = 0;
	(void)state;
	damaged_init(&d);
	for (size_t i = 0; i < d.file.size; i++) {
		while (d.boundaries.starts.data[blocks + 1] <= i)
			blocks++;
		unsigned char bit = (unsigned char)(1u << random_below(&random, 8));
		d.file.data[i] ^= bit;
		kit_write_file(d.folder.file, d.file.data, d.file.size);
		check_prefix(d.folder.file, &d.kit, &d.boundaries, blocks);
		d.file.data[i] ^= bit;
	}
	damaged_deinit(&d);
}

static void test_what_is_said_of_a_damaged_file(void **state)
{
	struct damaged d;
	struct kit got;
	struct recording_status status;
	char wanted[100];
	(void)state;
	damaged_init(&d);
	uint64_t third = d.boundaries.starts.data[2];
	kit_init(&got);
	kit_write_file(d.folder.file, d.file.data, third + 30);
	kit_ok(recording_read(d.folder.file, &got.sink, &status));
	assert_false(status.complete);
	assert_int_equal(status.bytes_lost, 30);
	snprintf(wanted, sizeof wanted, "the block at byte %d is cut off: 30 of its ", (int)third);
	assert_memory_equal(status.reason, wanted, strlen(wanted));
	kit_deinit(&got);
	kit_init(&got);
	d.file.data[third + 24] ^= 1;
	kit_write_file(d.folder.file, d.file.data, d.file.size);
	kit_ok(recording_read(d.folder.file, &got.sink, &status));
	assert_int_equal(status.bytes_lost, d.file.size - third);
	snprintf(wanted, sizeof wanted, "the block at byte %d is damaged: its checksum does not match", (int)third);
	assert_string_equal(status.reason, wanted);
	kit_deinit(&got);
	kit_init(&got);
	kit_write_file(d.folder.file, d.file.data, third);
	kit_ok(recording_read(d.folder.file, &got.sink, &status));
	assert_false(status.complete);
	assert_non_null(strstr(status.reason, "not ended"));
	kit_deinit(&got);
	damaged_deinit(&d);
}

static void expect_unreadable(const char *path, enum error_kind kind, const char *words)
{
	struct kit got;
	struct recording_status status;
	kit_init(&got);
	kit_fails(recording_read(path, &got.sink, &status), kind, words);
	assert_int_equal(got.steps.count, 0);
	kit_deinit(&got);
}

static void test_files_that_are_no_recording(void **state)
{
	struct kit_folder folder;
	struct block_file_header header = block_file_header_make();
	(void)state;
	kit_folder_make(&folder);
	expect_unreadable(folder.file, ERROR_FAILED, "No such file");
	expect_unreadable(folder.path, ERROR_FAILED, "Is a directory");
	kit_write_file(folder.file, "", 0);
	expect_unreadable(folder.file, ERROR_CORRUPT, "is empty");
	kit_write_file(folder.file, "import time\nimport sys\n", 23);
	expect_unreadable(folder.file, ERROR_CORRUPT, "not a recording");
	kit_write_file(folder.file, &header, sizeof header);
	expect_unreadable(folder.file, ERROR_CORRUPT, "no complete block");
	header.version = 7;
	kit_write_file(folder.file, &header, sizeof header);
	expect_unreadable(folder.file, ERROR_UNSUPPORTED, "format version 7");
	unlink(folder.file);
	kit_write_file(folder.part, &header, sizeof header);
	expect_unreadable(folder.file, ERROR_FAILED, "test.pyro.part");
	kit_folder_remove(&folder);
}

/* A file of one block with a right checksum and this content. */
static void expect_refused(const void *content, size_t size, const char *words)
{
	struct kit_folder folder;
	unsigned char file[1000];
	kit_folder_make(&folder);
	struct block_file_header head = block_file_header_make();
	struct block_header block = block_header_make(BLOCK_DEFINITIONS, 0, content, (uint32_t)size, (uint32_t)size, 0);
	memcpy(file, &head, sizeof head);
	memcpy(file + sizeof head, &block, sizeof block);
	memcpy(file + sizeof head + sizeof block, content, size);
	kit_write_file(folder.file, file, sizeof head + sizeof block + size);
	struct kit got;
	struct recording_status status;
	kit_init(&got);
	kit_fails(recording_read(folder.file, &got.sink, &status), ERROR_CORRUPT, words);
	kit_deinit(&got);
	kit_folder_remove(&folder);
}

/* Records: type, size, fields. The beginning is six numbers and four texts. */
#define BEGINNING "\1\12\0\0\1\0\0\0\0\0\0\0"

static void test_lies_with_a_right_checksum(void **state)
{
	(void)state;
	expect_refused("\4\7\0\0\0\0\0\0\0", 9, "before the beginning");
	expect_refused(BEGINNING BEGINNING, 24, "begins twice");
	expect_refused("\1\12\0\0\1\0\0\0\177\0\0\0", 12, "is cut off");
	expect_refused("\1\177\0\0\1\0\0\0\0\0\0\0", 12, "a record is cut off");
	expect_refused(BEGINNING "\2\11\1\1\0\0\0\0\0\0\0", 23, "a parent that is not defined");
	expect_refused(BEGINNING "\3\6\1\1\0\0\0\0", 20, "a process that is not defined");
	expect_refused(BEGINNING "\4\7\0\11\0\0\0\0\0", 21, "unknown kind of line table");
	expect_refused(BEGINNING "\5\3\1\1\0", 17, "a code object that is not defined");
	expect_refused(BEGINNING "\4\7\0\0\0\0\0\0\0\5\3\2\1\0", 26, "impossible parent");
}

/* Events as a writer would never take them, encoded all the same. */
static void expect_events_refused(struct event event, const char *words)
{
	struct ids ids = { .processes = 1, .stacks = 2, .tick_period_ns = 1000000, .begun = true };
	struct events_encoder *encoder = events_encoder_create();
	struct events_decoder *decoder = events_decoder_create();
	struct packed packed = { 0 };
	const struct event *events;
	size_t count;
	assert_true(vec_push(&ids.thread_process, 1));
	kit_ok(events_encode(encoder, &event, 1, 0, ids.tick_period_ns, &packed));
	if (words)
		kit_fails(events_decode(decoder, packed.bytes.data, packed.bytes.size, &ids, &events, &count),
			ERROR_CORRUPT, words);
	else
		kit_ok(events_decode(decoder, packed.bytes.data, packed.bytes.size, &ids, &events, &count));
	for (size_t size = 0; size < packed.bytes.size; size++) {
		struct error *error = events_decode(decoder, packed.bytes.data, size, &ids, &events, &count);
		assert_non_null(error);
		error_free(error);
	}
	packed_deinit(&packed);
	events_encoder_destroy(encoder);
	events_decoder_destroy(decoder);
	ids_deinit(&ids);
}

static void test_events_that_lie(void **state)
{
	const struct event good = { .kind = EVENT_SAMPLE,
		.process = 1,
		.thread = 1,
		.stack = 2,
		.state = STATE_WAITS_GIL,
		.waits_for = 1,
		.logical_parent = 1 };
	struct event bad;
	(void)state;
	expect_events_refused(good, NULL);
	bad = good;
	bad.kind = EVENT_KIND_END;
	expect_events_refused(bad, "an unknown kind");
	bad = good;
	bad.quality = QUALITY_END;
	expect_events_refused(bad, "an unknown quality");
	bad = good;
	bad.subject = SUBJECT_END;
	expect_events_refused(bad, "an unknown quality or subject");
	bad = good;
	bad.stack = 3;
	expect_events_refused(bad, "a stack that is not defined");
	bad = good;
	bad.logical_parent = UINT32_MAX;
	expect_events_refused(bad, "a stack that is not defined");
	bad = good;
	bad.thread = 2;
	expect_events_refused(bad, "a thread that is not defined");
	bad = good;
	bad.waits_for = 2;
	expect_events_refused(bad, "out of range");
	bad = good;
	bad.process = 2;
	expect_events_refused(bad, "out of range");
}

static void expect_columns_refused(const char *bytes, size_t size, const char *words)
{
	struct bytes_reader reader = { (const unsigned char *)bytes, (const unsigned char *)bytes + size, false };
	struct column_reader columns[3];
	const char *problem = columns_unpack(&reader, (const uint32_t[]){ 4, 4, 4 }, 3, columns);
	assert_non_null(problem);
	assert_non_null(strstr(problem, words));
}

/* The number of columns; id, number, tails for each; tails; heads. */
static void test_columns_that_lie(void **state)
{
	(void)state;
	expect_columns_refused("\2\1\0\0\1\0\0", 7, "comes twice");
	expect_columns_refused("\1\201\3\0\0\0\0", 7, "another number of entries");
	expect_columns_refused("\1\1\5\0\0\0\0\0\0\0\0\0\0\0", 14, "another number of entries");
	expect_columns_refused("\1\1\4\0\0\0\0\0\0\0\0", 11, "cut off");
	expect_columns_refused("\1\1\1\7\0\0", 6, "cut off");
	expect_columns_refused("\377\1", 2, "more columns");
	/* One number whose tail is not there. */
	struct bytes_reader reader = { (const unsigned char *)"\1\1\1\0\0\377", (const unsigned char *)NULL, false };
	reader.end = reader.at + 6;
	struct column_reader columns[3];
	assert_null(columns_unpack(&reader, (const uint32_t[]){ 4, 4, 4 }, 3, columns));
	assert_int_equal(column_next(&columns[1]), 0);
	assert_true(columns[1].bad);
}

/* Events before the beginning and after the end. */
static void test_events_out_of_place(void **state)
{
	static const char beginning[] = BEGINNING, end[] = "\6\16\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
	struct kit_folder folder;
	struct recording_status status;
	struct buffer file = { 0 };
	struct block_file_header head = block_file_header_make();
	struct block_header blocks[] = {
		block_header_make(BLOCK_DEFINITIONS, 0, beginning, sizeof beginning - 1, sizeof beginning - 1, 0),
		block_header_make(BLOCK_DEFINITIONS, 0, end, sizeof end - 1, sizeof end - 1, 1),
		block_header_make(BLOCK_EVENTS, 0, "", 0, 0, 2),
	};
	(void)state;
	buffer_add(&file, &head, sizeof head);
	buffer_add(&file, &blocks[0], sizeof blocks[0]);
	buffer_add(&file, beginning, sizeof beginning - 1);
	buffer_add(&file, &blocks[1], sizeof blocks[1]);
	buffer_add(&file, end, sizeof end - 1);
	buffer_add(&file, &blocks[2], sizeof blocks[2]);
	kit_folder_make(&folder);
	kit_write_file(folder.file, file.data, file.size);
	struct kit got;
	kit_init(&got);
	kit_ok(recording_read(folder.file, &got.sink, &status));
	assert_int_equal(status.blocks, 2);
	assert_non_null(strstr(status.reason, "after the end"));
	kit_deinit(&got);
	file.size = sizeof head;
	blocks[2] = block_header_make(BLOCK_EVENTS, 0, "", 0, 0, 0);
	buffer_add(&file, &blocks[2], sizeof blocks[2]);
	kit_write_file(folder.file, file.data, file.size);
	expect_unreadable(folder.file, ERROR_CORRUPT, "before the beginning");
	buffer_deinit(&file);
	kit_folder_remove(&folder);
}

static void test_unknown_records_and_fields_are_passed_over(void **state)
{
	static const char content[] = BEGINNING "\77\3abc"
						"\4\14\5\0\0\1f\1n\0\0new";
	struct kit_folder folder;
	unsigned char file[1000];
	size_t size = sizeof content - 1;
	(void)state;
	struct block_file_header head = block_file_header_make();
	struct block_header unknown = block_header_make(99, 0, "later", 5, 5, 0);
	struct block_header block = block_header_make(BLOCK_DEFINITIONS, 0, content, (uint32_t)size, (uint32_t)size, 1);
	unsigned char *end = file;
	end = (unsigned char *)memcpy(end, &head, sizeof head) + sizeof head;
	end = (unsigned char *)memcpy(end, &unknown, sizeof unknown) + sizeof unknown;
	end = (unsigned char *)memcpy(end, "later", 5) + 5;
	end = (unsigned char *)memcpy(end, &block, sizeof block) + sizeof block;
	end = (unsigned char *)memcpy(end, content, size) + size;
	kit_folder_make(&folder);
	kit_write_file(folder.file, file, (size_t)(end - file));
	struct kit got;
	struct recording_status status;
	kit_init(&got);
	kit_ok(recording_read(folder.file, &got.sink, &status));
	assert_int_equal(status.blocks, 2);
	assert_int_equal(got.codes.count, 1);
	assert_int_equal(got.codes.data[0].first_line, 5);
	assert_memory_equal(got.codes.data[0].name.data, "n", 1);
	kit_deinit(&got);
	kit_folder_remove(&folder);
}

static void test_error_of_the_sink_is_passed_on(void **state)
{
	struct kit_folder folder;
	struct kit kit;
	(void)state;
	kit_init(&kit);
	kit_make_random(&kit, 1, 50, 0);
	kit_folder_make(&folder);
	kit_write(&kit, folder.file, 10);
	for (size_t calls = 1; calls < 12; calls++) {
		struct kit got;
		struct recording_status status;
		kit_init(&got);
		got.fail_after = calls;
		kit_fails(recording_read(folder.file, &got.sink, &status), ERROR_GONE, "had enough");
		assert_int_equal(got.steps.count, calls);
		kit_deinit(&got);
	}
	kit_folder_remove(&folder);
	kit_deinit(&kit);
}

/* ---- the writer's life ---- */

static void expect_content(const char *path, const char *content)
{
	struct kit_bytes file = kit_read_file(path);
	assert_int_equal(file.size, strlen(content));
	assert_memory_equal(file.data, content, file.size);
	free(file.data);
}

static bool exists(const char *path)
{
	struct stat stat_path;
	return !stat(path, &stat_path);
}

/* A recording that is being written where an old file stands. */
struct writing {
	struct kit_folder folder;
	struct kit kit, got;
	struct sink *sink;
	struct recording_status status;
};

static void begin_writing(struct writing *w, unsigned seed)
{
	kit_init(&w->kit);
	kit_init(&w->got);
	kit_make_random(&w->kit, seed, 200, 1000);
	kit_folder_make(&w->folder);
	kit_write_file(w->folder.file, "old", 3);
	static const char left_over[100000] = "a killed recorder left this";
	kit_write_file(w->folder.part, left_over, sizeof left_over);
	kit_ok(recording_writer_create(w->folder.file, &w->sink));
}

static void end_writing(struct writing *w)
{
	kit_deinit(&w->got);
	kit_deinit(&w->kit);
	kit_folder_remove(&w->folder);
}

static void test_existing_file_stays_until_the_end(void **state)
{
	struct writing w;
	(void)state;
	begin_writing(&w, 2);
	kit_ok(kit_play(&w.kit, 0, w.kit.steps.count, w.sink));
	expect_content(w.folder.file, "old");
	kit_ok(recording_writer_finish(w.sink));
	assert_false(exists(w.folder.part));
	kit_ok(recording_read(w.folder.file, &w.got.sink, &w.status));
	assert_true(w.status.complete);
	assert_int_equal(w.status.bytes_lost, 0);
	end_writing(&w);
}

static void test_abort_leaves_a_readable_part(void **state)
{
	struct writing w;
	(void)state;
	begin_writing(&w, 3);
	kit_ok(kit_play(&w.kit, 0, w.kit.steps.count - 1, w.sink));
	recording_writer_abort(w.sink);
	expect_content(w.folder.file, "old");
	kit_ok(recording_read(w.folder.part, &w.got.sink, &w.status));
	assert_false(w.status.complete);
	kit_check_events(&w.got, &w.kit, w.kit.events.count, TIME_ERROR);
	kit_ok(recording_writer_create(w.folder.file, &w.sink));
	recording_writer_abort(w.sink);
	assert_false(exists(w.folder.part)); /* nothing was recorded: nothing is left */
	end_writing(&w);
}

static void test_places_that_cannot_be_written(void **state)
{
	struct kit_folder folder;
	struct sink *sink, *other;
	char path[200];
	(void)state;
	kit_folder_make(&folder);
	snprintf(path, sizeof path, "%s/none/test.pyro", folder.path);
	kit_fails(recording_writer_create(path, &sink), ERROR_FAILED, "No such file");
	kit_fails(recording_writer_create(folder.path, &sink), ERROR_FAILED, "it is a directory");
	assert_int_equal(mkfifo(folder.part, 0600), 0);
	kit_fails(recording_writer_create(folder.file, &sink), ERROR_FAILED, "cannot create");
	unlink(folder.part);
	kit_ok(recording_writer_create(folder.file, &sink));
	kit_fails(recording_writer_create(folder.file, &other), ERROR_FAILED, "another recording");
	recording_writer_abort(sink);
	kit_folder_remove(&folder);
}

static void test_writer_refuses_what_breaks_the_rules(void **state)
{
	struct kit_folder folder;
	struct kit kit, got;
	struct sink *sink;
	struct recording_status status;
	struct event event = { .kind = EVENT_SAMPLE, .process = 1, .thread = 1, .stack = 9 };
	struct stack_def stack = { .id = 5, .code = 1 };
	(void)state;
	kit_init(&kit);
	kit_init(&got);
	kit_make_frame(&kit, 1, 3, 1000);
	kit_folder_make(&folder);
	kit_ok(recording_writer_create(folder.file, &sink));
	kit_fails(sink->ops->stack(sink, &stack), ERROR_CORRUPT, "before the beginning");
	kit_ok(kit_play(&kit, 0, kit.steps.count, sink));
	kit_fails(sink->ops->stack(sink, &stack), ERROR_CORRUPT, "not numbered in order");
	kit_fails(sink->ops->events(sink, &event, 1), ERROR_CORRUPT, "a stack that is not defined");
	kit_add_end(&kit);
	kit_ok(sink->ops->end(sink, &kit.end));
	event.stack = 1;
	kit_fails(sink->ops->events(sink, &event, 1), ERROR_CORRUPT, "after the end");
	kit_ok(recording_writer_finish(sink));
	kit_ok(recording_read(folder.file, &got.sink, &status));
	assert_true(status.complete);
	kit_check_definitions(&got, &kit);
	assert_int_equal(got.events.count, 0);
	kit_deinit(&got);
	kit_deinit(&kit);
	kit_folder_remove(&folder);
}

/* Events until a call fails; the error. */
static struct error *write_until_error(struct sink *sink)
{
	struct random random = { 11, 0 };
	for (uint64_t i = 0; i < 3000; i++) {
		struct event events[100];
		for (size_t k = 0; k < 100; k++)
			events[k] = (struct event){ .kind = EVENT_ALLOC,
				.process = 1,
				.thread = 1,
				.time = i * 1000000 + k,
				.weight = { [WEIGHT_BYTES] = random_next(&random) } };
		TRY(sink->ops->events(sink, events, 100));
		TRY(recording_writer_flush(sink, i * 2000000000));
		usleep(100); /* the thread that writes has to come upon it */
	}
	return NULL;
}

static void test_full_disk(void **state)
{
	struct kit_folder folder;
	struct kit kit, got;
	struct sink *sink;
	struct recording_status status;
	struct rlimit before, limit;
	(void)state;
	kit_init(&kit);
	kit_init(&got);
	kit_make_frame(&kit, 1, 1, 0);
	kit_folder_make(&folder);
	kit_write_file(folder.file, "old", 3);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 100000;
	kit_ok(recording_writer_create(folder.file, &sink));
	kit_ok(kit_play(&kit, 0, kit.steps.count, sink));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	struct error *error = write_until_error(sink);
	kit_ok(recording_writer_flush(sink, UINT64_MAX)); /* reported once */
	struct error *again = recording_writer_finish(sink);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	kit_fails(error, ERROR_FAILED, "cannot write more to");
	kit_fails(again, ERROR_FAILED, "File too large");
	expect_content(folder.file, "old");
	kit_ok(recording_read(folder.part, &got.sink, &status));
	assert_int_equal(status.bytes_lost, 0);
	assert_true(status.blocks > 50 && status.bytes_read > 90000 && status.bytes_read <= 100000);
	kit_deinit(&got);
	kit_deinit(&kit);
	kit_folder_remove(&folder);
}

/* In a child: writes until it is killed; tells through the pipe that a second has been flushed. */
static void record_for_ever(const struct kit *kit, const char *path, int ready)
{
	struct sink *sink;
	error_free(recording_writer_create(path, &sink));
	error_free(kit_play(kit, 0, kit->steps.count, sink));
	for (uint64_t i = 0;; i++) {
		struct event event = {
			.kind = EVENT_SAMPLE, .process = 1, .thread = 1, .stack = 1 + i % 3, .time = i * 1000000
		};
		error_free(sink->ops->events(sink, &event, 1));
		error_free(recording_writer_flush(sink, event.time));
		if (i % 1000 == 0 && write(ready, "x", 1) < 0)
			_exit(1);
	}
}

static void test_killed_recorder(void **state)
{
	struct kit_folder folder;
	struct kit kit, got;
	struct recording_status status;
	int pipes[2];
	char byte;
	(void)state;
	kit_init(&kit);
	kit_init(&got);
	kit_make_frame(&kit, 1, 3, 1000000);
	kit_folder_make(&folder);
	assert_int_equal(pipe(pipes), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (!child)
		record_for_ever(&kit, folder.file, pipes[1]);
	for (int i = 0; i < 20; i++)
		assert_int_equal(read(pipes[0], &byte, 1), 1);
	struct stat before;
	while (stat(folder.part, &before) || before.st_size < 500)
		usleep(1000);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(pipes[0]);
	close(pipes[1]);
	expect_unreadable(folder.file, ERROR_FAILED, "test.pyro.part");
	kit_ok(recording_read(folder.part, &got.sink, &status));
	assert_false(status.complete);
	assert_true(status.blocks >= 2 && status.events >= 1000);
	for (size_t i = 0; i < got.events.count; i++)
		assert_int_equal(got.events.data[i].stack, 1 + i % 3);
	kit_deinit(&got);
	kit_deinit(&kit);
	kit_folder_remove(&folder);
}

static void test_flush_is_by_age(void **state)
{
	struct kit_folder folder;
	struct kit kit;
	struct sink *sink;
	struct stat before, after;
	struct event event = { .kind = EVENT_SAMPLE, .process = 1, .thread = 1, .time = 5000000000 };
	(void)state;
	kit_init(&kit);
	kit_make_frame(&kit, 1, 1, 0);
	kit_folder_make(&folder);
	kit_ok(recording_writer_create(folder.file, &sink));
	kit_ok(kit_play(&kit, 0, kit.steps.count, sink));
	kit_ok(sink->ops->events(sink, &event, 1));
	kit_ok(recording_writer_flush(sink, event.time + WRITER_BATCH_AGE_NS - 1));
	usleep(20000);
	assert_int_equal(stat(folder.part, &before), 0);
	assert_int_equal(before.st_size, 16);
	kit_ok(recording_writer_flush(sink, event.time + WRITER_BATCH_AGE_NS));
	for (int i = 0; i < 1000 && (stat(folder.part, &after) || after.st_size == before.st_size); i++)
		usleep(1000);
	assert_true(after.st_size > before.st_size);
	recording_writer_abort(sink);
	kit_deinit(&kit);
	kit_folder_remove(&folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut_at_every_byte),
		cmocka_unit_test(test_flipped_bits),
		cmocka_unit_test(test_what_is_said_of_a_damaged_file),
		cmocka_unit_test(test_files_that_are_no_recording),
		cmocka_unit_test(test_lies_with_a_right_checksum),
		cmocka_unit_test(test_events_that_lie),
		cmocka_unit_test(test_columns_that_lie),
		cmocka_unit_test(test_events_out_of_place),
		cmocka_unit_test(test_unknown_records_and_fields_are_passed_over),
		cmocka_unit_test(test_error_of_the_sink_is_passed_on),
		cmocka_unit_test(test_existing_file_stays_until_the_end),
		cmocka_unit_test(test_abort_leaves_a_readable_part),
		cmocka_unit_test(test_places_that_cannot_be_written),
		cmocka_unit_test(test_writer_refuses_what_breaks_the_rules),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_killed_recorder),
		cmocka_unit_test(test_flush_is_by_age),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
