/* rss_svg.c: memory over time as a picture: a line for each process and their sum over one pair of axes, and below them
 * the functions that were on, a bracket each. It needs nothing else and holds no script; pointing at a bracket or at a
 * curve's name tells the rest. */
#include <string.h>

#include "base/cleanup.h"
#include "report/print.h"
#include "report/rss.h"

enum {
	WIDTH = 1200,
	LEFT = 90,
	RIGHT = 30,
	PLOT_WIDTH = WIDTH - LEFT - RIGHT,
	PLOT_HEIGHT = 400,
	HEAD = 52, /* title and what was read */
	LEGEND_ROW = 19,
	AXIS = 34, /* times below it */
	MARK_ROW = 21,
	MARK_ROWS = 12,
	MOST_MARKS = 200,
	MOST_CURVES = 12, /* with a line of their own; the rest is in the sum */
	TICKS_Y = 7,
	TICKS_X = 12,
	NAME_CHARACTERS = 110,
	PLACE_CHARACTERS = 130,
	MOST_STEPS = 9,
	STEP_ROW = 22,
	BOTTOM = 14,
};
static const double character = 6.8; /* of names of brackets: about as wide as the font's */
static const char *const colours[] = { "#1f6fb4", "#d1495b", "#2a9d5c", "#b8860b", "#7b4fb5", "#0f8b8d", "#c2588f",
	"#5b6770", "#8a5a2b", "#3c5bd6", "#6b8e23", "#a23b2a" };

struct picture {
	const struct rss_plot *plot;
	struct labels labels;
	struct buffer *out, scratch;
	struct rss_range range;
	double top; /* of the plot */
	struct rss_shown shown;
};

static const char *colour_of(size_t number)
{
	return colours[number % (sizeof colours / sizeof *colours)];
}

static const struct rss_curve *shown_curve(const struct picture *p, size_t place)
{
	return &p->plot->curves.data[p->shown.curves[place]];
}

static double x_of(const struct picture *p, uint64_t time)
{
	double part = p->plot->until ? (double)time / (double)p->plot->until : 0;
	return LEFT + (part < 1 ? part : 1) * PLOT_WIDTH;
}

static double y_of(const struct picture *p, uint64_t bytes)
{
	double part = bytes > p->range.low ? (double)(bytes - p->range.low) / (double)(p->range.high - p->range.low)
					   : 0;
	return p->top + (1 - (part < 1 ? part : 1)) * PLOT_HEIGHT;
}

static void add_xml(struct picture *p, const struct buffer *text)
{
	print_add_xml(p->out, print_text(text));
}

/* ---- what stands above ---- */

static void add_title(struct picture *p)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	if (p->plot->several_recordings)
		buffer_printf(&text, "Resident memory of %zu recordings", p->plot->curves.count);
	else
		buffer_add_string(&text, "Resident memory");
	const struct rss_curve *top = rss_plot_top(p->plot);
	buffer_printf(p->out, "<text x=\"%d\" y=\"26\" class=\"title\">", LEFT);
	add_xml(p, &text);
	buffer_printf(p->out, "</text>\n<text x=\"%d\" y=\"44\" class=\"dim\">peak%s ", LEFT,
		p->plot->sum.points.items.count ? " of the sum" : "");
	print_add_bytes(p->out, top->peak.bytes);
	buffer_add_string(p->out, " at ");
	print_add_duration(p->out, top->peak.time, /* ascii */ true);
	buffer_add_string(p->out, ", in ");
	print_add_duration(p->out, p->plot->until, /* ascii */ true);
	buffer_add_string(p->out, "</text>\n");
}

static void add_legend_row(struct picture *p, size_t row, const struct rss_curve *curve, const char *colour)
{
	bool is_sum = curve == &p->plot->sum;
	double y = HEAD + LEGEND_ROW * ((double)row + 0.5);
	_cleanup_buffer_ struct buffer name = { 0 };
	if (is_sum)
		buffer_add_string(&name, "all processes together");
	else
		rss_add_curve_name(&name, p->plot, curve);
	buffer_printf(p->out,
		"<g><line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" stroke-width=\"3\"%s/>", LEFT,
		LEFT + 24, y, y, colour, is_sum ? " stroke-dasharray=\"5 3\"" : "");
	buffer_printf(p->out, "<text x=\"%d\" y=\"%.1f\">", LEFT + 32, y + 4);
	p->scratch.size = 0;
	print_add_fitted(&p->scratch, print_text(&name), NAME_CHARACTERS, PRINT_CUT_END, /* ascii */ false);
	add_xml(p, &p->scratch);
	buffer_printf(p->out, "</text><text x=\"%d\" y=\"%.1f\" class=\"dim\" text-anchor=\"end\">peak ", WIDTH - RIGHT,
		y + 4);
	print_add_bytes(p->out, curve->peak.bytes);
	buffer_add_string(p->out, " at ");
	print_add_duration(p->out, curve->peak.time, /* ascii */ true);
	buffer_add_string(p->out, "</text><title>");
	add_xml(p, &name);
	buffer_add_string(p->out, "</title></g>\n");
}

