/* rss_common.c: names, axes and the choice of marks, for all pictures of memory over time (rss.h). */
#include <string.h>

#include "report/rss.h"

void rss_add_curve_name(struct buffer *out, const struct rss_plot *plot, const struct rss_curve *curve)
{
	if (curve->title) {
		buffer_add_string(out, curve->title);
		return;
	}
	const struct profile_process *process = &plot->profile->processes.data[curve->process];
	bool from_dat = plot->profile->rss->from_dat;
	if (from_dat && process->parent)
		buffer_printf(out, "child %u", process->pid);
	else if (!from_dat)
		buffer_printf(out, "%u ", process->pid);
	if (from_dat)
		buffer_add(out, process->command.data, process->command.size);
	else
		label_add_command(out, process->command);
}

struct text rss_mark_name(const struct rss_plot *plot, const struct rss_mark *mark)
{
	return mark->function == PROFILE_NONE ? mark->name : plot->profile->functions.data[mark->function].name;
}

/* ---- the choice of curves ---- */

static int by_number(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
	return (a > b) - (a < b);
}

static int by_peak(const void *left, const void *right, void *data)
{
	const struct rss_curve *curves = data, *a = &curves[*(const uint32_t *)left],
			       *b = &curves[*(const uint32_t *)right];
	if (a->peak.bytes != b->peak.bytes)
		return a->peak.bytes < b->peak.bytes ? 1 : -1;
	return (a > b) - (a < b);
}

/* Where they are too many, those with less than a thirtieth of the memory are not shown either. */
struct error *rss_choose_curves(const struct rss_plot *plot, size_t most, struct rss_shown *ret_shown)
{
	enum { SMALL = 30 };
	size_t count = plot->curves.count;
	uint32_t *order = malloc((count + 1) * sizeof *order);
	if (!order)
		return &error_no_memory;
	for (size_t i = 0; i < count; i++)
		order[i] = (uint32_t)i;
	qsort_r(order, count, sizeof *order, by_peak, plot->curves.data);
	size_t large = 0;
	while (large < count && plot->curves.data[order[large]].peak.bytes * SMALL >= plot->most)
		large++;
	count = count <= most ? count : large < most ? large : most;
	qsort(order, count, sizeof *order, by_number);
	*ret_shown = (struct rss_shown){ order, count };
	return NULL;
}

size_t rss_shown_place(const struct rss_shown *shown, size_t curve)
{
	size_t i = 0;
	while (i < shown->count && shown->curves[i] != curve)
		i++;
	return i;
}

char rss_letter(const struct rss_plot *plot, const struct rss_shown *shown, size_t curve)
{
	enum { LETTERS = 26 };
	size_t place = rss_shown_place(shown, curve);
	return plot->curves.count > 1 && place < shown->count && place < LETTERS ? (char)('a' + place) : ' ';
}

/* ---- axes ---- */

/* The least of 1, 2 and 5 times a power of ten that is not below this number. */
static uint64_t round_up(double number)
{
	static const uint64_t steps[] = { 1, 2, 5 };
	for (uint64_t power = 1; power < UINT64_C(1) << 60; power *= 10)
		for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
			if ((double)(steps[i] * power) >= number)
				return steps[i] * power;
	return UINT64_C(1) << 60;
}

uint64_t rss_tick_bytes(uint64_t most, unsigned ticks)
{
	enum { KIB = 1024 };
	double least = (double)(most ? most : 1) / ticks;
	uint64_t unit = 1;
	while (least / (double)unit > KIB / 2 && unit < UINT64_C(1) << 50)
		unit *= KIB;
	return round_up(least / (double)unit) * unit;
}

uint64_t rss_tick_time(uint64_t longest, unsigned ticks)
{
	static const uint64_t steps[] = { 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 14400, 21600,
		43200, 86400 };
	const uint64_t second = 1000000000;
	double least = (double)(longest ? longest : 1) / ticks;
	if (least <= 5.0 * (double)second)
		return round_up(least);
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if ((double)(steps[i] * second) >= least)
			return steps[i] * second;
	return round_up(least / 86400e9) * 86400 * second;
}

