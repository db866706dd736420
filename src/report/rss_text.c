/* rss_text.c: memory over time for reading: the peaks, the curve in characters, and what made it move. */
#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "report/head.h"
#include "report/page.h"
#include "report/rss.h"

enum { BYTES_COLUMNS = 11, TIME_COLUMNS = 9, MOST_PROCESSES = 26, MOST_STEPS = 12 };

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
	print_add_number(&text, count_readings(plot));
	buffer_add_string(&text, " readings in ");
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
	const struct recording_end *end = &profile->end;
	if (profile->rss->cut)
		page_paragraph(page, INK_WARM, 0, "The file breaks off amid a line, which does not count.");
	if (!profile->ended && !profile->rss->from_dat)
		page_paragraph(page, INK_WARM, 0, "The recording was cut off; this is what came before.");
	if (!profile->ended || !end->target_ended)
		return;
	_cleanup_buffer_ struct buffer text = { 0 };
	if (WIFSIGNALED(end->target_status))
		buffer_printf(&text, "The program died of signal %d (%s).", WTERMSIG(end->target_status),
			strsignal(WTERMSIG(end->target_status)));
	else if (WEXITSTATUS(end->target_status))
		buffer_printf(&text, "The program ended with status %d.", WEXITSTATUS(end->target_status));
	if (text.size)
		page_paragraph(page, INK_WARM, 0, buffer_string(&text));
}

/* ---- peaks ---- */

static bool has_shares(const struct rss_plot *plot)
{
	for (size_t i = 0; i < plot->curves.count; i++)
		if (plot->curves.data[i].shares_read)
			return true;
	return false;
}

static void add_peak(struct page *page, const struct rss_plot *plot, const struct rss_curve *curve, bool shares)
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
	char letter = is_sum ? '.' : rss_chart_letter(plot, (size_t)(curve - plot->curves.data));
	page_write(page, plot->curves.count > 1 ? " %c  " : "  ", letter);
	print_add_fitted(
		page->out, print_text(&page->scratch), page_room(page, taken), PRINT_CUT_END, page->options->ascii);
	page_end_line(page);
}

static int by_peak(const void *left, const void *right, void *data)
{
	const struct rss_curve *curves = data, *a = &curves[*(const size_t *)left],
			       *b = &curves[*(const size_t *)right];
	if (a->peak.bytes != b->peak.bytes)
		return a->peak.bytes < b->peak.bytes ? 1 : -1;
	return (a > b) - (a < b);
}

