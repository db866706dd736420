/* events_decode.c: columns to events. Nothing in the block is trusted: every count is bounded before anything of that
 * size is used, every id is checked against the definitions, and the block gives either all of its events or none.
 */
#include "recording/events.h"

#include <stdlib.h>

#include "recording/predict.h"

struct events_decoder {
	struct predictor predictor;
	VEC(struct event) poses; /* the dictionary: events of which only the pose's fields are set */
	VEC(struct event) events;
};

/* A block while it is decoded. */
struct events_block {
	uint32_t events, moments, poses;
	uint32_t thread_max;
	unsigned flags;
	uint64_t unit;
	uint64_t tick;	/* index of the next tick */
	uint64_t units; /* time of the moment, in units */
	uint64_t time;	/* the same in ns */
	const struct ids *ids;
	struct column_reader columns[COLUMN_END];
	const char *problem; /* the first */
};

struct events_decoder *events_decoder_create(void)
{
	return calloc(1, sizeof(struct events_decoder));
}

void events_decoder_destroy(struct events_decoder *decoder)
{
	if (!decoder)
		return;
	predictor_deinit(&decoder->predictor);
	vec_free(&decoder->poses);
	vec_free(&decoder->events);
	free(decoder);
}

static bool complain(struct events_block *block, const char *problem)
{
	if (!block->problem)
		block->problem = problem;
	return false;
}

static bool decode_head(struct events_block *block, struct bytes_reader *bytes)
{
	uint64_t events = read_varint(bytes), moments = read_varint(bytes), poses = read_varint(bytes);
	uint64_t flags = read_varint(bytes);
	block->unit = read_varint(bytes);
	block->tick = read_varint(bytes);
	uint64_t thread_max = read_varint(bytes);
	if (bytes->bad)
		return complain(block, "the head of an events block is cut off");
	if (!events || events > EVENTS_MAX || !moments || moments > events || !poses || poses > events)
		return complain(block, "an events block has impossible counts");
	if (!block->unit || block->unit > TIME_UNIT_MAX)
		return complain(block, "an events block has an impossible unit of time");
	if (flags & ~(uint64_t)EVENTS_FLAGS_KNOWN)
		return complain(block, "an events block has unknown flags");
	if (flags & EVENTS_SCHEDULED && !block->ids->tick_period_ns)
		return complain(block, "an events block needs a schedule that the recording does not have");
	if (thread_max > block->ids->thread_process.count)
		return complain(block, "an events block has a thread that is not defined");
	block->thread_max = (uint32_t)thread_max;
	block->events = (uint32_t)events;
	block->moments = (uint32_t)moments;
	block->poses = (uint32_t)poses;
	block->flags = (unsigned)flags;
	return true;
}

static bool decode_directory(struct events_block *block, struct bytes_reader *bytes)
{
	uint32_t counts[COLUMN_END];
	for (unsigned i = 0; i < COLUMN_END; i++)
		counts[i] = events_column_count(i, block->poses, block->moments, block->events);
	const char *problem = columns_unpack(bytes, counts, COLUMN_END, block->columns);
	return !problem || complain(block, problem);
}

/* The next number of a column of differences, added to `last`; it must not be above `max`. */
static uint32_t next_field(struct events_block *block, enum events_column column, uint64_t last, uint32_t max)
{
	uint64_t value = last + (uint64_t)unzigzag(column_next(&block->columns[column]));
	if (value > max)
		complain(block, "a column has a number that is out of range");
	return (uint32_t)value;
}

static bool decode_poses(struct events_block *block, struct event *poses)
{
	struct event pose = { .kind = EVENT_SAMPLE };
	for (uint32_t i = 0; i < block->poses; i++) {
		pose.kind = (uint8_t)next_field(block, COLUMN_POSE_KIND, pose.kind, UINT8_MAX);
		pose.quality = (uint8_t)next_field(block, COLUMN_POSE_QUALITY, pose.quality, UINT8_MAX);
		pose.subject = (uint8_t)next_field(block, COLUMN_POSE_SUBJECT, pose.subject, UINT8_MAX);
		pose.state = (uint16_t)next_field(block, COLUMN_POSE_STATE, pose.state, UINT16_MAX);
		pose.syscall = (uint16_t)next_field(block, COLUMN_POSE_SYSCALL, pose.syscall, UINT16_MAX);
		pose.stack = next_field(block, COLUMN_POSE_STACK, pose.stack, UINT32_MAX);
		pose.logical_parent = next_field(block, COLUMN_POSE_LOGICAL_PARENT, pose.logical_parent, UINT32_MAX);
		const char *problem = ids_event_problem(block->ids, &pose);
		if (problem || block->problem)
			return complain(block, problem);
		poses[i] = pose;
	}
	return true;
}

