/* rss_steps.c: the steps in which memory moved, and what the process was doing in each.
 *
 * Each reading that differs from the one before is a move. It is charged to the stack whose innermost function of the
 * program's own, and line, its threads were busy in for most of that time; where none was seen busy, to where the main
 * thread was before and after, if that is one place, else to between the two.
 *
 * Moves in one direction without a pause are a burst: all those of BRIEF, since what is seen of memory and of threads
 * is not of quite the same moment, and then as long as they are of one place. A burst is charged to the place of most
 * of its bytes. Bursts in one direction that follow each other and are of one place, callers and all, are one step,
 * however long it takes: so the growth of a loop is one. */
#include "profile/rss_plot.h"

#include "base/map.h"

enum { NOISE = 64 << 10, STEPS_MAX = 4096, LEAST_BYTES = 1 << 20, LEAST_PART = 20, PLACES_MAX = 64, PARTS_MAX = 16 };
static const uint64_t brief = 50000000;

/* Runs of one thread, by number, in the order of time. */
struct thread_runs {
	VEC(uint32_t) runs;
};

struct search {
	struct rss_plot *plot;
	VEC(struct thread_runs) threads;
	struct map lines; /* frame + 1 -> place in plot->lines */
};

/* How long a place was busy within a step. */
struct place {
	uint32_t frame, stack;
	uint64_t time;
};

static const struct rss_run *run_of(const struct search *s, const struct thread_runs *thread, size_t i)
{
	return &s->plot->profile->rss->runs.data[thread->runs.data[i]];
}

