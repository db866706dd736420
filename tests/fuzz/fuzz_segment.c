/* fuzz_segment.c: any bytes as what an agent left in shared memory, read as far as they go, and reported. The first
 * words are put right, since nothing else is read without them. With FUZZ_STANDALONE it writes the seed that it starts
 * from. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/memory/stream.h"
#include "agent/segment/recorder.h"
#include "inject/memory.h"
#include "inject/timeline.h"
#include "profile/profile.h"
#include "report/report.h"

#ifndef FUZZ_STANDALONE

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_file(const char *path, const uint8_t *data, size_t size)
{
	struct segment_head head;
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	if (size >= sizeof head) {
		memcpy(&head, data, sizeof head);
		head.magic = SEGMENT_MAGIC;
		head.version = SEGMENT_VERSION;
		head.state = head.state ? head.state : SEGMENT_RUNNING;
		if (pwrite(fd, &head, sizeof head, 0) != sizeof head)
			abort();
	}
	close(fd);
}

static void report(struct profile *profile)
{
	static const char *const names[] = { "text", "json", "pstats", "collapsed" };
	struct report_options options = report_options_default();
	options.view.weight = PROFILE_WALL;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct buffer out = { 0 };
		error_free(report_find_format(names[i])->write(profile, &options, &out));
		buffer_deinit(&out);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	struct profile *profile;
	struct drain drain;
	struct drain_head head = { .mode = RECORDING_CALLS };
	struct process_def def = { .pid = 1 };
	snprintf(path, sizeof path, "/dev/shm/pyrometer-fuzz-%d", (int)getpid());
	write_file(path, data, size);
	if (profile_create(NULL, &profile))
		abort();
	error_free(drain_read_head(path, &head));
	const struct recording_info info = { .mode = head.mode };
	error_free(profile->sink.ops->begin(&profile->sink, &info));
	drain_init(&drain, &profile->sink);
	drain.most_kept = 1000;
	if (size % 2) /* while the target runs */
		error_free((head.mode == RECORDING_MEMORY ? memory_take : timeline_take)(&drain, path, &def, 0));
	error_free(drain_segment(&drain, path, &def, 0));
	drain_deinit(&drain);
	unlink(path);
	report(profile);
	profile_destroy(profile);
	return 0;
}

#else

static uint32_t add_place(struct recorder_thread *thread, uint32_t type, uint32_t code, uint32_t handled)
{
	struct segment_place *place = recorder_take(thread, sizeof *place);
	*place = (struct segment_place){
		.handled = handled, .code = code, .offset = 12, .line = 9, .type = type, .count = 3
	};
	return recorder_unit_of(place);
}

static void add_codes(uint32_t codes[3])
{
	static const char *const names[] = { "a", "b", "c" };
	for (size_t i = 0; i < 3; i++)
		codes[i] = recorder_add_code(&(struct recorder_code){ .first_line = 7,
			.flags = i == 2 ? SEGMENT_CODE_BUILTIN : 0,
			.file = { "a.py", 4 },
			.name = { names[i], 1 },
			.qualname = { names[i], 1 } });
}

static void add_calls(void)
{
	uint32_t codes[3];
	add_codes(codes);
	struct recorder_thread *thread = recorder_add_thread(1, 1, true);
	for (uint64_t i = 0; i < 60; i++)
		if (i % 3 == 2)
			recorder_leave(thread, i % 2 ? LEAVE_YIELD : LEAVE_RETURN, recorder.head->start_ticks + i);
		else
			recorder_enter(thread, codes[i * 7 % 3], i % 5 == 4, recorder.head->start_ticks + i);
	uint32_t type = recorder_add_code(
		&(struct recorder_code){ .flags = SEGMENT_CODE_TYPE, .name = { "KeyError", 8 } });
	thread->shared->first_raised = add_place(thread, type, codes[0], add_place(thread, 0, codes[1], 0));
	recorder.head->exceptions = 1;
}

/* Of the first code, whose call calls itself. */
static void add_lines(void)
{
	enum { LINES = 4 };
	uint32_t codes[3];
	add_codes(codes);
	struct recorder_thread *thread = recorder_add_thread(1, 1, true);
	struct segment_code *code = recorder_unit(codes[0]);
	struct segment_lines *lines = recorder_take(thread, sizeof *lines + LINES * sizeof *lines->lines);
	struct segment_line_calls *calls = recorder_take(
		thread, sizeof *calls + SEGMENT_LINE_CALLS * sizeof *calls->calls);
	code->first_lines = recorder_unit_of(lines);
	*lines = (struct segment_lines){ .thread = recorder_unit_of(thread->shared),
		.code = codes[0],
		.first = 7,
		.count = LINES,
		.open = 2,
		.calls = 5 };
	for (uint32_t i = 0; i < LINES; i++)
		lines->lines[i] = (struct segment_line){
			.hits = i, .total = 10 * i, .own = 5 * i, .open = i == 1 ? 2 : 0
		};
	for (uint32_t i = 0; i < 2; i++)
		calls->calls[i] = (struct segment_line_call){
			.lines = recorder_unit_of(lines), .line = 2, .begun = recorder.head->start_ticks + i
		};
	thread->shared->first_line_calls = thread->shared->last_line_calls = recorder_unit_of(calls);
	thread->shared->line_depth = 2;
	recorder.head->mode = SEGMENT_LINES;
}

