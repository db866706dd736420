/* rss_marks.c: which functions were on when, from samples.
 *
 * A function is on as long as all samples of its thread have it at the same place of the stack, called from the same
 * line; only functions of the program's own count, without bodies of modules. Calls that follow each other from one
 * line without a sample in between look like one. What is kept is bounded: with too many, those with the least to see
 * go. */
#include "profile/rss_plot.h"

#include <string.h>

enum { LEVELS_MAX = 64, MARKS_MAX = 1 << 16 };

/* A function that a thread is in. */
struct open_mark {
	uint32_t function, line;
	uint64_t from;
};

struct open_marks {
	struct open_mark levels[LEVELS_MAX];
	uint32_t count;
	uint64_t until; /* of the thread's last sample so far */
};

struct search {
	struct rss_plot *plot;
	VEC(struct open_marks) threads; /* by thread of the recording */
	double least;			/* weight: lighter ones are left out */
};

static bool is_shown(const struct profile *profile, uint32_t function)
{
	const struct text name = profile->functions.data[function].name;
	bool body = name.size == strlen("<module>") && memcmp(name.data, "<module>", name.size) == 0;
	return profile->functions.data[function].origin == ORIGIN_OWN && !body;
}

/* The functions of a stack, root first; those beyond LEVELS_MAX, at the leaf's end, are left out. */
static uint32_t list_levels(const struct profile *profile, uint32_t stack, struct open_mark *levels)
{
	uint32_t depth = 0, count = 0, line = 0;
	for (uint32_t at = stack; at; at = profile->stacks.data[at].parent)
		depth++;
	uint32_t *path = malloc((depth + 1) * sizeof *path);
	if (!path)
		return 0;
	for (uint32_t at = stack, i = depth; at; at = profile->stacks.data[at].parent)
		path[--i] = profile->stacks.data[at].frame;
	for (uint32_t i = 0; i < depth && count < LEVELS_MAX; i++) {
		const struct profile_frame *frame = &profile->frames.data[path[i]];
		if (is_shown(profile, frame->function))
			levels[count++] = (struct open_mark){ frame->function, line, 0 };
		line = frame->line;
	}
	free(path);
	return count;
}

static double weight_of(const struct rss_plot *plot, const struct rss_mark *mark)
{
	double moved = (double)mark->until.bytes - (double)mark->from.bytes;
	double of_memory = plot->most ? (moved < 0 ? -moved : moved) / (double)plot->most : 0;
	double of_time = plot->until ? (double)(mark->until.time - mark->from.time) / (double)plot->until : 0;
	return of_memory > of_time ? of_memory : of_time;
}

/* With more marks than there can be to see, the light ones go. */
static void drop_light(struct search *s)
{
	size_t kept = 0;
	s->least = s->least > 0 ? s->least * 2 : 1e-6;
	for (size_t i = 0; i < s->plot->marks.count; i++)
		if (s->plot->marks.data[i].weight >= s->least)
			s->plot->marks.data[kept++] = s->plot->marks.data[i];
	s->plot->marks.count = kept;
}

static struct error *add_mark(struct search *s, struct rss_mark mark)
{
	mark.weight = weight_of(s->plot, &mark);
	while (s->plot->marks.count >= MARKS_MAX)
		drop_light(s);
	if (mark.weight < s->least)
		return NULL;
	return vec_push(&s->plot->marks, mark) ? NULL : &error_no_memory;
}

/* Functions deeper than `kept` have ended. */
static struct error *close_levels(struct search *s, uint32_t thread, uint32_t kept, uint64_t until)
{
	struct open_marks *open = &s->threads.data[thread];
	uint32_t process = s->plot->profile->threads.data[thread].process;
	const struct rss_curve *curve = rss_plot_curve_of(s->plot, process);
	while (open->count > kept) {
		const struct open_mark *level = &open->levels[--open->count];
		struct rss_mark mark = { .process = process,
			.thread = thread,
			.function = level->function,
			.level = open->count,
			.line = level->line,
			.from = { level->from, curve ? rss_curve_nearest(curve, level->from).bytes : 0 },
			.until = { until, curve ? rss_curve_nearest(curve, until).bytes : 0 } };
		TRY(add_mark(s, mark));
	}
	return NULL;
}

static struct error *take_run(struct search *s, const struct rss_run *run)
{
	struct open_mark levels[LEVELS_MAX];
	uint32_t count = list_levels(s->plot->profile, run->stack, levels), same = 0;
	while (s->threads.count <= run->thread)
		if (!vec_push(&s->threads, (struct open_marks){ 0 }))
			return &error_no_memory;
	struct open_marks *open = &s->threads.data[run->thread];
	while (same < count && same < open->count && levels[same].function == open->levels[same].function &&
		levels[same].line == open->levels[same].line)
		same++;
	TRY(close_levels(s, run->thread, same, run->from));
	for (; open->count < count; open->count++) {
		open->levels[open->count] = levels[open->count];
		open->levels[open->count].from = run->from;
	}
	open->until = run->until;
	return NULL;
}

static struct error *find_seen(struct search *s)
{
	const struct profile_rss *rss = s->plot->profile->rss;
	for (size_t i = 0; i < rss->runs.count; i++)
		TRY(take_run(s, &rss->runs.data[i]));
	for (size_t i = 0; i < s->threads.count; i++)
		TRY(close_levels(s, (uint32_t)i, 0, s->threads.data[i].until));
	return NULL;
}

static struct error *take_given(struct search *s)
{
	const struct profile_rss *rss = s->plot->profile->rss;
	for (size_t i = 0; i < rss->given.count; i++) {
		const struct rss_given_mark *given = &rss->given.data[i];
		struct rss_mark mark = { .process = 1,
			.function = PROFILE_NONE,
			.name = given->name,
			.level = given->level,
			.from = given->from,
			.until = given->until };
		TRY(add_mark(s, mark));
	}
	return NULL;
}

static int by_begin(const void *left, const void *right)
{
	const struct rss_mark *a = left, *b = right;
	if (a->from.time != b->from.time)
		return a->from.time > b->from.time ? 1 : -1;
	return (a->level > b->level) - (a->level < b->level);
}

struct error *rss_marks_find(struct rss_plot *plot)
{
	struct search search = { .plot = plot };
	struct error *error = take_given(&search);
	if (!error)
		error = find_seen(&search);
	vec_free(&search.threads);
	if (!error && plot->marks.count)
		qsort(plot->marks.data, plot->marks.count, sizeof *plot->marks.data, by_begin);
	return error;
}
