/* lines_text.c: exact hits and times by line for reading: what line_profiler prints, byte for byte where the numbers
 * are the same, with the heat of lines in colour on a terminal, and then what is to be said of the measuring
 * (lines_notes.c). */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/line_table.h"
#include "report/lines_block.h"
#include "report/page.h"
#include "report/print.h"

enum { CELL = 32, HITS_COLUMNS = 9, TIME_COLUMNS = 12, PER_HIT_COLUMNS = 8, SHARE_COLUMNS = 8 };

struct lines_text {
	const struct report_options *options;
	struct buffer *out;
	struct page pen; /* for its inks */
	struct lines lines;
	struct sources sources;
	double scale, output_unit;
};

/* The numbers of a line as they are printed. */
struct cells {
	char hits[CELL], time[CELL], per_hit[CELL], share[CELL], own[CELL];
	double heat; /* of the function's time */
};

/* What is printed of one function. */
struct block {
	struct lines_text *text;
	struct lines_block rows;
	struct cells *cells; /* by line of the function that was hit */
	unsigned hits_columns, time_columns, per_hit_columns;
	uint64_t time;
};

/* ---- cells ---- */

static void format_time(char cell[CELL], double time, unsigned columns)
{
	if ((unsigned)snprintf(cell, CELL, "%5.1f", time) > columns)
		snprintf(cell, CELL, "%5.3g", time);
}

static void format_cells(
	const struct lines_text *t, const struct block *b, const struct lines_sum *sum, struct cells *cells)
{
	struct lines_times times = lines_times(sum, t->options->measured);
	double time = (double)times.total, whole = (double)b->time;
	if (snprintf(cells->hits, CELL, "%" PRIu64, sum->hits) > HITS_COLUMNS)
		snprintf(cells->hits, CELL, "%g", (double)sum->hits);
	format_time(cells->time, time * t->scale, TIME_COLUMNS);
	if (sum->hits)
		format_time(cells->per_hit, time * t->scale / (double)sum->hits, PER_HIT_COLUMNS);
	if (b->time)
		snprintf(cells->share, CELL, "%5.1f", 100 * time / whole);
	if (t->lines.has_called)
		format_time(cells->own, (double)times.self * t->scale, TIME_COLUMNS);
	cells->heat = b->time ? time / whole : 0;
}

static void widen(unsigned *columns, const char *cell)
{
	if (strlen(cell) > *columns)
		*columns = (unsigned)strlen(cell);
}

static struct error *make_cells(const struct lines_text *t, struct block *b)
{
	b->cells = calloc((size_t)b->rows.function->count + 1, sizeof *b->cells);
	if (!b->cells)
		return &error_no_memory;
	b->hits_columns = HITS_COLUMNS;
	b->time_columns = TIME_COLUMNS;
	b->per_hit_columns = PER_HIT_COLUMNS;
	for (uint32_t i = 0; i < b->rows.function->count; i++) {
		struct cells *cells = &b->cells[i];
		format_cells(t, b, &t->lines.lines.data[b->rows.function->first + i].sum, cells);
		widen(&b->hits_columns, cells->hits);
		widen(&b->time_columns, cells->time);
		widen(&b->per_hit_columns, cells->per_hit);
	}
	return NULL;
}

/* ---- which lines ---- */

/* Jupyter's cells and code in exec() have names that no file has. */
static bool is_generated(const struct lines_text *t, struct text file)
{
	static const char *const starts[] = { "<generated", "<ipython-input-", "/tmp/ipykernel_", "/tmp/xpython_" };
	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
		if (file.size >= strlen(starts[i]) && memcmp(file.data, starts[i], strlen(starts[i])) == 0)
			return true;
	return t->lines.profile->given_unit == 0 && file.size && *file.data == '<';
}

/* ---- drawing ---- */

static void add_name(struct lines_text *t, const char *before, struct text name)
{
	buffer_add_string(t->out, before);
	print_add_text(t->out, name);
}

static void add_head(struct lines_text *t, const struct block *b)
{
	struct text file = lines_function_file(&t->lines, b->rows.function);
	buffer_printf(t->out, "Total time: %g s\n", (double)b->time * t->lines.unit);
	if (b->rows.source || is_generated(t, file)) {
		add_name(t, "File: ", file);
		add_name(t, "\nFunction: ", lines_function_name(&t->lines, b->rows.function));
		buffer_printf(t->out, " at line %u\n", b->rows.first_line);
		return;
	}
	add_name(t, "\nCould not find file ", file);
	buffer_add_string(t->out, "\nAre you sure you are running this program from the same directory\n"
				  "that you ran the profiler from?\n"
				  "Continuing without the function's contents.\n");
}