static void put_words(struct recorder_thread *thread, enum stream_kind kind, unsigned allocator, uint32_t value,
	uint64_t a, uint64_t b)
{
	struct timeline *t = &thread->timeline;
	const uint64_t words[] = { (uint64_t)value << 32 | (uint64_t)allocator << (STREAM_TICKS + STREAM_KIND) |
					   (uint64_t)kind << STREAM_TICKS | 7,
		a, b };
	for (unsigned i = 0; i <= stream_words_behind(kind); i++)
		*t->word++ = words[i];
}

/* Two threads, whose blocks have a few of each kind of event. */
static void add_memory(void)
{
	uint32_t codes[3];
	add_codes(codes);
	for (uint32_t tid = 1; tid <= 2; tid++) {
		struct recorder_thread *thread = recorder_add_thread(tid, tid, true);
		struct stream_step *steps = recorder_take(thread, 4 * sizeof *steps);
		uint32_t first = (uint32_t)(((unsigned char *)steps - recorder.base) / STREAM_STEP_UNIT);
		for (uint32_t i = 0; i < 4; i++)
			steps[i] = (struct stream_step){ i ? first + i - 1 : 0, codes[i % 3], (int32_t)i, 0 };
		put_words(thread, STREAM_THREAD, 0, 0, tid, tid);
		put_words(thread, STREAM_MARK, 0, STREAM_MAIN_BEGINS, 0, 0);
		for (uint32_t i = 0; i < 12; i++)
			put_words(thread, STREAM_ALLOC, 1 + i, first + i % 4, 4096 * (i + 1), 100 * i);
		put_words(thread, STREAM_FREE, 0, 0, 4096, 0);
		put_words(thread, STREAM_REALLOC, 0, 0, 8192, 0);
		put_words(thread, STREAM_KEPT, 0, 0, 0, 0);
		put_words(thread, STREAM_UNMAP, 0, 0, 5 * 4096, 8192);
		put_words(thread, STREAM_PAUSE, 0, 3, 0, 0);
		put_words(thread, STREAM_ENTER, 0, codes[0], 1 << 20, 0);
		put_words(thread, STREAM_ASK, 0, ASK_WATCH, 1, 0);
		for (uint32_t i = 0; i < 4; i++) {
			put_words(thread, STREAM_LINE, 0, 1 + i % 3, 4096 * 7, 0);
			put_words(thread, STREAM_ALLOC, 1, first, 1 << 20 | i, 100);
		}
		put_words(thread, STREAM_ENTER, 0, codes[1], 0, 7);
		put_words(thread, STREAM_PHASE, 0, codes[2], 0, 0);
		put_words(thread, STREAM_LEAVE, 0, 0, 0, 0);
		put_words(thread, STREAM_ASK, 0, ASK_END, 1, 0);
		put_words(thread, STREAM_ASK, 0, ASK_NUMBERS, 1, 1);
		put_words(thread, STREAM_ASK, 0, ASK_FORGET, 1, 0);
		put_words(thread, STREAM_ASK, 0, ASK_RESTART, 0, 2);
		put_words(thread, STREAM_MARK, 0, STREAM_MAIN_ENDS, 0, 0);
	}
	recorder.head->mode = SEGMENT_MEMORY;
}

static bool write_seed(const char *folder, const char *name, bool timeline, void (*fill)(void))
{
	char path[4096];
	if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path ||
		recorder_open(path, 0x030d0000, false))
		return false;
	recorder.head->timeline = timeline;
	fill();
	off_t used = (off_t)recorder.head->used;
	recorder_close(SEGMENT_ENDED, NULL);
	return truncate(path, used) == 0;
}

int main(int argc, char **argv)
{
	bool ok = argc == 3 && write_seed(argv[2], "calls", false, add_calls) &&
		  write_seed(argv[2], "timeline", true, add_calls) && write_seed(argv[2], "lines", false, add_lines) &&
		  write_seed(argv[2], "memory", true, add_memory);
	return !ok;
}

#endif
