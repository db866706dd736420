/* rss_plot.c: see rss_plot.h. A curve is that of a pid: a process that executes another program goes on in it. */
#include "profile/rss_plot.h"

#include <string.h>

#include "base/cleanup.h"

/* ---- curves ---- */

static int by_time(const void *left, const void *right)
{
	const struct rss_point *a = left, *b = right;
	return a->time != b->time ? (a->time > b->time) - (a->time < b->time) : 0;
}

static void sort_points(struct rss_points *points)
{
	for (size_t i = 1; i < points->items.count; i++)
		if (points->items.data[i].time < points->items.data[i - 1].time) {
			qsort(points->items.data, points->items.count, sizeof *points->items.data, by_time);
			return;
		}
}

static void find_peak(struct rss_curve *curve)
{
	curve->peak = (struct rss_point){ 0 };
	for (size_t i = 0; i < curve->points.items.count; i++)
		if (!i || curve->points.items.data[i].bytes > curve->peak.bytes)
			curve->peak = curve->points.items.data[i];
}

/* In mprof's files a child is told by a number that need not be its pid. */
static bool is_of(const struct rss_plot *plot, const struct rss_curve *curve, uint32_t process)
{
	if (plot->profile->rss->from_dat)
		return curve->process == process;
	return curve->pid == plot->profile->processes.data[process].pid;
}

static struct rss_curve *find_curve(const struct rss_plot *plot, uint32_t process)
{
	for (size_t i = plot->curves.count; i-- > 0;)
		if (is_of(plot, &plot->curves.data[i], process))
			return &plot->curves.data[i];
	return NULL;
}

static struct rss_curve *need_curve(struct rss_plot *plot, uint32_t process)
{
	struct rss_curve *known = find_curve(plot, process);
	if (known)
		return known;
	uint32_t pid = plot->profile->processes.data[process].pid;
	return vec_push(&plot->curves, (struct rss_curve){ .pid = pid }) ? &plot->curves.data[plot->curves.count - 1]
									 : NULL;
}

static void take_shares(struct rss_curve *curve, const struct rss_points *points, enum rss_kind kind)
{
	for (size_t i = 0; i < points->items.count; i++)
		if (points->items.data[i].bytes > curve->shares_peak[kind].bytes)
			curve->shares_peak[kind] = points->items.data[i];
	if (kind == RSS_PROPORTIONAL)
		curve->shares_read += points->items.count;
}

static struct error *add_process(struct rss_plot *plot, uint32_t process)
{
	const struct rss_points *points = plot->profile->rss->processes.data[process].kinds;
	if (!points[RSS_RESIDENT].items.count)
		return NULL;
	struct rss_curve *curve = need_curve(plot, process);
	if (!curve)
		return &error_no_memory;
	curve->process = process;
	for (size_t i = 0; i < points[RSS_RESIDENT].items.count; i++)
		if (!vec_push(&curve->points.items, points[RSS_RESIDENT].items.data[i]))
			return &error_no_memory;
	take_shares(curve, &points[RSS_PROPORTIONAL], RSS_PROPORTIONAL);
	take_shares(curve, &points[RSS_UNIQUE], RSS_UNIQUE);
	return NULL;
}

/* ---- their sum ---- */

struct reading {
	struct rss_point point;
	uint32_t curve;
	bool last; /* of its curve */
};

static int reading_by_time(const void *left, const void *right)
{
	const struct reading *a = left, *b = right;
	return by_time(&a->point, &b->point);
}

static struct reading *list_readings(const struct rss_plot *plot, size_t *ret_count)
{
	size_t count = 0, at = 0;
	for (size_t i = 0; i < plot->curves.count; i++)
		count += plot->curves.data[i].points.items.count;
	struct reading *readings = malloc((count + 1) * sizeof *readings);
	for (size_t i = 0; readings && i < plot->curves.count; i++) {
		const struct rss_points *points = &plot->curves.data[i].points;
		for (size_t k = 0; k < points->items.count; k++)
			readings[at++] = (struct reading){ points->items.data[k], (uint32_t)i,
				k + 1 == points->items.count };
	}
	if (readings)
		qsort(readings, count, sizeof *readings, reading_by_time);
	*ret_count = count;
	return readings;
}

/* At each time the last reading of every process that is read again later or now. */
static struct error *add_up(struct rss_plot *plot)
{
	size_t count;
	_cleanup_free_ struct reading *readings = list_readings(plot, &count);
	_cleanup_free_ uint64_t *bytes = calloc(plot->curves.count + 1, sizeof *bytes);
	if (!readings || !bytes)
		return &error_no_memory;
	uint64_t sum = 0;
	for (size_t i = 0, next; i < count; i = next) {
		for (next = i; next < count && readings[next].point.time == readings[i].point.time; next++) {
			sum += readings[next].point.bytes - bytes[readings[next].curve];
			bytes[readings[next].curve] = readings[next].point.bytes;
		}
		struct rss_point point = { readings[i].point.time, sum };
		if (!vec_push(&plot->sum.points.items, point))
			return &error_no_memory;
		for (size_t k = i; k < next; k++)
			if (readings[k].last)
				sum -= bytes[readings[k].curve];
	}
	find_peak(&plot->sum);
	return NULL;
}

/* ---- several recordings ---- */

