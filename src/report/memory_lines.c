/* memory_lines.c: what each line got of memory, for reading: the table that memory_profiler prints, byte for byte where
 * the numbers are the same. Where it would say 0.0 MiB of a line that got something, the unit is a finer one. */
#include "report/memory_lines.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "profile/memory.h"
#include "report/line_table.h"
#include "report/lines_block.h"

enum { CELL = 32, SIZE_COLUMNS = 12, OCCURRENCES_COLUMNS = 10 };

static const double KIB = 1024, MIB = 1024 * 1024;

struct memory_lines {
	struct page *page;
	struct lines lines;
	struct sources sources;
	bool has_finer; /* units than MiB */
};

/* What is printed of one function. */
struct table {
	struct memory_lines *all;
	uint64_t got;
};

struct cells {
	char usage[CELL], increment[CELL], occurrences[CELL];
};

/* ---- cells ---- */

static void format_mib(char cell[CELL], double bytes)
{
	snprintf(cell, CELL, "%5.1f MiB", bytes / MIB);
}

/* Whether "%.1f" makes 0.0 of it. */
static bool rounds_to_zero(double number)
{
	char text[CELL];
	snprintf(text, sizeof text, "%.1f", fabs(number));
	return strcmp(text, "0.0") == 0;
}

static void format_increment(struct memory_lines *all, char cell[CELL], int64_t bytes)
{
	double size = (double)bytes;
	if (!bytes || !rounds_to_zero(size / MIB)) {
		format_mib(cell, size);
		return;
	}
	all->has_finer = true;
	if (fabs(size) < KIB)
		snprintf(cell, CELL, "%" PRId64 " B", bytes);
	else
		snprintf(cell, CELL, "%5.1f KiB", size / KIB);
}

static struct cells format_line(struct memory_lines *all, const struct lines_sum *sum)
{
	struct cells cells = { 0 };
	if (sum->usage)
		format_mib(cells.usage, (double)sum->usage);
	format_increment(all, cells.increment, sum->increment);
	snprintf(cells.occurrences, CELL, "%" PRIu64, sum->hits);
	return cells;
}

/* A generator that began before measuring did was never called, but resumed. */
static bool is_known(const struct lines_function *function)
{
	return function->sum.hits || function->count;
}

/* Where the function begins there is what was resident when it was entered first: it got it, so to say. */
static struct cells format_baseline(const struct lines_function *function)
{
	const struct lines_sum *sum = &function->sum;
	struct cells cells = { 0 };
	if (!is_known(function))
		return cells;
	format_mib(cells.usage, (double)sum->usage);
	format_mib(cells.increment, (double)sum->usage);
	snprintf(cells.occurrences, CELL, "%" PRIu64, sum->hits);
	return cells;
}

/* ---- rows ---- */

static void add_cells(struct page *page, const char *number, const struct cells *cells)
{
	page_write(page, "%*s %*s %*s  %*s   ", LINES_BLOCK_NUMBER_COLUMNS, number, SIZE_COLUMNS, cells->usage,
		SIZE_COLUMNS, cells->increment, OCCURRENCES_COLUMNS, cells->occurrences);
}

static void add_row(
	const struct table *t, const struct lines_block *block, uint32_t line, enum ink ink, struct cells cells)
{
	struct page *page = t->all->page;
	char number[CELL];
	snprintf(number, sizeof number, "%" PRIu32, line);
	page_ink(page, ink);
	add_cells(page, number, &cells);
	page_ink(page, INK_PLAIN);
	lines_block_add_source(block, line, page->out);
	buffer_add_char(page->out, '\n');
}

/* The first line stands there already, for the function; what it got itself (a lambda, a module) is a row behind it. */
static void add_line(void *table, const struct lines_block *block, uint32_t line, const struct lines_line *measured)
{
	const struct table *t = table;
	if (!measured && line == block->first_line)
		return;
	if (!measured) {
		add_row(t, block, line, INK_DIM, (struct cells){ 0 });
		return;
	}
	double share = measured->sum.increment > 0 ? (double)measured->sum.increment / (double)t->got : 0;
	add_row(t, block, line, page_ink_of_share(share), format_line(t->all, &measured->sum));
}

static void add_title(struct page *page, struct text file)
{
	static const struct cells titles = { "Mem usage", "Increment", "Occurrences" };
	buffer_add_string(page->out, "Filename: ");
	print_add_text(page->out, file);
	buffer_add_string(page->out, "\n\n");
	size_t start = page->out->size;
	add_cells(page, "Line #", &titles);
	buffer_add_string(page->out, "Line Contents\n");
	for (size_t i = page->out->size - start - 1; i > 0; i--)
		buffer_add_char(page->out, '=');
	buffer_add_char(page->out, '\n');
}

static struct error *add_function(struct memory_lines *all, const struct lines_function *function)
{
	struct table t = { all, lines_function_got(&all->lines, function) };
	struct lines_block block;
	struct page *page = all->page;
	TRY(lines_block_find(&all->lines, function, &all->sources, &block));
	add_title(page, lines_function_file(&all->lines, function));
	add_row(&t, &block, block.first_line, is_known(function) ? INK_PLAIN : INK_DIM, format_baseline(function));
	lines_block_draw(&block, page->out, add_line, &t);
	buffer_add_string(page->out, "\n\n");
	return NULL;
}

/* ---- notes ---- */

static void add_uncalled(struct memory_lines *all, const uint32_t *order, size_t count)
{
	struct buffer *out = all->page->out;
	for (size_t i = 0; i < count; i++) {
		const struct lines_function *function = &all->lines.functions.data[order[i]];
		if (is_known(function))
			continue;
		print_add_text(out, lines_function_name(&all->lines, function));
		buffer_printf(out, " at line %" PRIu32 " was never called.\n",
			all->lines.profile->codes.data[function->code].first_line);
	}
}

static void add_notes(struct memory_lines *all)
{
	struct page *page = all->page;
	page_paragraph(page, INK_PLAIN, 0,
		"Increment: what its thread got in the line, and in what it called, less what it gave back. Mem usage: the "
		"most at an end of the line, from what was resident when the function was first entered.");
	if (all->has_finer)
		page_paragraph(page, INK_PLAIN, 0,
			"Increments that would be 0.0 MiB are in KiB or B; -o FILE.json has the bytes of all.");
	lines_notes_add_end(page->out, &all->lines, &all->sources);
}

/* ---- the whole ---- */

static struct error *add_all(struct memory_lines *all)
{
	size_t count;
	TRY(lines_init(all->page->profile, &all->lines));
	_cleanup_free_ uint32_t *order = lines_rows_sort(&all->lines, all->page->options, &count);
	if (!order)
		return &error_no_memory;
	page_end_line(all->page);
	for (size_t i = 0; i < count; i++)
		TRY(add_function(all, &all->lines.functions.data[order[i]]));
	add_uncalled(all, order, count);
	add_notes(all);
	return NULL;
}

bool memory_lines_are_wanted(const struct profile *profile, const struct report_options *options)
{
	return profile->lines.count && !profile->memory_choice.given && options->by == REPORT_BY_DEFAULT;
}

struct error *memory_lines_add(struct page *page)
{
	struct memory_lines all = { .page = page, .sources = { .profile = page->profile, .as_named = true } };
	struct error *error = add_all(&all);
	sources_deinit(&all.sources);
	lines_deinit(&all.lines);
	return error;
}
