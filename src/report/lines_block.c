/* lines_block.c: see lines_block.h. A function's block of source is found as line_profiler finds it (block.h). Of
 * recordings of our own no line that was hit is left out: the block goes on to the last one. */
#include "report/lines_block.h"

#include "agent/codes/pattern.h"
#include "report/block.h"
#include "report/print.h"

enum { MOST_ROWS = 200000 };

/* ---- which lines ---- */

/* From the first line to the last one that was hit. */
static size_t count_hit_rows(const struct lines_block *b)
{
	const struct lines_line *lines = lines_of_function(b->lines, b->function);
	if (!b->function->count)
		return 1;
	uint32_t first = lines[0].line < b->first_line ? lines[0].line : b->first_line;
	return (size_t)lines[b->function->count - 1].line - first + 1;
}

/* It is a part of its line: what follows there is no part of it. */
static bool is_comprehension(struct text name)
{
	return pattern_is_comprehension((struct pattern_text){ name.data, name.size });
}

static void find_rows(struct lines_block *b)
{
	const struct source_file *source = b->source;
	uint32_t first = b->first_line ? b->first_line : 1;
	b->rows = 0;
	if (source && first <= source->lines.count)
		b->rows = block_count_lines(source->lines.data + first - 1, source->lines.count - first + 1);
	b->block_rows = source ? b->rows : SIZE_MAX;
	bool ours = b->lines->profile->given_unit == 0;
	if (ours && is_comprehension(lines_function_name(b->lines, b->function)))
		b->block_rows = b->rows = count_hit_rows(b);
	if (!source || (ours && b->function->count && count_hit_rows(b) > b->rows))
		b->rows = count_hit_rows(b);
}

struct error *lines_block_find(const struct lines *lines, const struct lines_function *function,
	struct sources *sources, struct lines_block *ret_block)
{
	const struct profile_code *code = &lines->profile->codes.data[function->code];
	const struct source_file *source = sources_find_file(sources, code->file);
	if (!source)
		return &error_no_memory;
	*ret_block = (struct lines_block){ .lines = lines,
		.function = function,
		.source = source->state == SOURCE_READ ? source : NULL,
		.first_line = code->first_line };
	find_rows(ret_block);
	return NULL;
}

/* ---- drawing ---- */

/* Tabs and form feeds are as good as spaces in a source; other control characters would act on the terminal. */
void lines_block_add_source(const struct lines_block *b, uint32_t number, struct buffer *out)
{
	struct text line = b->source ? source_line(b->source, number) : (struct text){ "", 0 };
	const char *at = line.data, *end = line.data + line.size;
	while (at < end) {
		size_t plain = 0;
		while (at + plain < end && at[plain] != '\t' && at[plain] != '\f')
			plain++;
		print_add_text(out, (struct text){ at, plain });
		if (at + plain < end)
			buffer_add_char(out, at[plain]);
		at += plain + 1;
	}
}

/* The bodies of functions amid a module's own lines are shown where they are functions: a few dots stand for them. */
static bool skip_row(struct buffer *out, uint32_t since_hit, uint32_t until_hit)
{
	enum { BESIDE = 2 };
	if (since_hit <= BESIDE || until_hit <= BESIDE)
		return false;
	if (since_hit == BESIDE + 1)
		buffer_printf(out, "%*s\n", LINES_BLOCK_NUMBER_COLUMNS, "...");
	return true;
}

void lines_block_draw(const struct lines_block *b, struct buffer *out, lines_block_row *row, void *table)
{
	const struct lines_line *lines = lines_of_function(b->lines, b->function);
	uint32_t next = 0, since_hit = 0, count = b->function->count;
	/* Only lines that were hit: where a damaged file has them far apart. */
	for (uint32_t i = 0; b->rows > MOST_ROWS && i < count; i++)
		row(table, b, lines[i].line, &lines[i]);
	for (size_t i = 0; b->rows <= MOST_ROWS && i < b->rows; i++) {
		uint32_t line = b->first_line + (uint32_t)i;
		while (next < count && lines[next].line < line)
			next++;
		bool hit = next < count && lines[next].line == line;
		uint32_t until_hit = next < count ? lines[next].line - line : 0;
		since_hit = hit || i < b->block_rows ? 0 : since_hit + 1;
		if (!skip_row(out, since_hit, until_hit))
			row(table, b, line, hit ? &lines[next] : NULL);
	}
}
