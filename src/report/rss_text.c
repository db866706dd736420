/* rss_text.c: memory over time for reading: the peaks, the curve in characters, and what made it move. */
#include <inttypes.h>

#include "base/cleanup.h"
#include "report/head.h"
#include "report/page.h"
#include "report/rss.h"

enum {
	BYTES_COLUMNS = 11,
	TIME_COLUMNS = 9,
	MOST_PROCESSES = 10,
	MOST_STEPS = 12,
	MOST_LINES = 8,
	LEAST_RISE = 1 << 20
};

static void cell_bytes(struct page *page, enum ink ink, uint64_t bytes)
{
	page->scratch.size = 0;
	if (bytes)
		print_add_bytes(&page->scratch, bytes);
	else
		buffer_add_char(&page->scratch, '-');
	page_cell_scratch(page, ink, BYTES_COLUMNS);
}

/* ---- the head ---- */

static size_t count_readings(const struct rss_plot *plot)
{
	size_t count = 0;
	for (size_t i = 0; i < plot->curves.count; i++)
		count += plot->curves.data[i].points.items.count;
	return count;
}

static void add_readings(struct page *page, const struct rss_plot *plot)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	buffer_add_string(&text, "resident memory, ");
	size_t readings = count_readings(plot);
	print_add_number(&text, readings);
	buffer_printf(&text, " reading%s in ", readings == 1 ? "" : "s");
	print_add_duration(&text, plot->until, page->options->ascii);
	if (plot->several_recordings)
		buffer_printf(&text, ", %zu recordings", plot->curves.count);
	else if (plot->curves.count > 1)
		buffer_printf(&text, " of %zu processes", plot->curves.count);
	page_paragraph(page, INK_PLAIN, 0, buffer_string(&text));
}

static void add_command(struct page *page, const struct rss_plot *plot)
{
	page->scratch.size = 0;
	if (plot->several_recordings)
		buffer_add_string(&page->scratch, "several recordings");
	else
		rss_add_curve_name(&page->scratch, plot, &plot->curves.data[0]);
	page_ink(page, INK_TITLE);
	print_add_fitted(
		page->out, print_text(&page->scratch), page_room(page, 0), PRINT_CUT_END, page->options->ascii);
	page_ink(page, INK_PLAIN);
	page_end_line(page);
}

/* What should make one doubt the rest. */
static void add_warnings(struct page *page)
{
	const struct profile *profile = page->profile;
	if (profile->rss->cut)
		page_paragraph(page, INK_WARM, 0, "The file breaks off amid a line, which does not count.");
	_cleanup_buffer_ struct buffer text = { 0 };
	if (!profile->rss->from_dat)
		head_add_cut(&text, profile);
	page_warning(page, &text);
	head_add_status(&text, profile);
	page_warning(page, &text);
}

/* ---- peaks ---- */

/* Where there is room for them. */
static bool has_shares(const struct page *page, const struct rss_plot *plot)
{
	enum { NARROW = 64 };
	if (page->options->width < NARROW)
		return false;
	for (size_t i = 0; i < plot->curves.count; i++)
		if (plot->curves.data[i].shares_read)
			return true;
	return false;
}

static void add_peak(struct page *page, const struct rss_plot *plot, const struct rss_shown *shown,
	const struct rss_curve *curve, bool shares)
{
	bool is_sum = curve == &plot->sum;
	cell_bytes(page, INK_STRONG, curve->peak.bytes);
	page_duration(page, INK_PLAIN, TIME_COLUMNS, curve->peak.time);
	if (shares) {
		cell_bytes(page, INK_PLAIN, curve->shares_peak[RSS_PROPORTIONAL].bytes);
		cell_bytes(page, INK_PLAIN, curve->shares_peak[RSS_UNIQUE].bytes);
	}
	unsigned taken = BYTES_COLUMNS + TIME_COLUMNS + (shares ? 2 * BYTES_COLUMNS : 0) + 4;
	page->scratch.size = 0;
	if (is_sum)
		buffer_add_string(&page->scratch, "all processes together");
	else
		rss_add_curve_name(&page->scratch, plot, curve);
	char letter = is_sum ? '.' : rss_letter(plot, shown, (size_t)(curve - plot->curves.data));
	page_write(page, plot->curves.count > 1 ? " %c  " : "  ", letter);
	print_add_fitted(
		page->out, print_text(&page->scratch), page_room(page, taken), PRINT_CUT_END, page->options->ascii);
	page_end_line(page);
}

static void add_peaks(struct page *page, const struct rss_plot *plot, const struct rss_shown *shown)
{
	bool shares = has_shares(page, plot);
	page_end_line(page);
	page_cell(page, INK_DIM, BYTES_COLUMNS, "peak");
	page_cell(page, INK_DIM, TIME_COLUMNS, "at");
	if (shares) {
		page_cell(page, INK_DIM, BYTES_COLUMNS, "most PSS");
		page_cell(page, INK_DIM, BYTES_COLUMNS, "most USS");
	}
	page_end_line(page);
	for (size_t i = 0; i < shown->count; i++)
		add_peak(page, plot, shown, &plot->curves.data[shown->curves[i]], shares);
	if (plot->curves.count > shown->count)
		page_write(page, "%*s and %zu smaller ones\n", BYTES_COLUMNS, "", plot->curves.count - shown->count);
	if (plot->sum.points.items.count)
		add_peak(page, plot, shown, &plot->sum, shares);
}

