/* synthetic.h: recordings written by hand, through the interface that the sampler and the reader of files use. Every
 * step must succeed: on an error the program stops with the sentence. */
#pragma once
#include <stdint.h>
#include <stdio.h>

#include "recording/sink.h"

/* What was defined so far; ids are dense, so counts are the last ids. */
struct feed {
	struct sink *sink;
	uint32_t processes, threads, codes, stacks;
	uint64_t time;	 /* of the next sample */
	uint64_t period; /* ns a sample stands for, and the step of time */
	uint64_t samples[QUALITY_END];
};

enum { FEED_BUSY = STATE_ON_CPU | STATE_HOLDS_GIL, FEED_IDLE = STATE_IN_SYSCALL };

struct text feed_text(const char *string);
void feed_begin(struct feed *feed, struct sink *sink, uint32_t rate);
/* `command`: words between spaces. */
uint32_t feed_process(struct feed *feed, uint32_t pid, const char *command, const char *search_path);
uint32_t feed_thread(struct feed *feed, uint32_t process, uint32_t tid, const char *name);
/* A function of at most 250 lines; its line table puts line first_line + n at instruction 2 n. */
uint32_t feed_code(struct feed *feed, struct text name, struct text file, uint32_t first_line);
uint32_t feed_function(struct feed *feed, const char *name, const char *file, uint32_t first_line);
uint32_t feed_synthetic(struct feed *feed, const char *word);
/* `code` at the line first_line + line, called by `parent` (0: a root). */
uint32_t feed_stack(struct feed *feed, uint32_t parent, uint32_t code, uint32_t line);
/* `count` equal samples; time moves on. */
void feed_samples(
	struct feed *feed, uint32_t thread, uint32_t stack, unsigned state, enum quality quality, unsigned count);
void feed_event(struct feed *feed, const struct event *event);
/* A counter of a process (thread 0) or thread. */
void feed_counter(
	struct feed *feed, uint32_t process, uint32_t thread, enum subject subject, uint64_t time, uint64_t value);
void feed_end(struct feed *feed);

/* A recording of calls: feed_begin_calls() instead of feed_begin(). */
void feed_begin_calls(struct feed *feed, struct sink *sink);
/* `flags`: CODE_...; `qualname` may be empty. */
uint32_t feed_callable(
	struct feed *feed, const char *name, const char *qualname, const char *file, uint32_t line, uint32_t flags);
uint32_t feed_builtin(struct feed *feed, const char *name);
/* A call path: `code` called by what stands at `parent`. */
uint32_t feed_path(struct feed *feed, uint32_t parent, uint32_t code);
void feed_tally(struct feed *feed, uint32_t thread, uint32_t stack, enum subject subject, uint64_t count, uint64_t wall,
	uint64_t cpu);
void feed_calls(struct feed *feed, uint32_t thread, uint32_t stack, uint64_t count, uint64_t wall);
void feed_cost(struct feed *feed, uint32_t process, enum subject subject, uint64_t inside, uint64_t beside);
/* A bakery, of which each call is known: recursion, a generator, builtins, functions that are called the same, two
 * files of one name, a thread that was caught amid a call. */
void feed_bakery(struct sink *sink);
/* Single calls (moments.c). */
void feed_moments(struct sink *sink);
/* One path of `depth` levels, and `more` paths beside it. */
void feed_deep_calls(struct sink *sink, unsigned depth, unsigned more);
/* What the lines say (script.c). */
void feed_script(struct sink *sink, FILE *lines);

/* A recording of lines. */
void feed_begin_lines(struct feed *feed, struct sink *sink, uint64_t start_unix_s);
uint32_t feed_lined(struct feed *feed, const char *name, const char *qualname, const char *file, uint32_t first_line);
/* The code at this line; -1: the function. */
uint32_t feed_place(struct feed *feed, uint32_t code, int32_t line);
/* A mill (mill.c), whose mill.py is in this folder. */
void feed_mill(struct sink *sink, const char *folder, uint64_t start_unix_s);

/* A recording of memory. */
void feed_begin_memory(struct feed *feed, struct sink *sink);
/* A cellar (cellar.c), whose cellar.py is in this folder. */
void feed_cellar(struct sink *sink, const char *folder);

/* A small shop: two processes, five threads, a web framework, JSON, imports, the collector, waiting for the GIL; all
 * that a report can show. `root`: the folder that its own files are said to be in. */
void feed_shop(struct sink *sink, const char *root);
/* Names that break formats: separators, quotes, newlines, NUL, what is not UTF-8, 64 KiB; and one stack 10,000 deep. */
void feed_hostile(struct sink *sink);
/* `samples` samples of `stacks` distinct stacks of 12 to 60 frames. */
void feed_many(struct sink *sink, unsigned samples, unsigned stacks);