static void add_legend(struct picture *p)
{
	size_t row = 0;
	for (; row < p->shown.count; row++)
		add_legend_row(p, row, shown_curve(p, row), colour_of(row));
	if (p->plot->sum.points.items.count)
		add_legend_row(p, row++, &p->plot->sum, "#222");
	if (p->plot->curves.count > p->shown.count)
		buffer_printf(p->out, "<text x=\"%d\" y=\"%.1f\" class=\"dim\">and %zu more%s</text>\n", LEFT + 32,
			HEAD + LEGEND_ROW * ((double)row + 0.5) + 4, p->plot->curves.count - p->shown.count,
			p->plot->sum.points.items.count ? ", which are in the sum" : "");
}

/* ---- axes ---- */

static void add_axes(struct picture *p)
{
	uint64_t tick = rss_tick_time(p->plot->until, TICKS_X);
	double bottom = p->top + PLOT_HEIGHT;
	for (uint64_t bytes = p->range.low; bytes <= p->range.high; bytes += p->range.tick) {
		double y = y_of(p, bytes);
		buffer_printf(p->out, "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" class=\"grid\"/>", LEFT,
			LEFT + PLOT_WIDTH, y, y);
		buffer_printf(p->out, "<text x=\"%d\" y=\"%.1f\" class=\"dim\" text-anchor=\"end\">", LEFT - 8, y + 4);
		print_add_bytes(p->out, bytes);
		buffer_add_string(p->out, "</text>\n");
	}
	for (uint64_t time = 0; time <= p->plot->until; time += tick) {
		double x = x_of(p, time);
		buffer_printf(p->out, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" class=\"axis\"/>", x, x,
			bottom, bottom + 5);
		buffer_printf(
			p->out, "<text x=\"%.1f\" y=\"%.1f\" class=\"dim\" text-anchor=\"middle\">", x, bottom + 19);
		print_add_duration(p->out, time, /* ascii */ true);
		buffer_add_string(p->out, "</text>\n");
	}
	buffer_printf(p->out, "<path d=\"M%d %.1fV%.1fH%d\" class=\"axis\" fill=\"none\"/>\n", LEFT, p->top, bottom,
		LEFT + PLOT_WIDTH);
}

/* ---- curves ---- */

static void add_vertex(struct picture *p, struct rss_point point, bool first)
{
	buffer_printf(p->out, "%s%.1f %.1f", first ? "M" : "L", x_of(p, point.time), y_of(p, point.bytes));
}

/* Of the points that fall on one column of pixels the lowest and the highest, in their order. */
static void add_vertices(struct picture *p, const struct rss_curve *curve)
{
	const struct rss_point *points = curve->points.items.data;
	for (size_t i = 0, next; i < curve->points.items.count; i = next) {
		size_t low = i, high = i;
		double x = x_of(p, points[i].time);
		for (next = i; next < curve->points.items.count && x_of(p, points[next].time) < x + 1; next++) {
			low = points[next].bytes < points[low].bytes ? next : low;
			high = points[next].bytes > points[high].bytes ? next : high;
		}
		add_vertex(p, points[low < high ? low : high], !i);
		if (low != high)
			add_vertex(p, points[low < high ? high : low], false);
	}
}

static void add_area(struct picture *p, const struct rss_curve *curve)
{
	const struct rss_points *points = &curve->points;
	double bottom = p->top + PLOT_HEIGHT;
	buffer_add_string(p->out, "<path d=\"");
	add_vertices(p, curve);
	buffer_printf(p->out, "L%.1f %.1fL%.1f %.1fZ\" fill=\"%s\" fill-opacity=\"0.12\"/>\n",
		x_of(p, points->items.data[points->items.count - 1].time), bottom, x_of(p, points->items.data[0].time),
		bottom, colour_of(0));
}

static void add_curve(struct picture *p, const struct rss_curve *curve, const char *colour)
{
	bool is_sum = curve == &p->plot->sum;
	buffer_add_string(p->out, "<path d=\"");
	add_vertices(p, curve);
	buffer_printf(p->out, "\" fill=\"none\" stroke=\"%s\" stroke-width=\"%s\"%s stroke-linejoin=\"round\"/>\n",
		colour, is_sum ? "1.4" : "1.8", is_sum ? " stroke-dasharray=\"5 3\"" : "");
}

static void add_peak(struct picture *p, const struct rss_curve *curve, const char *colour)
{
	buffer_printf(p->out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\"/>\n", x_of(p, curve->peak.time),
		y_of(p, curve->peak.bytes), colour);
}

