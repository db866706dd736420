/* timeline.h: single calls, for `calls --timeline`: eight bytes for each that begins and for each that ends, in the
 * order in which it happened, which pyrometer takes away while the program runs (segment.h, struct segment_words).
 *
 * Nothing is lost: a thread that has filled its blocks waits for pyrometer, for a second at most. After that, what is
 * measured is over, and the segment says why. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "agent/segment/segment.h"

struct timeline {
	_Atomic uint64_t *word, *end; /* the next word, and the end of its block; NULL: single calls are not kept */
	struct segment_words *block;
	uint64_t last; /* ticks of the last word */
	bool listed;   /* pyrometer reads them; else they are written over */
};

struct recorder_thread;

/* False: no room. */
bool timeline_begin(struct recorder_thread *thread, bool listed, uint64_t now);

/* Into the next block, when it is empty again. False: it did not become so within a second, and all measuring is over.
 */
bool timeline_next_block(struct recorder_thread *thread);

/* The rare ways of the next. */
void timeline_keep_slowly(struct recorder_thread *thread, enum segment_word kind, uint32_t value, uint64_t now);

static inline void timeline_put(struct timeline *t, enum segment_word kind, uint32_t value, uint64_t ticks)
{
	uint64_t word = (uint64_t)value << (SEGMENT_WORD_TICKS + SEGMENT_WORD_KIND) |
			(uint64_t)kind << SEGMENT_WORD_TICKS | ticks;
	atomic_store_explicit(t->word++, word, memory_order_release);
}

static inline bool timeline_takes(const struct timeline *t, uint64_t now)
{
	return t->word != t->end && now - t->last < 1ull << SEGMENT_WORD_TICKS;
}
