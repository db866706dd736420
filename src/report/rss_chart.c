/* rss_chart.c: memory over time in characters, for a terminal of any width.
 *
 * A column is a part of the time and shows the most that was read in it. One curve is an area, in eighths of a row; of
 * several each has a letter, and dots are their sum. Below the axis stand the functions that were on, a bracket each,
 * as many beside each other as there is room for. */
#include <string.h>

#include "base/cleanup.h"
#include "report/page.h"
#include "report/rss.h"

enum {
	LABEL = 10, /* columns of the axis of bytes */
	ROWS = 12,  /* of the curve */
	EIGHTHS = 8,
	TICKS = 4,
	TIME_COLUMNS = 14, /* a time below the axis needs so many */
	MARK_ROWS = 6,
	MOST_MARKS = 60,
	SUM = '.',
	LETTER = 2, /* columns before the name of a bracket */
};

struct chart {
	struct page *page;
	const struct rss_plot *plot;
	const struct rss_shown *shown;
	struct rss_range range;
	unsigned columns;
	char *cells;	 /* ROWS x columns, top row first: a letter, SUM or a blank */
	uint8_t *levels; /* by column, of the only curve: eighths of rows */
};

/* ---- from curves to cells ---- */

static uint64_t time_of(const struct chart *c, unsigned column)
{
	return (uint64_t)((double)c->plot->until * column / c->columns);
}

static unsigned column_of(const struct chart *c, uint64_t time)
{
	double part = c->plot->until ? (double)time / (double)c->plot->until : 0;
	return part < 1 ? (unsigned)(part * c->columns) : c->columns - 1;
}

static unsigned level_of(const struct chart *c, uint64_t bytes)
{
	double part = bytes > c->range.low ? (double)(bytes - c->range.low) / (double)(c->range.high - c->range.low)
					   : 0;
	return part < 1 ? (unsigned)(part * ROWS * EIGHTHS + 0.5) : ROWS * EIGHTHS;
}

/* By column the most eighths that the curve has in it; 0 where there is none. */
static void find_levels(const struct chart *c, const struct rss_curve *curve, uint8_t *levels)
{
	const struct rss_points *points = &curve->points;
	size_t at = 0;
	memset(levels, 0, c->columns);
	for (unsigned column = 0; column < c->columns; column++) {
		uint64_t from = time_of(c, column), until = time_of(c, column + 1);
		bool last = column + 1 == c->columns, any = false;
		uint64_t most = 0;
		for (; at < points->items.count && (last || points->items.data[at].time < until); at++) {
			most = points->items.data[at].bytes > most ? points->items.data[at].bytes : most;
			any = true;
		}
		bool goes_on = at && at < points->items.count;
		if (!any && goes_on)
			most = points->items.data[at - 1].bytes;
		if (any || (goes_on && from >= points->items.data[0].time)) {
			unsigned level = level_of(c, most);
			levels[column] = (uint8_t)(level ? level : 1);
		}
	}
}

static void draw_curve(struct chart *c, const struct rss_curve *curve, char letter)
{
	find_levels(c, curve, c->levels);
	for (unsigned column = 0, before = 0; column < c->columns; before = c->levels[column++]) {
		if (!c->levels[column])
			continue;
		unsigned row = (c->levels[column] - 1) / EIGHTHS, other = before ? (before - 1) / EIGHTHS : row;
		unsigned low = row < other ? row : other + (row != other),
			 high = row > other ? row : other - (row != other);
		for (unsigned at = low; at <= high; at++)
			c->cells[(ROWS - 1 - at) * c->columns + column] = letter;
	}
}

static void draw_curves(struct chart *c)
{
	memset(c->cells, ' ', (size_t)ROWS * c->columns);
	if (c->plot->curves.count == 1) {
		find_levels(c, &c->plot->curves.data[0], c->levels);
		return;
	}
	if (c->plot->sum.points.items.count)
		draw_curve(c, &c->plot->sum, SUM);
	for (size_t i = c->shown->count; i-- > 0;) {
		uint32_t curve = c->shown->curves[i];
		draw_curve(c, &c->plot->curves.data[curve], rss_letter(c->plot, c->shown, curve));
	}
}

/* ---- from cells to text ---- */

static const char *area_glyph(const struct chart *c, unsigned column, unsigned row)
{
	static const char *const eighths[] = { " ", "\xe2\x96\x81", "\xe2\x96\x82", "\xe2\x96\x83", "\xe2\x96\x84",
		"\xe2\x96\x85", "\xe2\x96\x86", "\xe2\x96\x87", "\xe2\x96\x88" };
	unsigned level = c->levels[column], below = (ROWS - 1 - row) * EIGHTHS;
	unsigned inside = level <= below ? 0 : level - below < EIGHTHS ? level - below : EIGHTHS;
	if (c->page->options->ascii)
		return inside > EIGHTHS / 2 || (inside && !below) ? "#" : " ";
	return eighths[inside];
}