static void add_curves(struct picture *p)
{
	if (p->plot->curves.count == 1)
		add_area(p, &p->plot->curves.data[0]);
	if (p->plot->sum.points.items.count)
		add_curve(p, &p->plot->sum, "#222");
	for (size_t i = p->shown.count; i-- > 0;)
		add_curve(p, shown_curve(p, i), colour_of(i));
	for (size_t i = 0; i < p->shown.count; i++)
		add_peak(p, shown_curve(p, i), colour_of(i));
	if (p->plot->sum.points.items.count)
		add_peak(p, &p->plot->sum, "#222");
}

/* ---- brackets ---- */

struct bracket {
	double from, until, name, end; /* end: of the bracket and its name */
	unsigned row;
	const struct rss_mark *mark;
};

static struct bracket place(const struct picture *p, const struct rss_mark *mark)
{
	enum { GAP = 5, LEAST = 2 };
	struct bracket b = { .from = x_of(p, mark->from.time), .until = x_of(p, mark->until.time), .mark = mark };
	double length = print_count_columns(rss_mark_name(p->plot, mark)) * character;
	b.until = b.until - b.from < LEAST ? b.from + LEAST : b.until;
	b.end = b.until;
	b.name = b.from + GAP;
	if (length + 2 * GAP > b.until - b.from) {
		b.name = b.until + GAP;
		b.end = b.name + length;
	}
	return b;
}

/* That of its process; where there is but one curve, each function has its own. */
static const char *colour_of_mark(const struct picture *p, const struct rss_mark *mark)
{
	const struct rss_curve *curve = rss_plot_curve_of(p->plot, mark->process);
	if (curve && p->plot->curves.count > 1)
		return colour_of(rss_shown_place(&p->shown, (size_t)(curve - p->plot->curves.data)));
	return colour_of(mark->function == PROFILE_NONE ? mark->name.size : mark->function);
}

static void add_bracket(struct picture *p, const struct bracket *b)
{
	const struct rss_mark *mark = b->mark;
	bool fell = mark->until.bytes < mark->from.bytes;
	double y = p->top + PLOT_HEIGHT + AXIS + b->row * MARK_ROW;
	const char *colour = colour_of_mark(p, mark);
	buffer_printf(p->out, "<g><path d=\"M%.1f %.1fv14H%.1fv-14\" fill=\"%s\" fill-opacity=\"0.10\" stroke=\"%s\"/>",
		b->from, y, b->until, colour, colour);
	buffer_printf(p->out, "<text x=\"%.1f\" y=\"%.1f\" class=\"mark\">", b->name, y + 10);
	print_add_xml(p->out, rss_mark_name(p->plot, mark));
	buffer_add_string(p->out, "</text><title>");
	p->scratch.size = 0;
	if (mark->function == PROFILE_NONE) {
		print_add_text(&p->scratch, mark->name);
	} else {
		struct label label = label_of_function(&p->labels, mark->function);
		label_add(&p->scratch, &label);
	}
	buffer_add_string(&p->scratch, "\n");
	print_add_duration(&p->scratch, mark->from.time, /* ascii */ true);
	buffer_add_string(&p->scratch, " to ");
	print_add_duration(&p->scratch, mark->until.time, /* ascii */ true);
	buffer_add_string(&p->scratch, fell ? ": -" : ": +");
	print_add_bytes(
		&p->scratch, fell ? mark->from.bytes - mark->until.bytes : mark->until.bytes - mark->from.bytes);
	add_xml(p, &p->scratch);
	buffer_add_string(p->out, "</title></g>\n");
}

/* Each in the first row in which there is room behind the one before; what finds none is left out. */
static struct error *list_brackets(
	struct picture *p, struct bracket **ret_brackets, size_t *ret_count, unsigned *ret_rows)
{
	enum { GAP = 6 };
	double ends[MARK_ROWS] = { 0 };
	size_t count, kept = 0;
	_cleanup_free_ uint32_t *marks = rss_choose_marks(p->plot, MOST_MARKS, 1.0 / PLOT_WIDTH, &count);
	struct bracket *brackets = calloc(count + 1, sizeof *brackets);
	if (!marks || !brackets) {
		free(brackets);
		return &error_no_memory;
	}
	*ret_rows = 0;
	for (size_t i = 0; i < count; i++) {
		struct bracket b = place(p, &p->plot->marks.data[marks[i]]);
		while (b.row < MARK_ROWS && ends[b.row] > b.from)
			b.row++;
		if (b.row == MARK_ROWS)
			continue;
		ends[b.row] = b.end + GAP;
		*ret_rows = b.row + 1 > *ret_rows ? b.row + 1 : *ret_rows;
		brackets[kept++] = b;
	}
	*ret_brackets = brackets;
	*ret_count = kept;
	return NULL;
}

/* ---- steps ---- */

