/* segment_view.h: a segment (agent/segment/segment.h) as it is seen from outside, whole or while the target still
 * writes it. Nothing in it is believed: what lies outside of the file is NULL. */
#pragma once
#include "agent/segment/segment.h"
#include "base/error.h"
#include "base/map.h"

struct segment_view {
	char *path;
	int fd;
	bool live; /* it is still written */
	unsigned char *base;
	uint64_t size, mapped;	  /* bytes of the file, and of addresses */
	struct segment_head head; /* as it was when it was opened or refreshed */
	uint64_t end_ticks;	  /* of the measuring; while it goes on: then */
	double ns_per_tick;
	uint64_t began_ns; /* CLOCK_MONOTONIC at time 0 of the recording */
	/* What of it is defined in the recording already. */
	uint32_t process;   /* its id; 0: not yet */
	struct map codes;   /* unit -> id */
	struct map same;    /* of free-threaded builds: identity -> id */
	struct map threads; /* unit -> id */
};

/* `live`: it is still written, and may be written to; else what is written to it is ours alone. segment_view_refresh()
 * shows what has come. ERROR_CORRUPT when it is no segment; ERROR_NOT_READY when nothing was measured in it yet. */
struct error *segment_view_open(const char *path, bool live, uint64_t began_ns, struct segment_view **ret_view);
struct error *segment_view_refresh(struct segment_view *view);
void segment_view_close(struct segment_view *view);
static inline void segment_view_close_p(struct segment_view **view)
{
	segment_view_close(*view);
}
#define _cleanup_segment_view_ __attribute__((cleanup(segment_view_close_p)))

const void *segment_view_at(const struct segment_view *view, uint32_t unit, size_t size);
/* Nothing in the file is more than this: what is longer goes in circles. */
static inline uint64_t segment_view_units(const struct segment_view *view)
{
	return view->size / SEGMENT_UNIT;
}

/* A block of a thread's words; NULL: there is none. */
struct segment_words *segment_view_words(const struct segment_view *view, uint32_t unit);
/* Gives a full one, all of which was taken, back to its thread; the unit of the one that was filled after it. */
uint32_t segment_view_empty(struct segment_words *block);

/* A duration; a moment, as event time; our own cost, of 1/1024 ticks. */
uint64_t segment_view_ns(const struct segment_view *view, uint64_t ticks);
uint64_t segment_view_time(const struct segment_view *view, uint64_t ticks);
uint64_t segment_view_picoseconds(const struct segment_view *view, uint64_t ticks_1024);
