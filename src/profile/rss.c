/* rss.c: see rss.h. What is kept is bounded: of very long recordings neighbouring readings become one, the greater,
 * and samples are thinned out. */
#include "profile/rss.h"

#include <string.h>

enum { POINTS_MAX = 1 << 22, RUNS_MAX = 1 << 22 };

bool profile_rss_is_it(const struct event *event)
{
	return event->subject >= SUBJECT_RSS && event->subject <= SUBJECT_USS && event->process;
}

struct error *profile_rss_need(struct profile *profile)
{
	if (!profile->rss)
		profile->rss = calloc(1, sizeof *profile->rss);
	return profile->rss ? NULL : &error_no_memory;
}

static void halve_points(struct rss_points *points)
{
	size_t kept = 0;
	for (size_t i = 0; i + 1 < points->items.count; i += 2) {
		const struct rss_point *pair = &points->items.data[i];
		points->items.data[kept++] = pair[0].bytes > pair[1].bytes ? pair[0] : pair[1];
	}
	points->items.count = kept;
}

struct error *profile_rss_add_point(
	struct profile *profile, uint32_t process, enum rss_kind kind, struct rss_point point)
{
	TRY(profile_rss_need(profile));
	struct profile_rss *rss = profile->rss;
	while (rss->processes.count <= process)
		if (!vec_push(&rss->processes, (struct rss_process){ 0 }))
			return &error_no_memory;
	struct rss_points *points = &rss->processes.data[process].kinds[kind];
	if (points->items.count >= POINTS_MAX)
		halve_points(points);
	return vec_push(&points->items, point) ? NULL : &error_no_memory;
}

struct error *profile_rss_add(struct profile *profile, const struct event *event)
{
	enum rss_kind kind = (enum rss_kind)(event->subject - SUBJECT_RSS);
	struct rss_point point = { event->time, event->weight[WEIGHT_COUNT] };
	return profile_rss_add_point(profile, event->process, kind, point);
}

/* ---- what threads did ---- */

/* Every second sample is left out, of those that were kept as of those that come. */
static void thin_out(struct profile_rss *rss)
{
	size_t kept = 0;
	const uint64_t first_gap = 1000000;
	rss->least_gap = rss->least_gap ? rss->least_gap * 2 : first_gap;
	memset(rss->last_runs.data, 0, rss->last_runs.count * sizeof *rss->last_runs.data);
	for (size_t i = 0; i < rss->runs.count; i++) {
		struct rss_run run = rss->runs.data[i];
		uint32_t *last = &rss->last_runs.data[run.thread];
		if (*last && run.until - rss->runs.data[*last - 1].until < rss->least_gap)
			continue;
		rss->runs.data[kept++] = run;
		*last = (uint32_t)kept;
	}
	rss->runs.count = kept;
}

static struct error *add_run(struct profile_rss *rss, const struct event *event, bool busy)
{
	while (rss->last_runs.count <= event->thread)
		if (!vec_push(&rss->last_runs, 0))
			return &error_no_memory;
	/* Of a great many threads the runs may stay too many; then time goes by and the gap grows. */
	if (rss->runs.count >= RUNS_MAX)
		thin_out(rss);
	struct rss_run run = { event->time, event->time, event->thread, event->stack, busy };
	if (!vec_push(&rss->runs, run))
		return &error_no_memory;
	rss->last_runs.data[event->thread] = (uint32_t)rss->runs.count;
	return NULL;
}

struct error *profile_rss_add_sample(struct profile *profile, const struct event *event)
{
	struct profile_rss *rss = profile->rss;
	bool busy = event->state & STATE_BUSY_MASK;
	/* What is not known whole would end all functions that are on. */
	if (!event->thread || event->quality == QUALITY_PARTIAL)
		return NULL;
	uint32_t number = event->thread < rss->last_runs.count ? rss->last_runs.data[event->thread] : 0;
	struct rss_run *last = number ? &rss->runs.data[number - 1] : NULL;
	if (!last || event->time < last->until)
		return add_run(rss, event, busy);
	if (last->stack == event->stack && last->busy == busy) {
		last->until = event->time;
		return NULL;
	}
	if (rss->least_gap && event->time - last->until < rss->least_gap)
		return NULL;
	return add_run(rss, event, busy);
}

void profile_rss_destroy(struct profile_rss *rss)
{
	if (!rss)
		return;
	for (size_t i = 0; i < rss->processes.count; i++)
		for (int kind = 0; kind < RSS_KIND_END; kind++)
			vec_free(&rss->processes.data[i].kinds[kind].items);
	for (size_t i = 0; i < rss->beside.count; i++)
		profile_destroy(rss->beside.data[i]);
	vec_free(&rss->processes);
	vec_free(&rss->runs);
	vec_free(&rss->last_runs);
	vec_free(&rss->given);
	vec_free(&rss->beside);
	free(rss);
}