static void add_number(struct picture *p, double x, double y, size_t number, const char *colour)
{
	enum { RADIUS = 8 };
	buffer_printf(
		p->out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%d\" fill=\"#fff\" stroke=\"%s\"/>", x, y, RADIUS, colour);
	buffer_printf(p->out, "<text x=\"%.1f\" y=\"%.1f\" class=\"number\">%zu</text>\n", x, y + 3.5, number);
}

/* A number on the curve, and below the brackets a line that says what it was. */
static void add_step(struct picture *p, const struct rss_step *step, size_t number, double y)
{
	enum { AT_TIME = LEFT + 70, AT_BYTES = LEFT + 155, AT_PLACE = LEFT + 175 };
	bool rose = step->until.bytes > step->from.bytes;
	uint64_t least = rose ? step->from.bytes : step->until.bytes,
		 most = rose ? step->until.bytes : step->from.bytes;
	size_t place = rss_shown_place(&p->shown, step->curve);
	const char *colour = place < p->shown.count ? colour_of(place) : "#666";
	_cleanup_buffer_ struct buffer text = { 0 };
	add_number(p, (x_of(p, step->from.time) + x_of(p, step->until.time)) / 2, y_of(p, least + (most - least) / 2),
		number, colour);
	add_number(p, LEFT + 8, y, number, colour);
	buffer_printf(p->out, "<text x=\"%d\" y=\"%.1f\" class=\"dim\" text-anchor=\"end\">", AT_TIME, y + 4);
	print_add_duration(p->out, step->from.time, /* ascii */ true);
	buffer_printf(p->out, "</text><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s", AT_BYTES, y + 4,
		rose ? "+" : "\xe2\x88\x92");
	print_add_bytes(p->out, most - least);
	buffer_printf(p->out, "</text><text x=\"%d\" y=\"%.1f\">", AT_PLACE, y + 4);
	rss_add_step_place(&text, &p->labels, step, /* ascii */ false);
	p->scratch.size = 0;
	print_add_fitted(&p->scratch, print_text(&text), PLACE_CHARACTERS, PRINT_CUT_END, /* ascii */ false);
	add_xml(p, &p->scratch);
	buffer_add_string(p->out, "</text>\n");
}

/* ---- all of it ---- */

static void add_head(struct picture *p, double height)
{
	buffer_printf(p->out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%.0f\" viewBox=\"0 0 %d %.0f\">\n",
		WIDTH, height, WIDTH, height);
	buffer_add_string(p->out,
		"<style>text{font:12px ui-sans-serif,system-ui,'DejaVu Sans',sans-serif;fill:#222}.title{font-size:18px;"
		"font-weight:600}.dim{fill:#666}.mark{font-size:11px}.number{font-size:10px;text-anchor:middle}.grid{stroke:#e4e4e4}.axis{stroke:#888}</style>\n"
		"<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n");
}

static struct error *add_all(struct picture *p)
{
	_cleanup_free_ struct bracket *brackets = NULL;
	size_t count, step_count;
	unsigned rows;
	p->range = rss_range_of(p->plot, TICKS_Y);
	TRY(rss_choose_curves(p->plot, MOST_CURVES, &p->shown));
	size_t legend = p->shown.count + (p->plot->sum.points.items.count > 0) +
			(p->plot->curves.count > p->shown.count);
	p->top = HEAD + (double)legend * LEGEND_ROW + 14;
	TRY(list_brackets(p, &brackets, &count, &rows));
	_cleanup_free_ uint32_t *steps = rss_choose_steps(p->plot, MOST_STEPS, &step_count);
	if (!steps)
		return &error_no_memory;
	double below = p->top + PLOT_HEIGHT + AXIS + rows * MARK_ROW + BOTTOM;
	add_head(p, below + (double)step_count * STEP_ROW);
	add_title(p);
	add_legend(p);
	add_axes(p);
	add_curves(p);
	for (size_t i = 0; i < count; i++)
		add_bracket(p, &brackets[i]);
	for (size_t i = 0; i < step_count; i++)
		add_step(p, &p->plot->steps.data[steps[i]], i + 1, below + (double)i * STEP_ROW);
	buffer_add_string(p->out, "</svg>\n");
	return p->out->failed || p->scratch.failed ? &error_no_memory : NULL;
}

struct error *rss_svg_write(struct profile *profile, const struct report_options *options, struct buffer *out)
{
	_cleanup_rss_plot_ struct rss_plot plot = { 0 };
	struct picture picture = { .plot = &plot, .out = out };
	struct error *error = rss_plot_init(profile, &plot);
	if (!error)
		error = labels_init(profile, options, &picture.labels);
	if (!error)
		error = add_all(&picture);
	labels_deinit(&picture.labels);
	free(picture.shown.curves);
	buffer_deinit(&picture.scratch);
	return error;
}
