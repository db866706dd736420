#include "inject/timeline.h"

#include <string.h>

#include "agent/segment/recorder.h"
#include "base/cleanup.h"
#include "inject/definitions.h"

/* What a node is on the timeline, in one number: its stack + 1, and whether it is shown itself. */
enum {
	PATH_UNKNOWN = 0,
	PATH_SILENT = 1 << 30,	       /* nobody's call: what is below it is its caller's */
	PATH_HIDDEN = PATH_SILENT - 1, /* with all that is below it */
};

struct open_call {
	uint32_t path;
	uint64_t entered; /* event time */
};

/* One thread, on the way through its words. */
struct lane {
	uint32_t id, block;
	uint64_t ticks, time; /* of the last word; event time, which rises with each */
	VEC(struct open_call) open;
};

struct timeline_of_process {
	struct segment_view *view;
	VEC(struct lane) lanes;
	struct map lane_of;  /* thread unit -> index */
	VEC(uint32_t) paths; /* by node unit */
	VEC(uint32_t) climb; /* nodes on the way to one that is known */
	struct event events[256];
	size_t event_count;
	bool ended; /* no more are wanted */
};

/* ---- events ---- */

static struct error *flush(struct drain *drain, struct timeline_of_process *t)
{
	size_t count = t->event_count;
	t->event_count = 0;
	return count ? drain->sink->ops->events(drain->sink, t->events, count) : NULL;
}

static struct error *add_event(struct drain *drain, struct timeline_of_process *t, const struct event *event)
{
	t->events[t->event_count++] = *event;
	return t->event_count == sizeof t->events / sizeof *t->events ? flush(drain, t) : NULL;
}

/* Out of the innermost call. */
static struct error *end_call(struct drain *drain, struct timeline_of_process *t, struct lane *lane, unsigned how)
{
	const struct open_call call = lane->open.data[--lane->open.count];
	if (t->ended || call.path & PATH_SILENT || call.path == PATH_HIDDEN)
		return NULL;
	drain->kept++;
	const struct event event = { .kind = EVENT_CALL,
		.time = lane->time,
		.process = t->view->process,
		.thread = lane->id,
		.stack = call.path - 1,
		.weight = { [WEIGHT_WALL] = lane->time - call.entered, [WEIGHT_COUNT] = how } };
	return add_event(drain, t, &event);
}

static struct error *end_open_calls(struct drain *drain, struct timeline_of_process *t, struct lane *lane)
{
	while (lane->open.count)
		TRY(end_call(drain, t, lane, CALL_LEFT_OPEN));
	return NULL;
}

/* Enough have been kept: the agents are told, and what is on its way is thrown away. */
static struct error *end_timeline(struct drain *drain, struct timeline_of_process *t)
{
	uint64_t time = 0;
	for (size_t i = 0; i < t->lanes.count; i++) {
		time = t->lanes.data[i].time > time ? t->lanes.data[i].time : time;
		TRY(end_open_calls(drain, t, &t->lanes.data[i]));
	}
	t->ended = true;
	atomic_store(&((struct segment_head *)t->view->base)->timeline_ended, 1);
	const struct event event = {
		.kind = EVENT_MARKER, .subject = SUBJECT_TIMELINE_END, .time = time, .process = t->view->process
	};
	return add_event(drain, t, &event);
}

/* ---- what a node is ---- */

static struct error *find_path(struct drain *drain, struct segment_view *view, const struct segment_node *node,
	uint32_t above, uint32_t *ret_path)
{
	const struct segment_code *code = segment_view_at(view, node->code, sizeof *code);
	uint32_t flags = code ? code->flags : SEGMENT_CODE_THROUGH, id, stack;
	*ret_path = above == PATH_HIDDEN || flags & SEGMENT_CODE_OURS ? PATH_HIDDEN : above | PATH_SILENT;
	if (*ret_path == PATH_HIDDEN || flags & SEGMENT_CODE_THROUGH)
		return NULL;
	TRY(define_code(drain, view, node->code, &id));
	if (!id)
		return NULL;
	uint32_t parent = (above & ~(uint32_t)PATH_SILENT) - 1;
	TRY(registry_stack(&drain->registry, parent, id, -1, &stack));
	*ret_path = stack + 1;
	return NULL;
}