/* How many runs of the thread begin not after that time. */
static size_t count_begun(const struct search *s, const struct thread_runs *thread, uint64_t time)
{
	size_t low = 0, high = thread->runs.count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (run_of(s, thread, middle)->from <= time)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A run stands for the time up to the next one of its thread. */
static void vote(const struct search *s, const struct thread_runs *thread, size_t number, const struct rss_step *step,
	struct place places[PLACES_MAX], size_t *count)
{
	const struct rss_run *run = run_of(s, thread, number);
	bool last = number + 1 == thread->runs.count;
	uint64_t from = run->from > step->from.time ? run->from : step->from.time;
	uint64_t until = last ? run->until : run_of(s, thread, number + 1)->from;
	uint32_t stack;
	until = until < step->until.time ? until : step->until.time;
	if (!run->busy || until <= from)
		return;
	uint32_t frame = rss_own_frame(s->plot->profile, run->stack, &stack);
	size_t i = 0;
	while (i < *count && places[i].frame != frame)
		i++;
	if (i == *count && *count == PLACES_MAX)
		return;
	if (i == *count)
		places[(*count)++] = (struct place){ frame, stack, 0 };
	places[i].time += until - from;
}

static bool is_of(const struct search *s, size_t thread, uint32_t pid)
{
	const struct profile *profile = s->plot->profile;
	uint32_t process = profile->threads.data[thread].process;
	return process && profile->processes.data[process].pid == pid;
}

/* The process's main thread, or, where none is known to be it, its first. */
static const struct thread_runs *main_thread_of(const struct search *s, uint32_t pid)
{
	enum { MAIN = 1 };
	const struct thread_runs *first = NULL;
	for (size_t i = 1; i < s->threads.count; i++) {
		if (!s->threads.data[i].runs.count || !is_of(s, i, pid))
			continue;
		if (s->plot->profile->threads.data[i].flags & MAIN)
			return &s->threads.data[i];
		first = first ? first : &s->threads.data[i];
	}
	return first;
}

static bool same_place(const struct profile *profile, uint32_t a, uint32_t b)
{
	while (a != b && a && b && profile->stacks.data[a].frame == profile->stacks.data[b].frame) {
		a = profile->stacks.data[a].parent;
		b = profile->stacks.data[b].parent;
	}
	return a == b;
}

static unsigned depth_of(const struct profile *profile, uint32_t stack)
{
	unsigned depth = 0;
	for (; stack; stack = profile->stacks.data[stack].parent)
		depth++;
	return depth;
}

/* Of two stacks that part in one function, at two of its lines, these two frames: what was in between is there. */
static void find_parting(const struct profile *profile, uint32_t *before, uint32_t *after)
{
	const struct profile_stack *stacks = profile->stacks.data;
	unsigned depths[] = { depth_of(profile, *before), depth_of(profile, *after) };
	uint32_t a = *before, b = *after;
	for (; depths[0] > depths[1]; depths[0]--)
		a = stacks[a].parent;
	for (; depths[1] > depths[0]; depths[1]--)
		b = stacks[b].parent;
	while (a && b && !same_place(profile, stacks[a].parent, stacks[b].parent)) {
		a = stacks[a].parent;
		b = stacks[b].parent;
	}
	if (!a || !b ||
		profile->frames.data[stacks[a].frame].function != profile->frames.data[stacks[b].frame].function)
		return;
	*before = a;
	*after = b;
}

/* The readings are at moments of samples: a thread that lives has one at the end of the move. Where it was in one place
 * both times it is charged to that, as all that it did in between was too short to be seen. */
static void find_neighbours(const struct search *s, uint32_t pid, struct rss_step *step)
{
	const struct thread_runs *thread = main_thread_of(s, pid);
	size_t before = thread ? count_begun(s, thread, step->from.time) : 0;
	size_t after = thread ? count_begun(s, thread, step->until.time) : 0;
	if (!before || !after || run_of(s, thread, after - 1)->until < step->until.time)
		return;
	rss_own_frame(s->plot->profile, run_of(s, thread, before - 1)->stack, &step->before);
	rss_own_frame(s->plot->profile, run_of(s, thread, after - 1)->stack, &step->after);
	if (same_place(s->plot->profile, step->before, step->after))
		step->stack = step->before;
	else
		find_parting(s->plot->profile, &step->before, &step->after);
}

static void explain(const struct search *s, struct rss_step *step)
{
	struct place places[PLACES_MAX];
	size_t count = 0, best = 0;
	uint32_t pid = s->plot->curves.data[step->curve].pid;
	for (size_t i = 1; i < s->threads.count; i++) {
		const struct thread_runs *thread = &s->threads.data[i];
		if (!thread->runs.count || !is_of(s, i, pid))
			continue;
		size_t at = count_begun(s, thread, step->from.time);
		for (at = at ? at - 1 : 0; at < thread->runs.count; at++) {
			if (run_of(s, thread, at)->from > step->until.time)
				break;
			vote(s, thread, at, step, places, &count);
		}
	}
	for (size_t i = 1; i < count; i++)
		best = places[i].time > places[best].time ? i : best;
	if (count)
		step->stack = places[best].stack;
	else
		find_neighbours(s, pid, step);
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

static struct error *add_to_line(struct search *s, uint32_t stack, bool rose, uint64_t bytes)
{
	uint32_t frame = stack ? s->plot->profile->stacks.data[stack].frame : PROFILE_NONE;
	uint64_t *place = map_get(&s->lines, (uint64_t)frame + 1);
	if (!place) {
		if (!map_put(&s->lines, (uint64_t)frame + 1, s->plot->lines.count) ||
			!vec_push(&s->plot->lines, (struct rss_line){ frame, 0, 0 }))
			return &error_no_memory;
		place = map_get(&s->lines, (uint64_t)frame + 1);
	}
	struct rss_line *line = &s->plot->lines.data[*place];
	*(rose ? &line->rose : &line->fell) += bytes;
	return NULL;
}

/* ---- bursts ---- */

/* Of which places the moves of a burst are. */
struct burst {
	struct rss_step step;
	struct part {
		uint32_t stack; /* 0: not known */
		uint64_t bytes;
	} parts[PARTS_MAX];
	size_t count; /* 0: there is no burst */
};

static bool rises(const struct rss_step *step)
{
	return step->until.bytes > step->from.bytes;
}

static const struct part *main_part(const struct burst *burst)
{
	const struct part *most = &burst->parts[0];
	for (size_t i = 1; i < burst->count; i++)
		if (burst->parts[i].stack && (!most->stack || burst->parts[i].bytes > most->bytes))
			most = &burst->parts[i];
	return most;
}

static void add_part(const struct search *s, struct burst *burst, const struct rss_step *move)
{
	size_t i = 0;
	while (i < burst->count && !same_place(s->plot->profile, burst->parts[i].stack, move->stack))
		i++;
	if (i == burst->count && i == PARTS_MAX)
		i = 0;
	else if (i == burst->count)
		burst->parts[burst->count++] = (struct part){ move->stack, 0 };
	burst->parts[i].bytes += distance(move->from.bytes, move->until.bytes);
}

static bool join(const struct search *s, struct burst *burst, const struct rss_step *move)
{
	struct rss_step *step = &burst->step;
	if (!burst->count || rises(step) != rises(move) || move->from.time != step->until.time)
		return false;
	bool same = same_place(s->plot->profile, main_part(burst)->stack, move->stack);
	if (!same && move->until.time - step->from.time > brief)
		return false;
	add_part(s, burst, move);
	step->until = move->until;
	step->after = move->after;
	return true;
}

/* ---- steps ---- */

/* Small ones are left out. */
static struct error *keep_step(const struct search *s, const struct rss_step *step)
{
	uint64_t moved = distance(step->from.bytes, step->until.bytes);
	if (moved < LEAST_BYTES || moved < s->plot->most / LEAST_PART || s->plot->steps.count >= STEPS_MAX)
		return NULL;
	return vec_push(&s->plot->steps, *step) ? NULL : &error_no_memory;
}

/* What is not known of a burst's moves is charged as the rest of it. */
static struct error *end_burst(struct search *s, struct burst *burst, struct rss_step *step)
{
	struct rss_step *last = &burst->step;
	if (!burst->count)
		return NULL;
	last->stack = main_part(burst)->stack;
	for (size_t i = 0; i < burst->count; i++) {
		uint32_t stack = burst->parts[i].stack;
		TRY(add_to_line(s, stack ? stack : last->stack, rises(last), burst->parts[i].bytes));
	}
	burst->count = 0;
	if (last->stack && step->stack && rises(last) == rises(step) &&
		same_place(s->plot->profile, last->stack, step->stack)) {
		step->until = last->until;
		return NULL;
	}
	TRY(keep_step(s, step));
	*step = *last;
	return NULL;
}

/* From the reading before, or, where memory creeps, from the last one from which it has moved by more than noise. */
static struct error *find_in(struct search *s, uint32_t curve)
{
	const struct rss_points *points = &s->plot->curves.data[curve].points;
	struct rss_step step = { 0 };
	struct burst burst = { 0 };
	struct rss_point anchor = points->items.data[0];
	for (size_t i = 1; i < points->items.count; i++) {
		struct rss_point last = points->items.data[i - 1], point = points->items.data[i];
		bool jumped = distance(last.bytes, point.bytes) >= NOISE;
		if (!jumped && distance(anchor.bytes, point.bytes) < NOISE)
			continue;
		struct rss_step move = { .curve = curve, .from = jumped ? last : anchor, .until = point };
		anchor = point;
		explain(s, &move);
		if (join(s, &burst, &move))
			continue;
		TRY(end_burst(s, &burst, &step));
		burst.step = move;
		add_part(s, &burst, &move);
	}
	TRY(end_burst(s, &burst, &step));
	return keep_step(s, &step);
}

static struct error *sort_runs(struct search *s)
{
	const struct profile_rss *rss = s->plot->profile->rss;
	while (s->threads.count < s->plot->profile->threads.count)
		if (!vec_push(&s->threads, (struct thread_runs){ 0 }))
			return &error_no_memory;
	for (size_t i = 0; i < rss->runs.count; i++)
		if (!vec_push(&s->threads.data[rss->runs.data[i].thread].runs, (uint32_t)i))
			return &error_no_memory;
	return NULL;
}

static int by_time(const void *left, const void *right)
{
	const struct rss_step *a = left, *b = right;
	return (a->from.time > b->from.time) - (a->from.time < b->from.time);
}

static int by_rise(const void *left, const void *right)
{
	const struct rss_line *a = left, *b = right;
	if (a->rose != b->rose)
		return a->rose < b->rose ? 1 : -1;
	return a->fell != b->fell ? (a->fell < b->fell ? 1 : -1) : (a->frame > b->frame) - (a->frame < b->frame);
}

struct error *rss_steps_find(struct rss_plot *plot)
{
	struct search search = { .plot = plot };
	struct error *error = sort_runs(&search);
	for (size_t i = 0; !error && i < plot->curves.count; i++)
		error = find_in(&search, (uint32_t)i);
	for (size_t i = 0; i < search.threads.count; i++)
		vec_free(&search.threads.data[i].runs);
	vec_free(&search.threads);
	map_deinit(&search.lines);
	if (!error && plot->lines.count)
		qsort(plot->lines.data, plot->lines.count, sizeof *plot->lines.data, by_rise);
	if (!error && plot->steps.count)
		qsort(plot->steps.data, plot->steps.count, sizeof *plot->steps.data, by_time);
	return error;
}
