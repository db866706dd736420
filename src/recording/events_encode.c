/* events_encode.c: events to columns, in two passes. The first finds the poses and counts what the choice between two
 * ways of writing depends on; the second walks moment by moment and notes what differs from the prediction.
 */
#include "recording/events.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "recording/predict.h"

/* The fields of a pose, packed so that two poses compare as two words. */
struct pose_key {
	uint64_t stacks; /* stack, logical parent */
	uint64_t rest;	 /* state, syscall, kind, quality, subject */
};

struct pose {
	struct pose_key key;
	uint32_t count;
	uint32_t rank; /* its place in the dictionary */
};

struct events_encoder {
	struct predictor scan; /* of the first pass: for poses */
	struct predictor predictor;
	uint32_t thread_max; /* the greatest id of the block */
	struct column_writer columns[COLUMN_END];
	VEC(struct pose) poses; /* in the order in which they came */
	VEC(uint64_t) order;	/* the dictionary: what it is sorted by, and below it the place in `poses` */
	VEC(uint32_t) pose_of;	/* of each event */
	VEC(uint32_t) slots;	/* hash table: place in `poses` + 1 */
	uint64_t seed, period_ns, unit;
	unsigned flags;
};

/* What the second pass carries from moment to moment. */
struct moment {
	uint32_t number;
	uint32_t first, end; /* its events */
	uint32_t last_size;
	uint64_t units; /* its time */
	uint64_t tick;	/* of the next tick: index of the last one + 1 */
};

struct events_encoder *events_encoder_create(void)
{
	return calloc(1, sizeof(struct events_encoder));
}

void events_encoder_destroy(struct events_encoder *encoder)
{
	if (!encoder)
		return;
	predictor_deinit(&encoder->scan);
	predictor_deinit(&encoder->predictor);
	for (size_t i = 0; i < COLUMN_END; i++)
		column_writer_deinit(&encoder->columns[i]);
	vec_free(&encoder->poses);
	vec_free(&encoder->order);
	vec_free(&encoder->pose_of);
	vec_free(&encoder->slots);
	free(encoder);
}

static struct pose_key key_of(const struct event *event)
{
	return (struct pose_key){
		event->stack | (uint64_t)event->logical_parent << 32,
		event->state | (uint64_t)event->syscall << 16 | (uint64_t)event->kind << 32 |
			(uint64_t)event->quality << 40 | (uint64_t)event->subject << 48,
	};
}

static bool same_key(struct pose_key a, struct pose_key b)
{
	return a.stacks == b.stacks && a.rest == b.rest;
}

/* The place of a pose in `poses`, which it joins if it is new. There is room: one pose an event at most. */
static uint32_t find_pose(struct events_encoder *encoder, struct pose_key key)
{
	size_t mask = encoder->slots.count - 1;
	size_t slot = hash_u64(key.stacks ^ hash_u64(key.rest)) & mask;
	while (encoder->slots.data[slot]) {
		uint32_t place = encoder->slots.data[slot] - 1;
		if (same_key(encoder->poses.data[place].key, key))
			return place;
		slot = (slot + 1) & mask;
	}
	encoder->poses.data[encoder->poses.count++] = (struct pose){ .key = key };
	encoder->slots.data[slot] = (uint32_t)encoder->poses.count;
	return (uint32_t)encoder->poses.count - 1;
}

static bool reserve(struct events_encoder *encoder, size_t count)
{
	size_t slots = 16;
	while (slots < 2 * count)
		slots *= 2;
	if (!vec_reserve(&encoder->slots, slots) || !vec_reserve(&encoder->poses, count) ||
		!vec_reserve(&encoder->order, count) || !vec_reserve(&encoder->pose_of, count))
		return false;
	encoder->slots.count = slots;
	memset(encoder->slots.data, 0, slots * sizeof *encoder->slots.data);
	encoder->poses.count = encoder->order.count = 0;
	encoder->pose_of.count = count;
	for (size_t i = 0; i < COLUMN_END; i++)
		column_writer_clear(&encoder->columns[i]);
	return true;
}