static void add_notes(struct page *page, const struct rss_plot *plot)
{
	uint64_t shares = 0;
	_cleanup_buffer_ struct buffer text = { 0 };
	for (size_t i = 0; i < plot->curves.count; i++)
		shares += plot->curves.data[i].shares_read;
	if (shares) {
		buffer_add_string(&text, "PSS and USS were read ");
		print_add_number(&text, shares);
		buffer_printf(
			&text, " time%s: for each the kernel walks all pages of the process.", shares == 1 ? "" : "s");
		page_paragraph(page, INK_DIM, 0, buffer_string(&text));
	}
	if (plot->sum.points.items.count && !plot->profile->rss->from_dat)
		page_paragraph(page, INK_DIM, 0,
			"Pages that several processes share are in each of them, and as often in the sum; PSS counts them once.");
}

/* ---- what made it move ---- */

static void add_step(
	struct page *page, const struct rss_plot *plot, const struct rss_shown *shown, const struct rss_step *step)
{
	bool rose = step->until.bytes > step->from.bytes;
	uint64_t moved = rose ? step->until.bytes - step->from.bytes : step->from.bytes - step->until.bytes;
	unsigned taken = TIME_COLUMNS + BYTES_COLUMNS + 4;
	page_duration(page, INK_PLAIN, TIME_COLUMNS, step->from.time);
	page->scratch.size = 0;
	buffer_add_string(&page->scratch, rose ? "+" : page_glyph(page, "\xe2\x88\x92", "-"));
	print_add_bytes(&page->scratch, moved);
	page_cell_scratch(page, rose ? INK_HOT : INK_PLAIN, BYTES_COLUMNS);
	page_write(page, plot->curves.count > 1 ? " %c  " : "  ", rss_letter(plot, shown, step->curve));
	page->scratch.size = 0;
	rss_add_step_place(&page->scratch, &page->labels, step, page->options->ascii);
	print_add_fitted(
		page->out, print_text(&page->scratch), page_room(page, taken), PRINT_CUT_END, page->options->ascii);
	page_end_line(page);
}

/* The largest, in the order of time. */
static struct error *add_steps(struct page *page, const struct rss_plot *plot, const struct rss_shown *shown)
{
	size_t count;
	_cleanup_free_ uint32_t *steps = rss_choose_steps(plot, page_rows(page, MOST_STEPS), &count);
	if (!steps)
		return &error_no_memory;
	if (count)
		page_title(page, "Where it moved", count < plot->steps.count ? "the largest steps" : NULL);
	for (size_t i = 0; i < count; i++)
		add_step(page, plot, shown, &plot->steps.data[steps[i]]);
	return NULL;
}

/* The lines in which it rose most: what grows little by little is in no step, but here. */
static void add_lines(struct page *page, const struct rss_plot *plot)
{
	size_t most = page_rows(page, MOST_LINES);
	if (plot->profile->rss->from_dat || !plot->lines.count || plot->lines.data[0].rose < LEAST_RISE)
		return;
	page_title(page, "In which lines", NULL);
	page_cell(page, INK_DIM, BYTES_COLUMNS, "rose");
	page_cell(page, INK_DIM, BYTES_COLUMNS, "fell");
	page_end_line(page);
	for (size_t i = 0; i < plot->lines.count && i < most; i++) {
		const struct rss_line *line = &plot->lines.data[i];
		if (line->rose < LEAST_RISE)
			return;
		cell_bytes(page, INK_STRONG, line->rose);
		cell_bytes(page, INK_PLAIN, line->fell);
		buffer_add_string(page->out, "  ");
		if (line->frame == PROFILE_NONE) {
			buffer_add_string(page->out, "no Python seen");
		} else {
			struct label label = label_of_frame(&page->labels, line->frame);
			label_add_fitted(
				page->out, &label, page_room(page, 2 * BYTES_COLUMNS + 2), page->options->ascii);
		}
		page_end_line(page);
	}
}

static struct error *add_all(struct page *page, struct rss_plot *plot, struct rss_shown *shown)
{
	TRY(rss_plot_init(page->profile, plot));
	TRY(rss_choose_curves(plot, page_rows(page, MOST_PROCESSES), shown));
	TRY(labels_init(page->profile, page->options, &page->labels));
	add_command(page, plot);
	add_readings(page, plot);
	add_warnings(page);
	add_peaks(page, plot, shown);
	page_end_line(page);
	TRY(rss_chart_add(page, plot, shown));
	if (!plot->several_recordings)
		TRY(add_steps(page, plot, shown));
	if (!plot->several_recordings)
		add_lines(page, plot);
	page_end_line(page);
	add_notes(page, plot);
	return page->out->failed || page->scratch.failed ? &error_no_memory : NULL;
}

struct error *rss_text_write(struct profile *profile, const struct report_options *options, struct buffer *out)
{
	_cleanup_rss_plot_ struct rss_plot plot = { 0 };
	struct page page = { .profile = profile, .options = options, .out = out };
	struct rss_shown shown = { 0 };
	struct error *error = add_all(&page, &plot, &shown);
	free(shown.curves);
	buffer_deinit(&page.scratch);
	labels_deinit(&page.labels);
	return error;
}