static bool make_room_for_paths(struct timeline_of_process *t, uint32_t unit)
{
	size_t before = t->paths.count;
	if (unit < before)
		return true;
	if (!vec_reserve(&t->paths, (size_t)unit + 1))
		return false;
	t->paths.count = t->paths.capacity;
	memset(t->paths.data + before, 0, (t->paths.count - before) * sizeof *t->paths.data);
	return true;
}

/* Up to what is known, and down again. */
static struct error *resolve(struct drain *drain, struct timeline_of_process *t, uint32_t unit, uint32_t *ret_path)
{
	uint32_t path = 1 | PATH_SILENT;
	t->climb.count = 0;
	for (uint64_t left = segment_view_units(t->view); unit && left; left--) {
		const struct segment_node *node = segment_view_at(t->view, unit, sizeof *node);
		if (!node)
			break;
		if (!make_room_for_paths(t, unit))
			return &error_no_memory;
		if (t->paths.data[unit]) {
			path = t->paths.data[unit];
			break;
		}
		if (!vec_push(&t->climb, unit))
			return &error_no_memory;
		unit = node->parent;
	}
	for (size_t i = t->climb.count; i-- > 0;) {
		uint32_t at = t->climb.data[i];
		const struct segment_node *node = segment_view_at(t->view, at, sizeof *node);
		TRY(find_path(drain, t->view, node, path, &path));
		t->paths.data[at] = path;
	}
	*ret_path = path;
	return NULL;
}

/* ---- words ---- */

static struct error *enter(struct drain *drain, struct timeline_of_process *t, struct lane *lane, uint32_t unit)
{
	uint32_t path = unit < t->paths.count ? t->paths.data[unit] : PATH_UNKNOWN;
	if (path == PATH_UNKNOWN)
		TRY(resolve(drain, t, unit, &path));
	return vec_push(&lane->open, (struct open_call){ path, lane->time }) ? NULL : &error_no_memory;
}

static struct error *take_word(struct drain *drain, struct timeline_of_process *t, struct lane *lane, uint64_t word)
{
	uint32_t value = (uint32_t)(word >> (SEGMENT_WORD_TICKS + SEGMENT_WORD_KIND));
	lane->ticks += word & ((1ull << SEGMENT_WORD_TICKS) - 1);
	unsigned kind = word >> SEGMENT_WORD_TICKS & ((1 << SEGMENT_WORD_KIND) - 1);
	if (kind == SEGMENT_WORD_PAUSE) {
		lane->ticks += (uint64_t)value << SEGMENT_WORD_TICKS;
		return NULL;
	}
	/* Two events are some nanoseconds apart; the clocks are compared again and again, and may say otherwise. */
	uint64_t time = segment_view_time(t->view, lane->ticks);
	lane->time = time > lane->time ? time : lane->time + 1;
	if (kind == SEGMENT_WORD_ENTER || kind == SEGMENT_WORD_RESUME)
		return enter(drain, t, lane, value);
	return kind == SEGMENT_WORD_LEAVE && lane->open.count ? end_call(drain, t, lane, value) : NULL;
}

static struct error *take_words(
	struct drain *drain, struct timeline_of_process *t, struct lane *lane, const struct segment_words *block)
{
	uint64_t word = 1;
	for (size_t i = 0; i < SEGMENT_WORDS && word; i++)
		if ((word = atomic_load_explicit(&block->words[i], memory_order_acquire)))
			TRY(take_word(drain, t, lane, word));
	return drain->kept >= drain->most_kept && !t->ended ? end_timeline(drain, t) : NULL;
}

/* All that are full, and at the end the one that is not. */
static struct error *take_blocks(struct drain *drain, struct timeline_of_process *t, struct lane *lane, bool all)
{
	struct segment_words *block;
	for (uint64_t left = segment_view_units(t->view); left && (block = segment_view_words(t->view, lane->block));
		left--) {
		bool full = atomic_load(&block->full);
		if (full || all)
			TRY(take_words(drain, t, lane, block));
		if (!full)
			return NULL;
		lane->block = segment_view_empty(block);
	}
	return NULL;
}