struct rss_range rss_range_of(const struct rss_plot *plot, unsigned ticks)
{
	uint64_t least = UINT64_MAX;
	for (size_t i = 0; i < plot->curves.count; i++)
		for (size_t k = 0; k < plot->curves.data[i].points.items.count; k++) {
			uint64_t bytes = plot->curves.data[i].points.items.data[k].bytes;
			least = bytes < least ? bytes : least;
		}
	bool stays_high = least > plot->most - plot->most / 4;
	struct rss_range range = { .tick = rss_tick_bytes(plot->most - (stays_high ? least : 0), ticks) };
	range.low = stays_high ? least / range.tick * range.tick : 0;
	range.high = (plot->most / range.tick + 1) * range.tick;
	if (plot->most % range.tick == 0 && plot->most > range.low)
		range.high = plot->most;
	return range;
}

/* ---- marks ---- */

static int heavier(const void *left, const void *right, void *data)
{
	const struct rss_mark *marks = data, *a = &marks[*(const uint32_t *)left],
			      *b = &marks[*(const uint32_t *)right];
	if (a->weight != b->weight)
		return a->weight < b->weight ? 1 : -1;
	return (a > b) - (a < b);
}

uint32_t *rss_choose_marks(const struct rss_plot *plot, size_t most, double least, size_t *ret_count)
{
	uint32_t *chosen = malloc((plot->marks.count + 1) * sizeof *chosen);
	size_t count = 0;
	if (!chosen)
		return NULL;
	for (size_t i = 0; i < plot->marks.count; i++)
		if (plot->marks.data[i].weight >= least)
			chosen[count++] = (uint32_t)i;
	if (count) {
		qsort_r(chosen, count, sizeof *chosen, heavier, plot->marks.data);
		count = count < most ? count : most;
		qsort(chosen, count, sizeof *chosen, by_number);
	}
	*ret_count = count;
	return chosen;
}

/* ---- steps ---- */

static uint64_t moved_in(const struct rss_step *step)
{
	return step->until.bytes > step->from.bytes ? step->until.bytes - step->from.bytes
						    : step->from.bytes - step->until.bytes;
}

static int larger(const void *left, const void *right, void *data)
{
	const struct rss_step *steps = data, *a = &steps[*(const uint32_t *)left],
			      *b = &steps[*(const uint32_t *)right];
	if (moved_in(a) != moved_in(b))
		return moved_in(a) < moved_in(b) ? 1 : -1;
	return (a > b) - (a < b);
}

uint32_t *rss_choose_steps(const struct rss_plot *plot, size_t most, size_t *ret_count)
{
	size_t count = plot->profile->rss->from_dat ? 0 : plot->steps.count;
	uint32_t *chosen = malloc((count + 1) * sizeof *chosen);
	if (!chosen)
		return NULL;
	for (size_t i = 0; i < count; i++)
		chosen[i] = (uint32_t)i;
	if (count) {
		qsort_r(chosen, count, sizeof *chosen, larger, plot->steps.data);
		count = count < most ? count : most;
		qsort(chosen, count, sizeof *chosen, by_number);
	}
	*ret_count = count;
	return chosen;
}

static void add_frame(struct buffer *out, struct labels *labels, uint32_t stack)
{
	struct label label = label_of_frame(labels, labels->profile->stacks.data[stack].frame);
	label_add(out, &label);
}

static bool is_own(const struct profile *profile, uint32_t stack)
{
	uint32_t frame = profile->stacks.data[stack].frame;
	return profile->functions.data[profile->frames.data[frame].function].origin == ORIGIN_OWN;
}

/* What it was in, and the function of the program's own that called that. */
static void add_place(struct buffer *out, struct labels *labels, uint32_t stack, bool ascii)
{
	const struct profile *profile = labels->profile;
	uint32_t caller = profile->stacks.data[stack].parent;
	add_frame(out, labels, stack);
	rss_own_frame(profile, caller, &caller);
	if (!caller || !is_own(profile, caller))
		return;
	buffer_add_string(out, ascii ? " < " : " \xe2\x86\x90 ");
	add_frame(out, labels, caller);
}

void rss_add_step_place(struct buffer *out, struct labels *labels, const struct rss_step *step, bool ascii)
{
	if (step->stack) {
		add_place(out, labels, step->stack, ascii);
	} else if (step->before && step->after) {
		buffer_add_string(out, "between ");
		add_frame(out, labels, step->before);
		buffer_add_string(out, " and ");
		add_frame(out, labels, step->after);
	} else {
		buffer_add_string(out, "no Python seen");
	}
}
