/* recording_kit.h: what tests of recordings need: a sink that keeps everything, a maker of random recordings from a
 * seed, and the comparison of two.
 */
#pragma once
#include <stdbool.h>

#include "base/vec.h"
#include "recording/reader.h"

/* A random number generator of our own, so that a seed means the same everywhere. */
struct random {
	uint64_t seed, index;
};
uint64_t random_next(struct random *random);
/* 0 <= result < end; end > 0. */
uint64_t random_below(struct random *random, uint64_t end);
/* Small numbers and extreme ones are as frequent as those between. */
uint64_t random_any(struct random *random, uint64_t max);
/* 0 <= result < 1. */
double random_unit(struct random *random);
double random_gauss(struct random *random);

/* One call of a sink: which, and the place of its argument. */
struct kit_step {
	enum kit_call { CALL_BEGIN, CALL_PROCESS, CALL_THREAD, CALL_CODE, CALL_STACK, CALL_EVENTS, CALL_END } call;
	size_t index, count;
};

/* A recording in memory; also a sink that fills it. */
struct kit {
	struct sink sink;
	struct recording_info info;
	struct recording_end end;
	size_t begins, ends;
	VEC(struct process_def) processes;
	VEC(struct thread_def) threads;
	VEC(struct code_def) codes;
	VEC(struct stack_def) stacks;
	VEC(struct event) events;
	VEC(struct kit_step) steps;
	VEC(char *) texts;
	size_t fail_after; /* calls until the sink fails; 0: it does not */
};
void kit_init(struct kit *kit);
void kit_deinit(struct kit *kit);

/* A recording with everything in it; `size` scales it. tick_period_ns as in the recording's beginning. */
void kit_make_random(struct kit *kit, uint64_t seed, size_t size, uint64_t tick_period_ns);
/* The least that events need: one process, `threads` threads, one code object, `stacks` stacks. */
void kit_make_frame(struct kit *kit, uint32_t threads, uint32_t stacks, uint64_t tick_period_ns);
void kit_add_event(struct kit *kit, struct event event);
void kit_add_end(struct kit *kit);

/* Gives steps [begin, end) to another sink. */
struct error *kit_play(const struct kit *kit, size_t begin, size_t end, struct sink *sink);
/* Writes it to PATH, with a flush every `flush_every` steps that makes a block; 0: none. */
void kit_write(const struct kit *kit, const char *path, size_t flush_every);

/* Fail the test where `got` is not `wanted`. All definitions; the first `events` events; times within time_error ns. */
void kit_check_definitions(const struct kit *got, const struct kit *wanted);
void kit_check_events(const struct kit *got, const struct kit *wanted, size_t events, uint64_t time_error);

/* A folder of one's own, and paths in it; freed by kit_folder_remove. */
struct kit_folder {
	char path[64];
	char file[96], part[112]; /* FOLDER/test.pyro and its .part */
};
void kit_folder_make(struct kit_folder *folder);
void kit_folder_remove(struct kit_folder *folder);

struct kit_bytes {
	unsigned char *data; /* free() */
	size_t size;
};
struct kit_bytes kit_read_file(const char *path);
void kit_write_file(const char *path, const void *data, size_t size);

/* Times of samples are within a microsecond: what the format promises. */
enum { TIME_ERROR = 1000 };

#define kit_ok(call) kit_expect_ok((call), __FILE__, __LINE__)
void kit_expect_ok(struct error *error, const char *file, int line);
/* The call must fail, with this kind and these words in the message. */
#define kit_fails(call, kind, words) kit_expect_error((call), (kind), (words), __FILE__, __LINE__)
void kit_expect_error(struct error *error, enum error_kind kind, const char *words, const char *file, int line);