static void add_cell(struct chart *c, unsigned column, unsigned row)
{
	static const enum ink inks[] = { INK_STRONG, INK_HOT, INK_WARM, INK_PLAIN };
	struct page *page = c->page;
	char cell = c->cells[row * c->columns + column];
	if (c->plot->curves.count == 1) {
		page_write(page, "%s", area_glyph(c, column, row));
		return;
	}
	if (cell != ' ')
		page_ink(page, cell == SUM ? INK_DIM : inks[(cell - 'a') % 4]);
	if (cell == SUM)
		page_write(page, "%s", page_glyph(page, "\xc2\xb7", "."));
	else
		buffer_add_char(page->out, cell);
	page_ink(page, INK_PLAIN);
}

/* A number where a mark of the axis lies in this row. */
static bool add_label(struct chart *c, unsigned row)
{
	struct page *page = c->page;
	for (uint64_t bytes = c->range.low; bytes <= c->range.high; bytes += c->range.tick) {
		unsigned level = level_of(c, bytes), at = level ? (level - 1) / EIGHTHS : 0;
		if (bytes == c->range.low || at != ROWS - 1 - row)
			continue;
		page->scratch.size = 0;
		print_add_bytes(&page->scratch, bytes);
		page_cell_scratch(page, INK_DIM, LABEL);
		return true;
	}
	page_write(page, "%*s", LABEL, "");
	return false;
}

static void add_rows(struct chart *c)
{
	struct page *page = c->page;
	for (unsigned row = 0; row < ROWS; row++) {
		bool labelled = add_label(c, row);
		page_ink(page, INK_DIM);
		page_write(page, " %s",
			labelled ? page_glyph(page, "\xe2\x94\xa4", "+") : page_glyph(page, "\xe2\x94\x82", "|"));
		page_ink(page, INK_PLAIN);
		unsigned end = c->columns;
		while (end && (c->plot->curves.count == 1 ? *area_glyph(c, end - 1, row)
							  : c->cells[row * c->columns + end - 1]) == ' ')
			end--;
		for (unsigned column = 0; column < end; column++)
			add_cell(c, column, row);
		page_end_line(page);
	}
}

static void add_time_axis(struct chart *c)
{
	struct page *page = c->page;
	uint64_t tick = rss_tick_time(c->plot->until, c->columns / TIME_COLUMNS + 1);
	_cleanup_buffer_ struct buffer line = { 0 }, times = { 0 };
	for (unsigned column = 0; column < c->columns; column++) {
		uint64_t from = time_of(c, column), until = time_of(c, column + 1);
		uint64_t mark = (from + tick - 1) / tick * tick;
		bool is_mark = !column || (mark >= from && mark < until);
		buffer_add_string(&line, is_mark && column ? page_glyph(page, "\xe2\x94\xac", "+")
							   : page_glyph(page, "\xe2\x94\x80", "-"));
		if (!is_mark || (column && times.size >= column) || column + TIME_COLUMNS / 2 > c->columns)
			continue;
		while (times.size < column)
			buffer_add_char(&times, ' ');
		print_add_duration(&times, mark, /* ascii */ true);
	}
	page->scratch.size = 0;
	print_add_bytes(&page->scratch, c->range.low);
	page_cell_scratch(page, INK_DIM, LABEL);
	page_ink(page, INK_DIM);
	page_write(page, " %s%s\n%*s%s\n", page_glyph(page, "\xe2\x94\xbc", "+"), buffer_string(&line), LABEL + 2, "",
		buffer_string(&times));
	page_ink(page, INK_PLAIN);
}

/* ---- brackets ---- */

struct bracket {
	unsigned from, until; /* columns, both included */
	unsigned name_at, name_columns;
	char letter; /* of its process; a blank: there is but one */
	struct text name;
};

/* Rows of brackets: which columns of each are taken. */
struct brackets {
	VEC(struct bracket) rows[MARK_ROWS];
};

/* The name stands within the bracket where it fits, else behind it, else before it; else there is none. */
static struct bracket place(const struct chart *c, const struct rss_mark *mark)
{
	enum { EDGES = 4 };
	struct text name = rss_mark_name(c->plot, mark);
	const struct rss_curve *curve = rss_plot_curve_of(c->plot, mark->process);
	bool known = curve && !c->plot->profile->rss->from_dat;
	struct bracket b = { .from = column_of(c, mark->from.time),
		.until = column_of(c, mark->until.time),
		.name_columns = print_count_columns(name),
		.letter = known ? rss_letter(c->plot, c->shown, (size_t)(curve - c->plot->curves.data)) : ' ',
		.name = name };
	if (b.letter != ' ')
		b.name_columns += LETTER;
	if (b.name_columns + EDGES <= b.until - b.from + 1)
		b.name_at = b.from + 2;
	else if (b.until + 2 + b.name_columns <= c->columns)
		b.name_at = b.until + 2;
	else if (b.from > b.name_columns)
		b.name_at = b.from - 1 - b.name_columns;
	else
		b.name_columns = 0;
	return b;
}

