/* text_lines.c: the hottest lines, with their source where it can be read and is that of the recording; with --lines
 * also what stands around them. */
#include <limits.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/page.h"
#include "report/source.h"

enum { LINES = 15, LINES_IN_SOURCE = 40, CONTEXT = 2, LEAST_PLACE = 24, NUMBERS_WIDTH = 15 };

struct lines_drawing {
	struct page *page;
	struct sources sources;
	unsigned place_width;
	const struct source_file *newer; /* one that has changed since */
	uint32_t newer_function;
	unsigned newer_count;
};

static struct label place_of(struct lines_drawing *d, const struct profile_line_row *row)
{
	struct label label = label_of_function(&d->page->labels, row->function);
	label.line = row->line;
	return label;
}

/* `file:line`, the path cut from its start; or the word itself of what is no code. */
static unsigned add_place(
	struct lines_drawing *d, const struct profile_line_row *row, struct buffer *out, unsigned columns)
{
	struct label label = place_of(d, row);
	char line[16];
	int digits = label.line ? snprintf(line, sizeof line, ":%u", label.line) : 0;
	if (!label.file.size)
		return print_add_fitted(out, label.name, columns, PRINT_CUT_END, d->page->options->ascii);
	unsigned taken = print_add_fitted(
		out, label.file, columns - (unsigned)digits, PRINT_CUT_FOLDERS, d->page->options->ascii);
	buffer_add(out, line, (size_t)digits);
	return taken + (unsigned)digits;
}

/* Lines with own time stand before all others, and words of ours after all lines. */
static bool is_shown(const struct page *page, size_t i)
{
	return i < page->flat.lines.count && page->flat.lines.data[i].self.weight && !page->flat.lines.data[i].is_word;
}

static const struct source_file *find_source(struct lines_drawing *d, const struct profile_line_row *row)
{
	if (d->page->profile->functions.data[row->function].origin == ORIGIN_SYNTHETIC || !row->line)
		return NULL;
	size_t before = d->sources.files.count;
	const struct source_file *file = sources_find(&d->sources, row->function);
	if (file && file->state == SOURCE_NEWER && d->sources.files.count > before) {
		d->newer_function = row->function;
		d->newer_count++;
	}
	return file;
}

static void add_line(struct lines_drawing *d, const struct profile_line_row *row)
{
	struct page *page = d->page;
	const struct source_file *file = find_source(d, row);
	struct text source = file ? source_line_unindented(file, row->line) : (struct text){ "", 0 };
	unsigned room = page_room(page, NUMBERS_WIDTH + d->place_width + 2);
	bool is_code = page->labels.files.data[row->function].size != 0;
	page_share_with_interval(page, row->self.weight);
	page_write(page, "  ");
	unsigned taken = add_place(d, row, page->out, d->place_width);
	if (source.size || is_code)
		page_write(page, "%*s", (int)(d->place_width - taken + 2), "");
	if (source.size) {
		print_add_fitted(page->out, source, room, PRINT_CUT_END, page->options->ascii);
	} else if (is_code) {
		struct label label = place_of(d, row);
		page_ink(page, INK_DIM);
		buffer_add_string(page->out, "in ");
		print_add_fitted(page->out, label.name, room - 3, PRINT_CUT_END, page->options->ascii);
		page_ink(page, INK_PLAIN);
	}
	page_end_line(page);
}

/* As wide as the widest place of the rows, within reason. */
static void measure_places(struct lines_drawing *d, size_t rows)
{
	unsigned third = d->page->options->width / 3, widest = third > LEAST_PLACE ? third : LEAST_PLACE;
	struct buffer text = { 0 };
	for (size_t i = 0; i < rows && is_shown(d->page, i); i++) {
		text.size = 0;
		unsigned columns = add_place(d, &d->page->flat.lines.data[i], &text, widest);
		d->place_width = columns > d->place_width ? columns : d->place_width;
	}
	buffer_deinit(&text);
}

static void add_newer(struct lines_drawing *d)
{
	struct page *page = d->page;
	struct buffer text = { 0 };
	if (!d->newer_count)
		return;
	print_add_text(&text, page->labels.files.data[d->newer_function]);
	if (d->newer_count > 1)
		buffer_printf(&text, " and %u other file%s were", d->newer_count - 1, d->newer_count == 2 ? "" : "s");
	else
		buffer_add_string(&text, " was");
	buffer_add_string(&text, " changed after the recording: what stands there now is not shown.");
	page_paragraph(page, INK_WARM, NUMBERS_WIDTH, buffer_string(&text));
	buffer_deinit(&text);
}

static void add_table(struct lines_drawing *d, size_t rows)
{
	struct page *page = d->page;
	struct buffer title = { 0 };
	size_t shown = 0;
	measure_places(d, rows);
	buffer_printf(&title, "Lines by own %s", page_weight_noun(page));
	page_title(page, buffer_string(&title), NULL);
	buffer_deinit(&title);
	for (; shown < rows && is_shown(page, shown); shown++)
		add_line(d, &page->flat.lines.data[shown]);
	add_newer(d);
}