static bool begin(struct events_encoder *encoder, const struct event *events, size_t count)
{
	uint32_t threads = 0, processes = 0;
	for (size_t i = 0; i < count; i++) {
		threads = events[i].thread > threads ? events[i].thread : threads;
		processes = events[i].process > processes ? events[i].process : processes;
	}
	encoder->thread_max = threads;
	return predictor_begin(&encoder->scan, threads, processes, encoder->period_ns) &&
	       predictor_begin(&encoder->predictor, threads, processes, encoder->period_ns);
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

/* order[begin .. end) by stack, so that the differences from one pose to the next are small. */
static void sort_by_stack(struct events_encoder *encoder, size_t begin, size_t end)
{
	uint64_t *order = encoder->order.data;
	for (size_t i = begin; i < end; i++)
		order[i] = (encoder->poses.data[(uint32_t)order[i]].key.stacks << 32) | (uint32_t)order[i];
	qsort(order + begin, end - begin, sizeof *order, compare_u64);
}

/* The places in the dictionary: first the poses that are seen most often, as many as have a place of one byte. */
static void rank_poses(struct events_encoder *encoder)
{
	size_t count = encoder->order.count = encoder->poses.count;
	size_t frequent = count < COLUMN_BYTE_END ? count : COLUMN_BYTE_END;
	uint64_t *order = encoder->order.data;
	for (size_t i = 0; i < count; i++)
		order[i] = (uint64_t)~encoder->poses.data[i].count << 32 | i;
	if (frequent < count)
		qsort(order, count, sizeof *order, compare_u64);
	sort_by_stack(encoder, 0, frequent);
	sort_by_stack(encoder, frequent, count);
	for (size_t i = 0; i < count; i++)
		encoder->poses.data[(uint32_t)order[i]].rank = (uint32_t)i;
}

/* What the first pass counts. */
struct counts {
	size_t unchanged;	 /* events whose pose is the expected one */
	size_t looks, like_last; /* moments with samples; those whose wall weight is that of the one before */
	bool calls;
};

static void choose_flags(struct events_encoder *encoder, const struct counts *counts, size_t events)
{
	bool fast = encoder->period_ns < FAST_PERIOD;
	encoder->unit = counts->calls ? TIME_UNIT_CALL : fast ? TIME_UNIT_FAST : TIME_UNIT_SAMPLE;
	encoder->flags = (encoder->period_ns ? EVENTS_SCHEDULED : 0) |
			 (2 * counts->unchanged > events ? EVENTS_POSE_BY_THREAD : 0) |
			 (2 * counts->like_last > counts->looks ? EVENTS_WALL_LIKE_LAST : 0);
}

/* The place in `poses` of the event's pose, which its thread takes on. */
static uint32_t take_pose(struct events_encoder *encoder, const struct event *event, struct counts *counts)
{
	struct predictor *p = &encoder->scan;
	struct thread_track *track = &p->threads.data[event->thread];
	uint32_t place = predict_place(p, track);
	uint32_t pose = track->slots[place].pose;
	struct pose_key key = key_of(event);
	if (pose < encoder->poses.count && same_key(encoder->poses.data[pose].key, key))
		counts->unchanged++;
	else
		pose = find_pose(encoder, key);
	predictor_learn(p, track, place, event, pose);
	return pose;
}

/* The first pass. */
static void find_poses(struct events_encoder *encoder, const struct event *events, size_t count)
{
	struct counts counts = { 0 };
	uint64_t wall = 0, look = UINT64_MAX;
	for (size_t i = 0; i < count; i++) {
		const struct event *event = &events[i];
		encoder->scan.moment += !i || event->time != events[i - 1].time;
		uint32_t pose = take_pose(encoder, event, &counts);
		encoder->poses.data[pose].count++;
		encoder->pose_of.data[i] = pose;
		counts.calls |= event->kind == EVENT_CALL;
		if (event->kind != EVENT_SAMPLE || event->time == look)
			continue;
		counts.looks++;
		counts.like_last += event->weight[WEIGHT_WALL] == wall;
		wall = event->weight[WEIGHT_WALL];
		look = event->time;
	}
	rank_poses(encoder);
	choose_flags(encoder, &counts, count);
}

static uint64_t pose_field(const struct pose_key *key, enum events_column column)
{
	switch (column) {
	case COLUMN_POSE_KIND:
		return key->rest >> 32 & 0xff;
	case COLUMN_POSE_QUALITY:
		return key->rest >> 40 & 0xff;
	case COLUMN_POSE_SUBJECT:
		return key->rest >> 48 & 0xff;
	case COLUMN_POSE_STATE:
		return key->rest & 0xffff;
	case COLUMN_POSE_SYSCALL:
		return key->rest >> 16 & 0xffff;
	case COLUMN_POSE_STACK:
		return (uint32_t)key->stacks;
	default:
		return key->stacks >> 32;
	}
}

static void put_dictionary(struct events_encoder *encoder)
{
	for (unsigned column = COLUMN_POSE_KIND; column <= COLUMN_POSE_LOGICAL_PARENT; column++) {
		uint64_t last = column == COLUMN_POSE_KIND ? EVENT_SAMPLE : 0;
		for (uint32_t i = 0; i < encoder->order.count; i++) {
			const struct pose *pose = &encoder->poses.data[(uint32_t)encoder->order.data[i]];
			uint64_t value = pose_field(&pose->key, column);
			column_put(&encoder->columns[column], i, zigzag((int64_t)(value - last)));
			last = value;
		}
	}
}

static uint64_t to_units(uint64_t time, uint64_t unit)
{
	uint64_t units = time / unit + (time % unit >= unit - unit / 2);
	return units <= UINT64_MAX / unit ? units : units - 1;
}

/* The last tick that is not after `units`, as its index + 1; 0: there is none. */
static uint64_t last_tick(const struct events_encoder *encoder, uint64_t units)
{
	uint64_t index = units * encoder->unit / encoder->period_ns + 1;
	uint64_t max = tick_index_max(encoder->period_ns);
	if (index > max)
		index = max;
	while (predict_tick(encoder->seed, encoder->period_ns, index, encoder->unit) > units)
		if (!index--)
			return 0;
	return index + 1;
}

/* The time of a moment against its tick: usually the tick after the last moment's. A sampler that fell behind by more
 * than a period gets the tick that was due last; a moment in which no tick came due is told from the last moment. */
static void put_scheduled_time(struct events_encoder *encoder, struct moment *moment, uint64_t units)
{
	uint64_t tick = moment->tick; /* index of the next tick */
	bool on_time = false;
	if (tick <= tick_index_max(encoder->period_ns)) {
		uint64_t due = predict_tick(encoder->seed, encoder->period_ns, tick, encoder->unit);
		on_time = units >= due && units - due < encoder->period_ns / encoder->unit;
	}
	uint64_t next = on_time ? tick + 1 : last_tick(encoder, units);
	if (next < tick)
		next = tick;
	uint64_t value = next > tick ? units - predict_tick(encoder->seed, encoder->period_ns, next - 1, encoder->unit)
				     : zigzag((int64_t)(units - moment->units));
	column_put(&encoder->columns[COLUMN_MOMENT_TICK], moment->number, zigzag((int64_t)(next - tick - 1)));
	column_put(&encoder->columns[COLUMN_MOMENT_TIME], moment->number, value);
	moment->tick = next;
}

static void put_moment(struct events_encoder *encoder, struct moment *moment, uint64_t units)
{
	uint32_t size = moment->end - moment->first;
	column_put(&encoder->columns[COLUMN_MOMENT_EVENTS], moment->number,
		zigzag((int64_t)size - (int64_t)moment->last_size));
	if (encoder->flags & EVENTS_SCHEDULED)
		put_scheduled_time(encoder, moment, units);
	else
		column_put(&encoder->columns[COLUMN_MOMENT_TIME], moment->number,
			zigzag((int64_t)(units - moment->units)));
	moment->last_size = size;
	moment->units = units;
}

static void put_weights(struct events_encoder *encoder, const struct event *event, uint32_t position,
	const struct process_track *gap, uint64_t count)
{
	uint64_t *last = encoder->predictor.last_weight[event->kind];
	for (unsigned i = 0; i < WEIGHT_END; i++) {
		uint64_t weight = event->weight[i];
		bool derived = gap && i == WEIGHT_WALL;
		uint64_t expected = i == WEIGHT_COUNT ? count : derived ? gap->gap : last[i];
		/* To the nanosecond, though the reader will derive it from rounded times. */
		if (weight == (derived ? gap->exact_gap : expected))
			weight = expected;
		column_put(&encoder->columns[COLUMN_WEIGHT + i], position, zigzag((int64_t)(weight - expected)));
		last[i] = weight;
	}
}

static void put_event(struct events_encoder *encoder, const struct event *event, uint32_t position,
	const struct moment *moment, uint64_t exact_time)
{
	struct predictor *p = &encoder->predictor;
	struct column_writer *columns = encoder->columns;
	uint32_t pose = encoder->poses.data[encoder->pose_of.data[position]].rank;
	column_put(&columns[COLUMN_THREAD], position, zigzag((int64_t)event->thread - (int64_t)predict_thread(p)));
	struct thread_track *track = &p->threads.data[event->thread];
	column_put(&columns[COLUMN_PROCESS], position,
		zigzag((int64_t)event->process - (int64_t)predict_process(p, track)));
	uint32_t place = predict_place(p, track);
	if (!(encoder->flags & EVENTS_POSE_BY_THREAD))
		column_put(&columns[COLUMN_POSE], position, pose);
	else if (pose != track->slots[place].pose)
		column_put(&columns[COLUMN_POSE], position, pose + 1);
	column_put(&columns[COLUMN_WAITS_FOR], position,
		zigzag((int64_t)event->waits_for - (int64_t)predict_waits_for(p, event->state)));
	const struct process_track *gap = NULL;
	if (event->kind == EVENT_SAMPLE && !(encoder->flags & EVENTS_WALL_LIKE_LAST))
		gap = predict_gap(p, event->process, moment->units * encoder->unit, exact_time);
	put_weights(encoder, event, position, gap, track->slots[place].count);
	predictor_learn(p, track, place, event, pose);
}

/* The second pass; returns how many moments there are. */
static uint32_t put_events(struct events_encoder *encoder, const struct event *events, uint32_t count, uint64_t *tick)
{
	struct moment moment = { .last_size = 1 };
	if (encoder->flags & EVENTS_SCHEDULED) {
		uint64_t last = last_tick(encoder, to_units(events[0].time, encoder->unit));
		moment.tick = last ? last - 1 : 0;
	}
	*tick = moment.tick;
	for (; moment.first < count; moment.first = moment.end, moment.number++) {
		uint64_t exact = events[moment.first].time, units = to_units(exact, encoder->unit);
		moment.end = moment.first + 1;
		while (moment.end < count &&
			(events[moment.end].time == exact || to_units(events[moment.end].time, encoder->unit) == units))
			moment.end++;
		put_moment(encoder, &moment, units);
		encoder->predictor.moment++;
		for (uint32_t i = moment.first; i < moment.end; i++)
			put_event(encoder, &events[i], i, &moment, exact);
	}
	return moment.number;
}

static void pack(struct events_encoder *encoder, uint32_t events, uint32_t moments, uint64_t tick, struct packed *ret)
{
	uint32_t poses = (uint32_t)encoder->poses.count;
	const uint64_t head[] = { events, moments, poses, encoder->flags, encoder->unit, tick, encoder->thread_max };
	packed_clear(ret);
	for (size_t i = 0; i < sizeof head / sizeof head[0]; i++)
		buffer_add_varint(&ret->bytes, head[i]);
	for (unsigned i = 0; i < COLUMN_END; i++)
		encoder->columns[i].count = events_column_count(i, poses, moments, events);
	columns_pack(encoder->columns, COLUMN_END, ret);
}

struct error *events_encode(struct events_encoder *encoder, const struct event *events, size_t count,
	uint64_t tick_seed, uint64_t tick_period_ns, struct packed *ret)
{
	encoder->seed = tick_seed;
	encoder->period_ns = tick_period_ns;
	if (!reserve(encoder, count) || !begin(encoder, events, count))
		return &error_no_memory;
	find_poses(encoder, events, count);
	put_dictionary(encoder);
	uint64_t tick;
	uint32_t moments = put_events(encoder, events, (uint32_t)count, &tick);
	pack(encoder, (uint32_t)count, moments, tick, ret);
	return ret->bytes.failed ? &error_no_memory : NULL;
}