static void format_numbers(const struct lines_text *t, const struct block *b, const char *line,
	const struct cells *cells, char *ret_text, size_t size)
{
	int length = snprintf(ret_text, size, "%*s %*s %*s %*s %*s", LINES_BLOCK_NUMBER_COLUMNS, line,
		(int)b->hits_columns, cells->hits, (int)b->time_columns, cells->time, (int)b->per_hit_columns,
		cells->per_hit, SHARE_COLUMNS, cells->share);
	if (t->options->line_self)
		snprintf(ret_text + length, size - (size_t)length, " %*s", TIME_COLUMNS, cells->own);
}

static void add_title(struct lines_text *t, const struct block *b)
{
	static const struct cells titles = { "Hits", "Time", "Per Hit", "% Time", "Own Time", 0 };
	static const char contents[] = "  Line Contents";
	char text[8 * CELL];
	format_numbers(t, b, "Line #", &titles, text, sizeof text);
	buffer_printf(t->out, "\n%s%s\n", text, contents);
	for (size_t i = strlen(text) + sizeof contents - 1; i > 0; i--)
		buffer_add_char(t->out, '=');
	buffer_add_char(t->out, '\n');
}

static void add_row(void *table, const struct lines_block *rows, uint32_t line, const struct lines_line *measured)
{
	static const struct cells blank = { 0 };
	const struct block *b = table;
	struct lines_text *t = b->text;
	const struct cells *cells = measured ? &b->cells[measured - lines_of_function(rows->lines, rows->function)]
					     : &blank;
	char number[CELL], text[8 * CELL];
	snprintf(number, sizeof number, "%u", line);
	format_numbers(t, b, number, cells, text, sizeof text);
	page_ink(&t->pen, measured ? page_ink_of_share(cells->heat) : INK_DIM);
	buffer_add_string(t->out, text);
	page_ink(&t->pen, INK_PLAIN);
	buffer_add_string(t->out, "  ");
	lines_block_add_source(rows, line, t->out);
	buffer_add_char(t->out, '\n');
}

static struct error *add_function(struct lines_text *t, uint32_t number)
{
	const struct lines_function *function = &t->lines.functions.data[number];
	struct block b = { .text = t, .time = lines_function_time(&t->lines, function, t->options->measured) };
	TRY(lines_block_find(&t->lines, function, &t->sources, &b.rows));
	TRY(make_cells(t, &b));
	add_head(t, &b);
	add_title(t, &b);
	lines_block_draw(&b.rows, t->out, add_row, &b);
	buffer_add_char(t->out, '\n');
	free(b.cells);
	return NULL;
}

static void add_summary(struct lines_text *t, uint32_t number)
{
	const struct lines_function *function = &t->lines.functions.data[number];
	uint64_t time = lines_function_time(&t->lines, function, t->options->measured);
	if (t->options->skip_zero && !time)
		return;
	buffer_printf(t->out, "%6.2f seconds - ", (double)time * t->lines.unit);
	print_add_text(t->out, lines_function_file(&t->lines, function));
	buffer_printf(t->out, ":%u - ", t->lines.profile->codes.data[function->code].first_line);
	print_add_text(t->out, lines_function_name(&t->lines, function));
	buffer_add_char(t->out, '\n');
}

static struct error *add_all(struct lines_text *t, struct profile *profile)
{
	size_t count;
	TRY(lines_init(profile, &t->lines));
	if (t->options->cpu_clock)
		lines_use_cpu(&t->lines);
	_cleanup_free_ uint32_t *order = lines_rows_sort(&t->lines, t->options, &count);
	if (!order)
		return &error_no_memory;
	t->output_unit = t->options->unit > 0 ? t->options->unit : 1e-6;
	t->scale = t->lines.unit / t->output_unit;
	buffer_printf(t->out, "Timer unit: %g s\n\n", t->output_unit);
	for (size_t i = 0; i < count; i++)
		TRY(add_function(t, order[i]));
	for (size_t i = 0; t->options->summarize && i < count; i++)
		add_summary(t, order[i]);
	TRY(lines_notes_add(t->out, &t->lines, &t->sources, t->options));
	return t->out->failed ? &error_no_memory : NULL;
}

struct error *lines_text_write(struct profile *profile, const struct report_options *options, struct buffer *out)
{
	if (options->tree || options->callers || options->callees)
		return error_new(ERROR_USAGE, "%s is of calls: a recording of lines does not know who called whom",
			options->tree	   ? "--tree"
			: options->callers ? "--callers"
					   : "--callees");
	struct lines_text t = { .options = options,
		.out = out,
		.pen = { .options = options, .out = out },
		.sources = { .profile = profile, .as_named = true } };
	struct error *error = add_all(&t, profile);
	sources_deinit(&t.sources);
	lines_deinit(&t.lines);
	return error;
}