/* Rows by file, the file with the most own time first, then by line. */
struct line_order {
	const struct profile_line_row *row;
	uint32_t file;
	uint64_t file_weight;
};

static int by_file(const void *left, const void *right)
{
	const struct line_order *a = left, *b = right;
	return (a->file > b->file) - (a->file < b->file);
}

/* Of lines that stand by file, gives each the weight of its file. */
static void weigh_files(struct line_order *order, size_t count)
{
	for (size_t start = 0, end; start < count; start = end) {
		uint64_t weight = 0;
		for (end = start; end < count && order[end].file == order[start].file; end++)
			weight += order[end].row->self.weight;
		for (size_t i = start; i < end; i++)
			order[i].file_weight = weight;
	}
}

static int by_file_and_line(const void *left, const void *right)
{
	const struct line_order *a = left, *b = right;
	if (a->file_weight != b->file_weight)
		return a->file_weight < b->file_weight ? 1 : -1;
	if (a->file != b->file)
		return a->file > b->file ? 1 : -1;
	return (a->row->line > b->row->line) - (a->row->line < b->row->line);
}

static size_t order_lines(struct lines_drawing *d, struct line_order *order, size_t most)
{
	const struct page *page = d->page;
	size_t count = 0;
	for (size_t i = 0; count < most && is_shown(page, i); i++) {
		const struct profile_line_row *row = &page->flat.lines.data[i];
		const struct source_file *file = find_source(d, row);
		if (file && file->state == SOURCE_READ)
			order[count++] = (struct line_order){ .row = row, .file = file->file_number };
	}
	qsort(order, count, sizeof *order, by_file);
	weigh_files(order, count);
	qsort(order, count, sizeof *order, by_file_and_line);
	return count;
}

static void add_source_line(
	struct lines_drawing *d, const struct source_file *file, uint32_t line, const struct profile_line_row *row)
{
	enum { TAKEN = 16 + 7 + 2 };
	struct page *page = d->page;
	if (row) {
		page_share(page, row->self.weight);
		page_share(page, row->total.weight);
	} else {
		page_write(page, "%16s", "");
	}
	page_cell(page, INK_DIM, 7, "%u", line);
	page_write(page, "  ");
	struct text text = source_line(file, line);
	struct buffer expanded = { 0 };
	for (size_t i = 0; i < text.size; i++)
		buffer_add(&expanded, text.data[i] == '\t' ? "        " : &text.data[i],
			text.data[i] == '\t' ? 8 - expanded.size % 8 : 1);
	if (!row)
		page_ink(page, INK_DIM);
	print_add_fitted(page->out, print_text(&expanded), page_room(page, TAKEN), PRINT_CUT_END, page->options->ascii);
	page_ink(page, INK_PLAIN);
	buffer_deinit(&expanded);
	page_end_line(page);
}

/* The lines around those of order[0..count), which are of one file; a gap is a row of dots. */
static void add_source_of_file(struct lines_drawing *d, const struct line_order *order, size_t count)
{
	struct page *page = d->page;
	const struct source_file *file = sources_find(&d->sources, order[0].row->function);
	struct buffer name = { 0 };
	uint32_t written = 0;
	if (!file)
		return;
	print_add_text(&name, page->labels.files.data[order[0].row->function]);
	page_title(page, buffer_string(&name), "own, total and source");
	buffer_deinit(&name);
	for (size_t i = 0; i < count; i++) {
		uint32_t at = order[i].row->line, from = at > CONTEXT ? at - CONTEXT : 1;
		uint32_t until = i + 1 < count && order[i + 1].row->line <= at + 2 * CONTEXT + 1
					 ? order[i + 1].row->line - 1
					 : at + CONTEXT;
		if (from <= written)
			from = written + 1;
		else if (written)
			page_write(page, "%*s\n", 23, page_glyph(page, "   \xe2\x8b\xae", ":"));
		for (uint32_t line = from; line <= until && line <= file->lines.count; line++)
			add_source_line(d, file, line, line == at ? order[i].row : NULL);
		written = until;
	}
}

static struct error *add_source(struct lines_drawing *d)
{
	size_t most = page_rows(d->page, LINES_IN_SOURCE);
	if (most > d->page->flat.lines.count)
		most = d->page->flat.lines.count;
	_cleanup_free_ struct line_order *order = malloc((most + 1) * sizeof *order);
	if (!order)
		return &error_no_memory;
	size_t count = order_lines(d, order, most);
	for (size_t start = 0, end; start < count; start = end) {
		for (end = start + 1; end < count && order[end].file == order[start].file;)
			end++;
		add_source_of_file(d, &order[start], end - start);
	}
	return NULL;
}

struct error *page_add_lines(struct page *page)
{
	if (!is_shown(page, 0))
		return NULL;
	struct lines_drawing drawing = { .page = page, .sources = { .profile = page->profile } };
	add_table(&drawing, page_rows(page, LINES));
	struct error *error = page->options->lines ? add_source(&drawing) : NULL;
	sources_deinit(&drawing.sources);
	return error;
}
