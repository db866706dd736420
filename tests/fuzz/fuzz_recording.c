/* fuzz_recording.c: recordings of any bytes (libFuzzer). The first byte says what the rest is: a file; a file whose
 * checksums, sizes and numbers are put right first, so that mutations reach what lies behind them; the content of an
 * events block; the content of a definitions block. What must hold: no access outside, and the sink gets only what
 * sink.h allows. Events that were decoded must also survive being encoded and decoded again.
 *
 * With -DFUZZ_STANDALONE there is a main() that runs files (any compiler), or with --seeds FOLDER writes some to start
 * from.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "recording/block.h"
#include "recording/definitions.h"
#include "recording/events.h"
#include "recording/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum mode { MODE_FILE, MODE_REPAIRED_FILE, MODE_EVENTS, MODE_DEFINITIONS, MODE_END };

#define CHECK(condition) ((condition) ? (void)0 : abort())

/* A sink that holds its feeder to the rules. */
struct checker {
	struct sink sink;
	uint32_t processes, threads, codes, stacks;
	bool begun, ended;
	unsigned sum;
};

static struct checker *checker_of(struct sink *sink)
{
	struct checker *checker = (struct checker *)sink;
	CHECK(checker->begun && !checker->ended);
	return checker;
}

/* All its bytes are there. */
static void touch(struct checker *checker, struct text text)
{
	for (size_t i = 0; i < text.size; i++)
		checker->sum += (unsigned char)text.data[i];
}

static struct error *check_begin(struct sink *sink, const struct recording_info *info)
{
	struct checker *checker = (struct checker *)sink;
	CHECK(!checker->begun);
	checker->begun = true;
	touch(checker, info->command);
	touch(checker, info->host);
	touch(checker, info->tool);
	touch(checker, info->system);
	return NULL;
}

static struct error *check_process(struct sink *sink, const struct process_def *def)
{
	struct checker *checker = checker_of(sink);
	CHECK(def->id == ++checker->processes && def->parent < def->id);
	touch(checker, def->command);
	touch(checker, def->executable);
	touch(checker, def->search_path);
	return NULL;
}

static struct error *check_thread(struct sink *sink, const struct thread_def *def)
{
	struct checker *checker = checker_of(sink);
	CHECK(def->id && def->id <= checker->threads + 1 && def->process && def->process <= checker->processes);
	if (def->id > checker->threads)
		checker->threads = def->id;
	touch(checker, def->name);
	return NULL;
}

static struct error *check_code(struct sink *sink, const struct code_def *def)
{
	struct checker *checker = checker_of(sink);
	CHECK(def->id == ++checker->codes && def->line_table_kind < LINES_KIND_END);
	touch(checker, def->file);
	touch(checker, def->name);
	touch(checker, def->qualname);
	touch(checker, def->line_table);
	return NULL;
}

static struct error *check_stack(struct sink *sink, const struct stack_def *def)
{
	struct checker *checker = checker_of(sink);
	CHECK(def->id == ++checker->stacks && def->parent < def->id);
	CHECK(def->code && def->code <= checker->codes && def->instruction >= -1);
	return NULL;
}

static struct error *check_events(struct sink *sink, const struct event *events, size_t count)
{
	struct checker *checker = checker_of(sink);
	for (size_t i = 0; i < count; i++) {
		const struct event *event = &events[i];
		CHECK(event->kind && event->kind < EVENT_KIND_END);
		CHECK(event->quality < QUALITY_END && event->subject < SUBJECT_END);
		CHECK(event->stack <= checker->stacks && event->logical_parent <= checker->stacks);
		CHECK(event->thread <= checker->threads && event->waits_for <= checker->threads);
		CHECK(event->process <= checker->processes);
	}
	return NULL;
}

static struct error *check_end(struct sink *sink, const struct recording_end *end)
{
	checker_of(sink)->ended = true;
	return NULL;
}

static struct checker checker_make(void)
{
	static const struct sink_ops ops = { check_begin, check_process, check_thread, check_code, check_stack,
		check_events, check_end };
	return (struct checker){ .sink = { &ops } };
}

/* ---- files ---- */

/* Block headers that lead to the content instead of being refused. */
static void repair(uint8_t *file, size_t size)
{
	struct block_file_header start = block_file_header_make();
	struct block_header header;
	size_t at = sizeof start;
	if (size < at)
		return;
	memcpy(file, &start, sizeof start);
	for (uint32_t sequence = 0; size - at >= sizeof header; sequence++) {
		size_t left = size - at - sizeof header;
		memcpy(&header, file + at, sizeof header);
		if (header.stored_size > left)
			header.stored_size = (uint32_t)left;
		header.type = header.type ? header.type : BLOCK_EVENTS;
		header.flags &= BLOCK_COMPRESSED;
		header.reserved = 0;
		header.sequence = sequence;
		if (!(header.flags & BLOCK_COMPRESSED))
			header.raw_size = header.stored_size;
		header.checksum = block_checksum(&header, file + at + sizeof header);
		memcpy(file + at, &header, sizeof header);
		at += sizeof header + header.stored_size;
	}
}