static unsigned first_of(const struct bracket *b)
{
	return b->name_columns && b->name_at < b->from ? b->name_at : b->from;
}

static unsigned last_of(const struct bracket *b)
{
	return b->name_columns && b->name_at > b->until ? b->name_at + b->name_columns - 1 : b->until;
}

static bool fits(const struct brackets *brackets, size_t row, const struct bracket *b)
{
	for (size_t i = 0; i < brackets->rows[row].count; i++) {
		const struct bracket *other = &brackets->rows[row].data[i];
		if (first_of(b) <= last_of(other) + 1 && first_of(other) <= last_of(b) + 1)
			return false;
	}
	return true;
}

static struct error *add_bracket(struct brackets *brackets, const struct bracket *b)
{
	for (size_t row = 0; row < MARK_ROWS; row++)
		if (fits(brackets, row, b))
			return vec_push(&brackets->rows[row], *b) ? NULL : &error_no_memory;
	return NULL;
}

static int by_column(const void *left, const void *right)
{
	const struct bracket *a = left, *b = right;
	return (a->from > b->from) - (a->from < b->from);
}

static void add_name(struct chart *c, const struct bracket *b)
{
	bool has_letter = b->letter != ' ';
	if (has_letter)
		page_write(c->page, "%c ", b->letter);
	print_add_fitted(c->page->out, b->name, b->name_columns - (has_letter ? LETTER : 0), PRINT_CUT_END,
		c->page->options->ascii);
}

static void add_brackets_of_row(struct chart *c, const struct bracket *brackets, size_t count)
{
	struct page *page = c->page;
	unsigned at = 0;
	page_write(page, "%*s", LABEL + 2, "");
	for (size_t i = 0; i < count; i++) {
		const struct bracket *b = &brackets[i];
		page_write(page, "%*s", (int)(first_of(b) - at), "");
		if (first_of(b) < b->from) {
			add_name(c, b);
			buffer_add_char(page->out, ' ');
		}
		bool inside = b->name_columns && b->name_at > b->from && b->name_at < b->until;
		for (unsigned column = b->from; column <= b->until; column++) {
			bool edge = column == b->from || column == b->until;
			if (inside && column == b->name_at) {
				add_name(c, b);
				column += b->name_columns - 1;
				continue;
			}
			page_write(page, "%s",
				b->from == b->until ? page_glyph(page, "\xe2\x94\x82", "|")
				: !edge		    ? page_glyph(page, "\xe2\x94\x80", "-")
				: column == b->from ? page_glyph(page, "\xe2\x94\x94", "[")
						    : page_glyph(page, "\xe2\x94\x98", "]"));
		}
		if (last_of(b) > b->until) {
			buffer_add_char(page->out, ' ');
			add_name(c, b);
		}
		at = last_of(b) + 1;
	}
	page_end_line(page);
}

static struct error *add_marks(struct chart *c)
{
	struct brackets brackets = { 0 };
	size_t count;
	_cleanup_free_ uint32_t *marks = rss_choose_marks(c->plot, MOST_MARKS, 0.5 / c->columns, &count);
	struct error *error = marks ? NULL : &error_no_memory;
	for (size_t i = 0; !error && i < count; i++) {
		struct bracket b = place(c, &c->plot->marks.data[marks[i]]);
		error = add_bracket(&brackets, &b);
	}
	for (size_t row = 0; row < MARK_ROWS; row++) {
		struct bracket *data = brackets.rows[row].data;
		size_t in_row = brackets.rows[row].count;
		if (in_row) {
			qsort(data, in_row, sizeof *data, by_column);
			add_brackets_of_row(c, data, in_row);
		}
		vec_free(&brackets.rows[row]);
	}
	return error;
}

struct error *rss_chart_add(struct page *page, const struct rss_plot *plot, const struct rss_shown *shown)
{
	struct chart chart = { .page = page,
		.plot = plot,
		.shown = shown,
		.range = rss_range_of(plot, TICKS),
		.columns = page_room(page, LABEL + 2) };
	_cleanup_free_ char *cells = chart.cells = malloc((size_t)ROWS * chart.columns);
	_cleanup_free_ uint8_t *levels = chart.levels = malloc(chart.columns);
	if (!cells || !levels)
		return &error_no_memory;
	draw_curves(&chart);
	add_rows(&chart);
	add_time_axis(&chart);
	return add_marks(&chart);
}