static struct error *add_peaks(struct page *page, const struct rss_plot *plot)
{
	size_t count = plot->curves.count, most = page_rows(page, MOST_PROCESSES);
	_cleanup_free_ size_t *order = malloc(count * sizeof *order);
	bool shares = has_shares(plot);
	if (!order)
		return &error_no_memory;
	for (size_t i = 0; i < count; i++)
		order[i] = i;
	if (count > most)
		qsort_r(order, count, sizeof *order, by_peak, plot->curves.data);
	page_end_line(page);
	page_cell(page, INK_DIM, BYTES_COLUMNS, "peak");
	page_cell(page, INK_DIM, TIME_COLUMNS, "at");
	if (shares) {
		page_cell(page, INK_DIM, BYTES_COLUMNS, "most PSS");
		page_cell(page, INK_DIM, BYTES_COLUMNS, "most USS");
	}
	page_end_line(page);
	for (size_t i = 0; i < count && i < most; i++)
		add_peak(page, plot, &plot->curves.data[order[i]], shares);
	if (count > most)
		page_write(page, "%*s and %zu more\n", BYTES_COLUMNS, "", count - most);
	if (plot->sum.points.items.count)
		add_peak(page, plot, &plot->sum, shares);
	return NULL;
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

static void add_place(struct page *page, uint32_t stack)
{
	const struct profile *profile = page->profile;
	uint32_t at;
	struct label label = label_of_frame(&page->labels, rss_own_frame(profile, stack, &at));
	label_add(&page->scratch, &label);
	uint32_t caller = profile->stacks.data[at].parent;
	if (!caller)
		return;
	uint32_t frame = rss_own_frame(profile, caller, &at);
	if (profile->functions.data[profile->frames.data[frame].function].origin != ORIGIN_OWN)
		return;
	label = label_of_frame(&page->labels, frame);
	buffer_add_string(&page->scratch, page_glyph(page, " \xe2\x86\x90 ", " < "));
	label_add(&page->scratch, &label);
}

static void add_where(struct page *page, const struct rss_step *step)
{
	if (step->stack) {
		add_place(page, step->stack);
	} else if (step->before && step->after) {
		buffer_add_string(&page->scratch, "between ");
		struct label before = label_of_frame(&page->labels, page->profile->stacks.data[step->before].frame);
		label_add(&page->scratch, &before);
		buffer_add_string(&page->scratch, " and ");
		struct label after = label_of_frame(&page->labels, page->profile->stacks.data[step->after].frame);
		label_add(&page->scratch, &after);
	} else {
		buffer_add_string(&page->scratch, "no Python seen");
	}
}

static void add_step(struct page *page, const struct rss_plot *plot, const struct rss_step *step)
{
	bool rose = step->until.bytes > step->from.bytes;
	uint64_t moved = rose ? step->until.bytes - step->from.bytes : step->from.bytes - step->until.bytes;
	unsigned taken = TIME_COLUMNS + BYTES_COLUMNS + 4;
	page_duration(page, INK_PLAIN, TIME_COLUMNS, step->from.time);
	page->scratch.size = 0;
	buffer_add_string(&page->scratch, rose ? "+" : page_glyph(page, "\xe2\x88\x92", "-"));
	print_add_bytes(&page->scratch, moved);
	page_cell_scratch(page, rose ? INK_HOT : INK_PLAIN, BYTES_COLUMNS);
	page_write(page, plot->curves.count > 1 ? " %c  " : "  ", rss_chart_letter(plot, step->curve));
	page->scratch.size = 0;
	add_where(page, step);
	print_add_fitted(
		page->out, print_text(&page->scratch), page_room(page, taken), PRINT_CUT_END, page->options->ascii);
	page_end_line(page);
}

static int by_moved(const void *left, const void *right, void *data)
{
	const struct rss_step *steps = data, *a = &steps[*(const size_t *)left], *b = &steps[*(const size_t *)right];
	int64_t of_a = (int64_t)(a->until.bytes - a->from.bytes), of_b = (int64_t)(b->until.bytes - b->from.bytes);
	of_a = of_a < 0 ? -of_a : of_a;
	of_b = of_b < 0 ? -of_b : of_b;
	if (of_a != of_b)
		return of_a < of_b ? 1 : -1;
	return (a > b) - (a < b);
}

static int by_place(const void *left, const void *right)
{
	size_t a = *(const size_t *)left, b = *(const size_t *)right;
	return (a > b) - (a < b);
}

/* The largest, in the order of time. */
static struct error *add_steps(struct page *page, const struct rss_plot *plot)
{
	size_t count = plot->steps.count, most = page_rows(page, MOST_STEPS);
	if (!count || plot->profile->rss->from_dat)
		return NULL;
	_cleanup_free_ size_t *order = malloc(count * sizeof *order);
	if (!order)
		return &error_no_memory;
	for (size_t i = 0; i < count; i++)
		order[i] = i;
	qsort_r(order, count, sizeof *order, by_moved, plot->steps.data);
	most = most < count ? most : count;
	qsort(order, most, sizeof *order, by_place);
	page_title(page, "Where it moved", most < count ? "the largest steps" : NULL);
	for (size_t i = 0; i < most; i++)
		add_step(page, plot, &plot->steps.data[order[i]]);
	return NULL;
}

static struct error *add_all(struct page *page, struct rss_plot *plot)
{
	TRY(rss_plot_init(page->profile, plot));
	TRY(labels_init(page->profile, page->options, &page->labels));
	add_command(page, plot);
	add_readings(page, plot);
	add_warnings(page);
	TRY(add_peaks(page, plot));
	page_end_line(page);
	TRY(rss_chart_add(page, plot));
	if (!plot->several_recordings)
		TRY(add_steps(page, plot));
	add_notes(page, plot);
	return page->out->failed || page->scratch.failed ? &error_no_memory : NULL;
}

struct error *rss_text_write(struct profile *profile, const struct report_options *options, struct buffer *out)
{
	_cleanup_rss_plot_ struct rss_plot plot = { 0 };
	struct page page = { .profile = profile, .options = options, .out = out };
	struct error *error = add_all(&page, &plot);
	buffer_deinit(&page.scratch);
	labels_deinit(&page.labels);
	return error;
}
