/* writer.h: one thread's stream of allocations (stream.h), and its call paths. Writers outlive threads: a thread that
 * begins takes one that an ended thread has left. Nothing here allocates through what is measured. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "agent/memory/stream.h"
#include "agent/segment/recorder.h"
#include "agent/segment/ticks.h"

/* A frame of the last call path, the outermost first. */
struct walked_frame {
	const char *frame, *code;
	int64_t instruction; /* as the frame has it */
	uint32_t step;	     /* up to here */
};

struct step_slot {
	uint32_t parent, code;
	int32_t instruction;
	uint32_t step; /* 0: empty */
};

enum { CODE_SLOTS = 512, RECENT_STEPS = 64 };

struct memory_writer {
	struct recorder_thread *recorder; /* its words: recorder->timeline */
	struct memory_writer *next;	  /* of those that are free */
	/* The last walk; room for so many frames. */
	struct walked_frame *frames;
	size_t frame_count, frame_room;
	uint32_t generation; /* of codes, at that walk */
	/* Lately resolved: two lookups less for who allocates at a few places by turns. */
	struct recent_step {
		const char *code;
		int64_t instruction;
		uint32_t parent, step, generation;
	} recent[RECENT_STEPS];
	/* Steps by what they are. */
	struct step_slot *slots;
	size_t slot_mask, slot_count;
	struct stream_step *fresh, *fresh_end; /* room for more of them */
	struct {
		const char *code;
		uint32_t unit, generation;
	} codes[CODE_SLOTS];
};

/* A thread's own. */
struct memory_thread {
	struct memory_writer *writer;
	uint32_t session; /* that `writer` is of */
	int inside;	  /* of an allocator, or of our own work: what is asked for there is not measured */
	int quiet;	  /* of the Python package: what it gets is not measured, what it frees is */
};
extern __thread struct memory_thread memory_thread __attribute__((tls_model("initial-exec")));

/* The thread's first event in this session; false: nothing is to be measured. */
bool memory_thread_begin(void);

/* Whether the thread's events are measured now. */
static inline bool memory_thread_is_on(const struct memory_thread *t)
{
	if (__builtin_expect(t->inside != 0, 0))
		return false;
	if (__builtin_expect(t->session == recorder.session, 1))
		return true;
	return recorder_is_on() && memory_thread_begin();
}

/* In the child of a fork: no writer is anybody's. */
void memory_writers_forget(void);

/* Private memory from the kernel, zeroed; NULL: none. */
void *memory_take_pages(size_t size);
void memory_give_pages(void *pages, size_t size);

/* The rare part of the next: room for `words`, or ticks that are too many. False: all is over. */
bool memory_writer_make_room(struct memory_writer *writer, size_t words, uint64_t now);

/* There is more than one stream: ticks order them. */
extern _Atomic bool memory_writers_are_many;

/* One stream alone is in order as it is. Then the time is that of pyrometer's last look, some 2 ms ago, which costs a
 * load; reading the clock costs a third of all that an event does. */
static inline uint64_t memory_ticks(void)
{
	uint64_t taken = atomic_load_explicit(&recorder.head->taken_ticks, memory_order_relaxed);
	bool many = atomic_load_explicit(&memory_writers_are_many, memory_order_relaxed);
	return __builtin_expect(many || !taken, 0) ? ticks_now() : taken;
}

static inline void memory_write_at(uint64_t now, struct memory_writer *w, enum stream_kind kind, unsigned allocator,
	uint32_t value, size_t more, uint64_t a, uint64_t b)
{
	struct timeline *t = &w->recorder->timeline;
	if (__builtin_expect((size_t)(t->end - t->word) <= more || now - t->last >= 1ull << STREAM_TICKS, 0) &&
		!memory_writer_make_room(w, 1 + more, now))
		return;
	_Atomic uint64_t *word = t->word;
	if (more > 0)
		atomic_store_explicit(&word[1], a, memory_order_relaxed);
	if (more > 1)
		atomic_store_explicit(&word[2], b, memory_order_relaxed);
	/* Two threads' clocks may differ by a tick or two, one thread's may not go back. */
	uint64_t ticks = now > t->last ? now - t->last : 0;
	t->last += ticks;
	t->word = word + 1 + more;
	atomic_store_explicit(word,
		(uint64_t)value << 32 | (uint64_t)allocator << (STREAM_TICKS + STREAM_KIND) |
			(uint64_t)kind << STREAM_TICKS | ticks,
		memory_order_release);
}

static inline void memory_write(struct memory_writer *w, enum stream_kind kind, unsigned allocator, uint32_t value,
	size_t more, uint64_t a, uint64_t b)
{
	memory_write_at(memory_ticks(), w, kind, allocator, value, more, a, b);
}