static void run_file(const uint8_t *data, size_t size)
{
	struct checker checker = checker_make();
	struct recording_status status;
	int fd = memfd_create("fuzz", 0);
	CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size && !lseek(fd, 0, SEEK_SET));
	struct error *error = recording_read_fd(fd, "fuzz", &checker.sink, NULL, &status);
	if (!error)
		CHECK(checker.begun && status.bytes_read + status.bytes_lost == size);
	error_free(error);
	close(fd);
}

static void run_repaired_file(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1);
	CHECK(copy);
	memcpy(copy, data, size);
	repair(copy, size);
	run_file(copy, size);
	free(copy);
}

/* ---- contents ---- */

static struct ids some_ids(uint64_t period)
{
	enum { THREADS = 60 };
	struct ids ids = {
		.processes = 3, .codes = 100, .stacks = 5000, .tick_seed = 42, .tick_period_ns = period, .begun = true
	};
	for (uint32_t i = 0; i < THREADS; i++)
		CHECK(vec_push(&ids.thread_process, 1 + i % 3));
	return ids;
}

/* Rounding moves a time, and with it a weight that is derived from two times. */
static bool is_near(uint64_t a, uint64_t b, uint64_t unit)
{
	return a - b + 2 * unit <= 4 * unit;
}

static void check_same(const struct event *a, const struct event *b)
{
	CHECK(a->kind == b->kind && a->quality == b->quality && a->subject == b->subject && a->state == b->state);
	CHECK(a->syscall == b->syscall && a->stack == b->stack && a->logical_parent == b->logical_parent);
	CHECK(a->process == b->process && a->thread == b->thread && a->waits_for == b->waits_for);
	CHECK(is_near(a->time, b->time, TIME_UNIT_SAMPLE));
	CHECK(is_near(a->weight[WEIGHT_WALL], b->weight[WEIGHT_WALL], TIME_UNIT_SAMPLE));
	for (unsigned i = WEIGHT_WALL + 1; i < WEIGHT_END; i++)
		CHECK(a->weight[i] == b->weight[i]);
}

/* One block of an encoder's, to the decoder that had the blocks before it. */
static void check_block(struct events_encoder *encoder, struct events_decoder *decoder, const struct event *events,
	size_t count, const struct ids *ids)
{
	struct packed packed = { 0 };
	const struct event *again;
	size_t again_count;
	CHECK(!events_encode(encoder, events, count, ids->tick_seed, ids->tick_period_ns, &packed));
	CHECK(packed.bytes.size <= BLOCK_RAW_MAX);
	CHECK(!events_decode(decoder, packed.bytes.data, packed.bytes.size, ids, &again, &again_count));
	CHECK(again_count == count);
	for (size_t i = 0; i < count; i++)
		check_same(&events[i], &again[i]);
	packed_deinit(&packed);
}

static void check_round_trip(const struct event *events, size_t count, const struct ids *ids)
{
	struct events_encoder *encoder = events_encoder_create();
	struct events_decoder *decoder = events_decoder_create();
	CHECK(encoder && decoder);
	size_t half = count / 2;
	if (half)
		check_block(encoder, decoder, events, half, ids);
	check_block(encoder, decoder, events + half, count - half, ids);
	events_encoder_destroy(encoder);
	events_decoder_destroy(decoder);
}

static void run_events(const uint8_t *data, size_t size)
{
	static const uint64_t periods[] = { 1000000, 0, 1, UINT64_MAX };
	if (!size)
		return;
	struct ids ids = some_ids(periods[data[0] % 4]);
	struct events_decoder *decoder = events_decoder_create();
	const struct event *events;
	size_t count;
	CHECK(decoder);
	struct error *error = events_decode(decoder, data + 1, size - 1, &ids, &events, &count);
	if (!error)
		check_round_trip(events, count, &ids);
	error_free(error);
	events_decoder_destroy(decoder);
	ids_deinit(&ids);
}

static void run_definitions(const uint8_t *data, size_t size)
{
	struct checker checker = checker_make();
	struct ids ids = { 0 };
	bool sink_failed;
	error_free(definitions_decode(data, size, &ids, &checker.sink, &sink_failed));
	ids_deinit(&ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const runs[MODE_END])(
		const uint8_t *, size_t) = { run_file, run_repaired_file, run_events, run_definitions };
	if (size)
		runs[data[0] % MODE_END](data + 1, size - 1);
	return 0;
}

