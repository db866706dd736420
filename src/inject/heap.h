/* heap.h: all that is known of a process's memory at one moment of its stream of allocations: what is live and whose it
 * is, and what was at the moment when most was. Each event costs the same, however many call paths there are.
 *
 * Bytes are those asked for. Maps of files and of mere addresses are kept, but are in no sum. */
#pragma once
#include "agent/memory/stream.h"
#include "base/map.h"
#include "base/vec.h"
#include "inject/live.h"

/* The memory of one call path, thread and allocator. */
struct heap_tally {
	uint32_t stack, thread; /* ids of the recording */
	uint32_t lane;
	uint8_t allocator; /* enum stream_allocator */
	bool dirty;	   /* something is new since the last flush */
	bool ours;	   /* the package pyrometer got it: it is not kept */
	uint64_t epoch;	   /* the peak of which `peak` is */
	struct heap_sum {
		uint64_t bytes, count;
	} live, peak, temporary;
	struct heap_sum got, freed, kept; /* since the last flush; kept: freed, and there again */
};

/* What was mapped, or is left of it. */
struct heap_map {
	uint64_t start, end; /* whole pages */
	uint64_t counted;    /* up to here it was asked for */
	uint32_t tally;
	bool first; /* of the parts that a map was cut into: with the last one its count goes */
};

/* How much was live since a moment, of the whole process. */
struct heap_watch {
	uint32_t id;
	uint64_t began, end;		     /* event time; `end` 0: it goes on */
	struct heap_sum at_begin, peak, now; /* live; `now` of one that has ended: then */
	struct heap_sum got_before, got;     /* of all allocations up to its beginning, and within it */
};

struct heap {
	struct live blocks;
	VEC(struct heap_map) maps; /* by address */
	VEC(struct heap_tally) tallies;
	VEC(uint32_t) dirty;
	VEC(uint64_t) numbers; /* of each lane: how much its thread has allocated so far */
	struct heap_sum live, peak, got;
	uint64_t epoch, peak_ticks;
	VEC(struct heap_watch) watches, ended; /* those that go on cost each allocation a comparison */
	struct heap_sum sizes[64];	       /* by the logarithm of an allocation's size */
	/* Addresses that were handed out before they were freed, as two processors' clocks would have it: the free is
	 * about to come, and has happened. Address -> ticks. */
	struct map owed;
};

/* All of these: false when there is no memory. */
bool heap_got(struct heap *heap, uint32_t tally, uint64_t address, uint64_t size, uint64_t ticks);
/* By the thread of this lane. What was freed, for heap_keep(); address 0: it was nobody's that is known. */
bool heap_freed(struct heap *heap, uint64_t address, uint32_t lane, uint64_t ticks, struct live_block *ret_block);
/* The block that was freed last is there still. */
bool heap_keep(struct heap *heap, const struct live_block *block);
/* All that is live was freed, as far as anybody knows. */
bool heap_forget(struct heap *heap);
bool heap_unmapped(struct heap *heap, uint64_t address, uint64_t size);

/* Begins to watch. False: no memory; as heap_watch_end(). */
bool heap_watch(struct heap *heap, uint32_t id, uint64_t time);
/* NULL: there is none. What it says of one that goes on is up to date. Valid until the next call. */
struct heap_watch *heap_watch_find(struct heap *heap, uint32_t id);
bool heap_watch_end(struct heap *heap, uint32_t id, uint64_t time);
void heap_watch_forget(struct heap *heap, uint32_t id);

/* The tally's part of the peak. */
struct heap_sum heap_peak_of(const struct heap *heap, const struct heap_tally *tally);

static inline bool heap_counts(unsigned allocator)
{
	return allocator != ALLOCATOR_FILE && allocator != ALLOCATOR_RESERVED;
}

void heap_deinit(struct heap *heap);
