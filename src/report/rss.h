/* rss.h: memory over time in the formats that show it: what they have in common, and their entries. */
#pragma once
#include "profile/rss_plot.h"
#include "report/label.h"
#include "report/report.h"

struct error *rss_text_write(struct profile *profile, const struct report_options *options, struct buffer *out);
struct error *rss_json_write(struct profile *profile, const struct report_options *options, struct buffer *out);
struct error *rss_svg_write(struct profile *profile, const struct report_options *options, struct buffer *out);

/* What a curve is of: a command with its pid, a number of mprof's, a file. Not made printable. */
void rss_add_curve_name(struct buffer *out, const struct rss_plot *plot, const struct rss_curve *curve);
/* The function's name. */
struct text rss_mark_name(const struct rss_plot *plot, const struct rss_mark *mark);

/* The distance of marks of an axis of so much, of which there are to be at most so many: 1, 2 or 5 times a power of ten
 * of the unit that bytes are printed in. */
uint64_t rss_tick_bytes(uint64_t most, unsigned ticks);
/* The same of nanoseconds; minutes and hours are divided as clocks are. */
uint64_t rss_tick_time(uint64_t longest, unsigned ticks);
/* Where the axis of bytes begins and ends: at 0, but for curves that stay in their upper part. */
struct rss_range {
	uint64_t low, high, tick;
};
struct rss_range rss_range_of(const struct rss_plot *plot, unsigned ticks);

/* The marks with the most to see, at most so many, in the order of time: indices into plot->marks for the caller to
 * free; NULL: no memory. */
uint32_t *rss_choose_marks(const struct rss_plot *plot, size_t most, double least, size_t *ret_count);

/* The same of the largest steps; none where nothing is known of what was on. */
uint32_t *rss_choose_steps(const struct rss_plot *plot, size_t most, size_t *ret_count);
/* Where the program was in a step: `f (app.py:3) < main (app.py:10)`, or between which two places. */
void rss_add_step_place(struct buffer *out, struct labels *labels, const struct rss_step *step, bool ascii);

/* The curves that are drawn one by one: those with the highest peaks, at most so many, in the order of time. */
struct rss_shown {
	uint32_t *curves;
	size_t count;
};
struct error *rss_choose_curves(const struct rss_plot *plot, size_t most, struct rss_shown *ret_shown);
/* The place of a curve among them; their count: it is none of them. */
size_t rss_shown_place(const struct rss_shown *shown, size_t curve);
/* "a", "b" ... of those that are shown where there are several curves, else a blank. */
char rss_letter(const struct rss_plot *plot, const struct rss_shown *shown, size_t curve);

/* The chart in characters (rss_chart.c). */
struct page;
struct error *rss_chart_add(struct page *page, const struct rss_plot *plot, const struct rss_shown *shown);