#ifdef FUZZ_STANDALONE

#include "recording/ticks.h"

static void write_seed(
	const char *folder, const char *name, const void *head, size_t head_size, const struct buffer *body)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *file = fopen(path, "wb");
	CHECK(file);
	CHECK(fwrite(head, 1, head_size, file) == head_size);
	CHECK(fwrite(body->data, 1, body->size, file) == body->size && !fclose(file));
}

static void make_definitions(struct buffer *ret)
{
	struct text name = { "name", 4 };
	record_put_info(ret, &(struct recording_info){ .mode = 1, .tick_period_ns = 1000000, .command = name });
	for (uint32_t i = 1; i <= 3; i++)
		record_put_process(ret, &(struct process_def){ .id = i, .parent = i - 1, .command = name });
	for (uint32_t i = 1; i <= 60; i++)
		record_put_thread(ret, &(struct thread_def){ .id = i, .process = 1 + (i - 1) % 3, .name = name });
	for (uint32_t i = 1; i <= 100; i++)
		record_put_code(ret, &(struct code_def){ .id = i, .file = name, .name = name, .line_table = name });
	for (uint32_t i = 1; i <= 300; i++)
		record_put_stack(ret, &(struct stack_def){ .id = i, .parent = i / 2, .code = 1 + i % 100 });
}

/* Like samples of `threads` threads, or with everything different each time. */
static void make_events(struct packed *ret, uint32_t threads, bool wild)
{
	struct events_encoder *encoder = events_encoder_create();
	struct event events[200];
	CHECK(encoder);
	for (uint32_t i = 0; i < 200; i++) {
		uint64_t tick = i / threads, mess = tick_random(1, i);
		events[i] = (struct event){ .kind = EVENT_SAMPLE,
			.process = 1,
			.thread = 1 + i % threads,
			.time = tick_time(42, 1000000, tick) + 30000,
			.stack = 1 + (uint32_t)(mess % 7) };
		if (!wild)
			continue;
		events[i].kind = (uint8_t)(1 + mess % (EVENT_KIND_END - 1));
		events[i].state = (uint16_t)(mess >> 8);
		events[i].time += mess % 500000;
		events[i].waits_for = (uint32_t)(mess >> 32) % 60;
		for (unsigned k = 0; k < WEIGHT_END; k++)
			events[i].weight[k] = mess >> 16 * k;
	}
	CHECK(!events_encode(encoder, events, 200, 42, 1000000, ret));
	events_encoder_destroy(encoder);
}

static void add_block(struct buffer *file, enum block_type type, const struct buffer *content, uint32_t sequence)
{
	struct block_header header = block_header_make(
		type, 0, content->data, (uint32_t)content->size, (uint32_t)content->size, sequence);
	buffer_add(file, &header, sizeof header);
	buffer_add(file, content->data, content->size);
}

static void write_seeds(const char *folder)
{
	struct buffer definitions = { 0 }, file = { 0 };
	struct packed packed[4] = { 0 };
	struct block_file_header start = block_file_header_make();
	make_definitions(&definitions);
	write_seed(folder, "definitions", "\3", 1, &definitions);
	buffer_add(&file, &start, sizeof start);
	add_block(&file, BLOCK_DEFINITIONS, &definitions, 0);
	for (uint32_t i = 0; i < 4; i++) {
		char name[20];
		make_events(&packed[i], i < 2 ? 1 : 50, i % 2);
		snprintf(name, sizeof name, "events-%u", i);
		write_seed(folder, name, "\2\0", 2, &packed[i].bytes);
		add_block(&file, BLOCK_EVENTS, &packed[i].bytes, 1 + i);
		packed_deinit(&packed[i]);
	}
	write_seed(folder, "file", "\0", 1, &file);
	write_seed(folder, "repaired", "\1", 1, &file);
	buffer_deinit(&definitions);
	buffer_deinit(&file);
}

static void run_path(const char *path)
{
	FILE *file = fopen(path, "rb");
	CHECK(file && !fseek(file, 0, SEEK_END));
	size_t size = (size_t)ftell(file);
	uint8_t *data = malloc(size + 1);
	rewind(file);
	CHECK(data && fread(data, 1, size, file) == size);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	fclose(file);
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--seeds")) {
		write_seeds(argv[2]);
		return 0;
	}
	for (int i = 1; i < argc; i++)
		run_path(argv[i]);
	return 0;
}

#endif