/* ---- threads ---- */

static struct error *find_lane(struct drain *drain, struct timeline_of_process *t, uint32_t unit,
	const struct segment_thread *thread, struct lane **ret_lane)
{
	const uint64_t *known = map_get(&t->lane_of, unit);
	if (!known) {
		struct lane lane = { .block = thread->first_words, .ticks = thread->begun };
		TRY(define_thread(drain, t->view, unit, &lane.id));
		if (!vec_push(&t->lanes, lane) || !map_put(&t->lane_of, unit, t->lanes.count - 1))
			return &error_no_memory;
	}
	*ret_lane = &t->lanes.data[known ? *known : t->lanes.count - 1];
	return NULL;
}

static struct error *take_threads(struct drain *drain, struct timeline_of_process *t, bool all)
{
	uint64_t left = segment_view_units(t->view);
	for (uint32_t unit = t->view->head.first_thread; unit && left; left--) {
		const struct segment_thread *thread = segment_view_at(t->view, unit, sizeof *thread);
		struct lane *lane;
		if (!thread)
			break;
		TRY(find_lane(drain, t, unit, thread, &lane));
		TRY(take_blocks(drain, t, lane, all));
		unit = thread->next;
	}
	return flush(drain, t);
}

/* ---- segments ---- */

static struct timeline_of_process *find(const struct drain *drain, const char *path)
{
	for (size_t i = 0; i < drain->timelines.count; i++)
		if (strcmp(drain->timelines.data[i]->view->path, path) == 0)
			return drain->timelines.data[i];
	return NULL;
}

static void close_timeline(struct timeline_of_process *t)
{
	for (size_t i = 0; i < t->lanes.count; i++)
		vec_free(&t->lanes.data[i].open);
	vec_free(&t->lanes);
	vec_free(&t->paths);
	vec_free(&t->climb);
	map_deinit(&t->lane_of);
	segment_view_close(t->view);
	free(t);
}

static struct error *open_timeline(struct drain *drain, const char *path, uint64_t began_ns)
{
	struct timeline_of_process *t = calloc(1, sizeof *t);
	if (!t)
		return &error_no_memory;
	struct error *error = segment_view_open(path, /* live= */ true, began_ns, &t->view);
	if (!error && !vec_push(&drain->timelines, t))
		error = &error_no_memory;
	if (error)
		close_timeline(t);
	return error;
}

struct error *timeline_take(struct drain *drain, const char *path, const struct process_def *def, uint64_t began_ns)
{
	struct timeline_of_process *t = find(drain, path);
	if (!t) {
		struct error *error = open_timeline(drain, path, began_ns);
		if (error && error->kind == ERROR_NOT_READY) {
			error_free(error);
			return NULL;
		}
		TRY(error);
		t = drain->timelines.data[drain->timelines.count - 1];
	} else {
		TRY(segment_view_refresh(t->view));
	}
	TRY(define_process(drain, t->view, def));
	return take_threads(drain, t, /* all= */ false);
}

struct error *timeline_finish(struct drain *drain, const char *path)
{
	struct timeline_of_process *t = find(drain, path);
	TRY(segment_view_refresh(t->view));
	TRY(take_threads(drain, t, /* all= */ true));
	uint64_t end = segment_view_time(t->view, t->view->end_ticks);
	for (size_t i = 0; i < t->lanes.count; i++) {
		struct lane *lane = &t->lanes.data[i];
		lane->time = end > lane->time ? end : lane->time;
		TRY(end_open_calls(drain, t, lane));
	}
	return flush(drain, t);
}

struct segment_view *timeline_view(const struct drain *drain, const char *path)
{
	const struct timeline_of_process *t = find(drain, path);
	return t ? t->view : NULL;
}

void timelines_close(struct drain *drain)
{
	for (size_t i = 0; i < drain->timelines.count; i++)
		close_timeline(drain->timelines.data[i]);
	vec_free(&drain->timelines);
}
