/* events.h: the content of an events block: up to EVENTS_MAX events as columns.
 *
 * What a thread was caught doing - kind, quality, subject, state, system call, stack, awaiting stack - is its pose. The
 * poses of a block stand once each in a dictionary, and an event refers to one by its place:
 * fields that always change together (a stack whose leaf is a call into C, and the state that says so) cost once.
 * Everything else is stored as its difference from what predict.h expects: the time from the schedule of ticks, the
 * thread from the order in which threads came before, the process from the thread, the wall weight of a sample from the
 * samples before it. Events that share their time, as all threads of one look do, share one entry in the time columns.
 * An encoder's blocks are decoded by one decoder in the same order: what is expected goes on from block to block.
 */
#pragma once
#include "recording/columns.h"
#include "recording/definitions.h"
#include "recording/event.h"

enum { EVENTS_MAX = 65536 /* of one block */ };

/* Times are rounded to a multiple of a unit, which each block names. */
enum {
	TIME_UNIT_CALL = 1,	 /* ns: a block with single calls is exact */
	TIME_UNIT_FAST = 100,	 /* no schedule, or a period below FAST_PERIOD */
	TIME_UNIT_SAMPLE = 2000, /* rounded to the nearest: within 1 us */
	TIME_UNIT_MAX = 1000000,
	FAST_PERIOD = 100000,
};

enum events_flags {
	EVENTS_SCHEDULED = 1 << 0,	/* times are stored against tick_time() */
	EVENTS_POSE_BY_THREAD = 1 << 1, /* the pose column stores changes against the thread's last pose */
	EVENTS_WALL_LIKE_LAST = 1 << 2, /* a sample's wall weight is expected to be that of the sample before */
	EVENTS_FLAGS_KNOWN = (1 << 3) - 1,
};

/* Column ids: never used again for something else. A reader passes over one that it does not know. */
enum events_column {
	COLUMN_POSE_KIND = 1, /* of the dictionary, one number a pose */
	COLUMN_POSE_QUALITY,
	COLUMN_POSE_SUBJECT,
	COLUMN_POSE_STATE,
	COLUMN_POSE_SYSCALL,
	COLUMN_POSE_STACK,
	COLUMN_POSE_LOGICAL_PARENT,
	COLUMN_MOMENT_EVENTS, /* one number a moment */
	COLUMN_MOMENT_TICK,
	COLUMN_MOMENT_TIME,
	COLUMN_THREAD, /* one number an event */
	COLUMN_PROCESS,
	COLUMN_POSE,
	COLUMN_WAITS_FOR,
	COLUMN_WEIGHT, /* and the next three: one of each enum weight */
	COLUMN_END = COLUMN_WEIGHT + WEIGHT_END,
};

/* How many numbers a column has. */
static inline uint32_t events_column_count(unsigned column, uint32_t poses, uint32_t moments, uint32_t events)
{
	if (column <= COLUMN_POSE_LOGICAL_PARENT)
		return poses;
	return column <= COLUMN_MOMENT_TIME ? moments : events;
}

struct events_encoder;
/* NULL: no memory. */
struct events_encoder *events_encoder_create(void);
void events_encoder_destroy(struct events_encoder *encoder);
/* Replaces what is in `ret`. 0 < count <= EVENTS_MAX; the events were found right by ids_event_problem. The seed and
 * the period are those of the recording's beginning. */
struct error *events_encode(struct events_encoder *encoder, const struct event *events, size_t count,
	uint64_t tick_seed, uint64_t tick_period_ns, struct packed *ret);

struct events_decoder;
struct events_decoder *events_decoder_create(void);
void events_decoder_destroy(struct events_decoder *decoder);
/* The events of one block, all of them right by ids_event_problem; they live until the next call. */
struct error *events_decode(struct events_decoder *decoder, const void *content, size_t size, const struct ids *ids,
	const struct event **ret_events, size_t *ret_count);