/* The whole of a recording as one curve, from its own beginning. */
static struct error *add_recording(struct rss_plot *plot, struct profile *profile)
{
	_cleanup_rss_plot_ struct rss_plot other = { 0 };
	TRY(rss_plot_init(profile, &other));
	struct rss_curve curve = *rss_plot_top(&other);
	curve.title = profile->rss->title;
	curve.points = (struct rss_points){ 0 };
	for (size_t i = 0; i < rss_plot_top(&other)->points.items.count; i++) {
		if (!vec_push(&curve.points.items, rss_plot_top(&other)->points.items.data[i])) {
			vec_free(&curve.points.items);
			return &error_no_memory;
		}
	}
	if (!vec_push(&plot->curves, curve)) {
		vec_free(&curve.points.items);
		return &error_no_memory;
	}
	return NULL;
}

static struct error *add_recordings(struct rss_plot *plot, struct profile *profile)
{
	struct profile_rss *rss = profile->rss;
	__auto_type beside = rss->beside;
	plot->several_recordings = true;
	rss->beside.count = 0; /* now it is one that stands alone */
	struct error *error = add_recording(plot, profile);
	rss->beside = beside;
	for (size_t i = 0; !error && i < beside.count; i++)
		error = add_recording(plot, beside.data[i]);
	return error;
}

/* ---- all of it ---- */

static void find_bounds(struct rss_plot *plot)
{
	for (size_t i = 0; i < plot->curves.count; i++) {
		struct rss_curve *curve = &plot->curves.data[i];
		const struct rss_points *points = &curve->points;
		find_peak(curve);
		uint64_t until = points->items.data[points->items.count - 1].time;
		plot->until = until > plot->until ? until : plot->until;
		plot->most = curve->peak.bytes > plot->most ? curve->peak.bytes : plot->most;
	}
}

static struct error *fill(struct rss_plot *plot, struct profile *profile)
{
	if (profile->rss->beside.count) {
		TRY(add_recordings(plot, profile));
		find_bounds(plot);
		return NULL;
	}
	for (size_t i = 1; i < profile->rss->processes.count; i++)
		TRY(add_process(plot, (uint32_t)i));
	if (!plot->curves.count)
		return error_new(ERROR_FAILED, "there is no reading of resident memory in it");
	for (size_t i = 0; i < plot->curves.count; i++)
		sort_points(&plot->curves.data[i].points);
	find_bounds(plot);
	if (plot->curves.count > 1)
		TRY(add_up(plot));
	plot->most = rss_plot_top(plot)->peak.bytes > plot->most ? rss_plot_top(plot)->peak.bytes : plot->most;
	TRY(profile_decode(profile));
	TRY(rss_marks_find(plot));
	return rss_steps_find(plot);
}

struct error *rss_plot_init(struct profile *profile, struct rss_plot *ret_plot)
{
	*ret_plot = (struct rss_plot){ .profile = profile };
	return fill(ret_plot, profile);
}

void rss_plot_deinit(struct rss_plot *plot)
{
	for (size_t i = 0; i < plot->curves.count; i++)
		vec_free(&plot->curves.data[i].points.items);
	vec_free(&plot->sum.points.items);
	vec_free(&plot->curves);
	vec_free(&plot->marks);
	vec_free(&plot->steps);
	vec_free(&plot->lines);
}

/* ---- looking at it ---- */

const struct rss_curve *rss_plot_top(const struct rss_plot *plot)
{
	if (plot->sum.points.items.count)
		return &plot->sum;
	const struct rss_curve *top = &plot->curves.data[0];
	for (size_t i = 1; i < plot->curves.count; i++)
		top = plot->curves.data[i].peak.bytes > top->peak.bytes ? &plot->curves.data[i] : top;
	return top;
}

/* How many points are not after that time. */
static size_t count_until(const struct rss_curve *curve, uint64_t time)
{
	size_t low = 0, high = curve->points.items.count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (curve->points.items.data[middle].time <= time)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct rss_point rss_curve_at(const struct rss_curve *curve, uint64_t time)
{
	size_t count = count_until(curve, time);
	return curve->points.items.data[count ? count - 1 : 0];
}

struct rss_point rss_curve_nearest(const struct rss_curve *curve, uint64_t time)
{
	size_t next = count_until(curve, time);
	struct rss_point before = rss_curve_at(curve, time);
	if (next == curve->points.items.count || time - before.time < curve->points.items.data[next].time - time)
		return before;
	return curve->points.items.data[next];
}

const struct rss_curve *rss_plot_curve_of(const struct rss_plot *plot, uint32_t process)
{
	return process && process < plot->profile->processes.count ? find_curve(plot, process) : NULL;
}

uint32_t rss_own_frame(const struct profile *profile, uint32_t stack, uint32_t *ret_stack)
{
	uint32_t innermost = stack;
	for (uint32_t at = stack; at; at = profile->stacks.data[at].parent) {
		uint32_t frame = profile->stacks.data[at].frame;
		if (profile->functions.data[profile->frames.data[frame].function].origin != ORIGIN_OWN)
			continue;
		*ret_stack = at;
		return frame;
	}
	*ret_stack = innermost;
	return innermost ? profile->stacks.data[innermost].frame : PROFILE_NONE;
}