static bool decode_scheduled_time(struct events_block *block)
{
	uint64_t seed = block->ids->tick_seed, period = block->ids->tick_period_ns;
	uint64_t ticks = (uint64_t)unzigzag(column_next(&block->columns[COLUMN_MOMENT_TICK])) + 1;
	uint64_t value = column_next(&block->columns[COLUMN_MOMENT_TIME]);
	if (!ticks) {
		block->units += (uint64_t)unzigzag(value);
		return true;
	}
	uint64_t max = tick_index_max(period);
	if (ticks - 1 > max || block->tick > max - (ticks - 1))
		return complain(block, "a tick is out of range");
	block->tick += ticks;
	block->units = predict_tick(seed, period, block->tick - 1, block->unit) + value;
	return true;
}

static bool decode_time(struct events_block *block)
{
	if (block->flags & EVENTS_SCHEDULED) {
		if (!decode_scheduled_time(block))
			return false;
	} else {
		block->units += (uint64_t)unzigzag(column_next(&block->columns[COLUMN_MOMENT_TIME]));
	}
	return !__builtin_mul_overflow(block->units, block->unit, &block->time) ||
	       complain(block, "a time is out of range");
}

static void decode_weights(struct events_block *block, struct predictor *p, struct event *event, uint64_t count)
{
	uint64_t *last = p->last_weight[event->kind];
	const struct process_track *gap = NULL;
	if (event->kind == EVENT_SAMPLE && !(block->flags & EVENTS_WALL_LIKE_LAST))
		gap = predict_gap(p, event->process, block->time, 0);
	for (unsigned i = 0; i < WEIGHT_END; i++) {
		uint64_t expected = i == WEIGHT_COUNT ? count : gap && i == WEIGHT_WALL ? gap->gap : last[i];
		last[i] = expected + (uint64_t)unzigzag(column_next(&block->columns[COLUMN_WEIGHT + i]));
		event->weight[i] = last[i];
	}
}

static uint32_t decode_pose(struct events_block *block, uint32_t expected)
{
	uint64_t value = column_next(&block->columns[COLUMN_POSE]);
	if (block->flags & EVENTS_POSE_BY_THREAD)
		value = value ? value - 1 : expected;
	if (value < block->poses)
		return (uint32_t)value;
	complain(block, "an event has a pose that is not in the dictionary");
	return 0;
}

static bool decode_event(struct events_block *block, struct events_decoder *decoder, struct event *ret)
{
	struct predictor *p = &decoder->predictor;
	uint32_t threads = block->thread_max;
	uint32_t thread = next_field(block, COLUMN_THREAD, predict_thread(p), threads);
	if (thread > threads)
		return false;
	struct thread_track *track = &p->threads.data[thread];
	uint32_t process = next_field(block, COLUMN_PROCESS, predict_process(p, track), block->ids->processes);
	if (process > block->ids->processes)
		return false;
	uint32_t place = predict_place(p, track);
	uint32_t pose = decode_pose(block, track->slots[place].pose);
	*ret = decoder->poses.data[pose];
	ret->time = block->time;
	ret->thread = thread;
	ret->process = process;
	ret->waits_for = next_field(
		block, COLUMN_WAITS_FOR, predict_waits_for(p, ret->state), (uint32_t)block->ids->thread_process.count);
	decode_weights(block, p, ret, track->slots[place].count);
	predictor_learn(p, track, place, ret, pose);
	return !block->problem;
}

static bool decode_events(struct events_block *block, struct events_decoder *decoder)
{
	uint64_t size = 1;
	uint32_t done = 0;
	for (uint32_t moment = 0; moment < block->moments; moment++) {
		size += (uint64_t)unzigzag(column_next(&block->columns[COLUMN_MOMENT_EVENTS]));
		if (!size || size > block->events - done)
			return complain(block, "the moments have more events than there are, or none");
		if (!decode_time(block))
			return false;
		decoder->predictor.moment++;
		for (uint32_t end = done + (uint32_t)size; done < end; done++)
			if (!decode_event(block, decoder, &decoder->events.data[done]))
				return false;
	}
	return done == block->events || complain(block, "the moments have fewer events than there are");
}

static bool columns_are_good(struct events_block *block)
{
	for (unsigned i = 0; i < COLUMN_END; i++)
		if (block->columns[i].bad)
			return complain(block, "a column is shorter than it should be");
	return true;
}

struct error *events_decode(struct events_decoder *decoder, const void *content, size_t size, const struct ids *ids,
	const struct event **ret_events, size_t *ret_count)
{
	struct bytes_reader bytes = { content, (const unsigned char *)content + size, false };
	struct events_block block = { .ids = ids };
	if (!decode_head(&block, &bytes) || !decode_directory(&block, &bytes))
		return error_new(ERROR_CORRUPT, "%s", block.problem);
	if (!vec_reserve(&decoder->poses, block.poses) || !vec_reserve(&decoder->events, block.events) ||
		!predictor_begin(&decoder->predictor, block.thread_max, ids->processes, ids->tick_period_ns))
		return &error_no_memory;
	if (!decode_poses(&block, decoder->poses.data) || !decode_events(&block, decoder) || !columns_are_good(&block))
		return error_new(ERROR_CORRUPT, "%s", block.problem);
	*ret_events = decoder->events.data;
	*ret_count = block.events;
	return NULL;
}
