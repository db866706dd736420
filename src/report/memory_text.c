/* memory_text.c: allocations for reading: what was got in all, what was live when, and the rows that were asked for in
 * the words of tracemalloc; or, where lines were measured, their table (memory_lines.c). */
#include "agent/memory/stream.h"
#include "report/head.h"
#include "report/memory_lines.h"
#include "report/memory_phases.h"
#include "report/memory_table.h"
#include "report/page.h"
#include "report/source.h"

enum { ROWS = 10 };

/* "3 blocks" */
static void add_blocks(struct buffer *text, int64_t count)
{
	print_add_number(text, count > 0 ? (uint64_t)count : 0);
	buffer_printf(text, " block%s", count == 1 ? "" : "s");
}

static void add_sum(struct buffer *text, struct memory_sum sum)
{
	memory_add_size(text, sum.bytes, false);
	buffer_add_string(text, " in ");
	add_blocks(text, sum.count);
}

static void say(struct page *page, struct buffer *text)
{
	page_paragraph(page, INK_PLAIN, 0, buffer_string(text));
	text->size = 0;
}

/* ---- the head ---- */

struct sums {
	struct memory_sum got, temporary, at_end, file, reserved;
	bool arenas, domains;
};

static struct sums add_up(const struct profile_memory *m)
{
	struct sums s = { 0 };
	for (size_t i = 0; i < m->rows.count; i++) {
		const struct memory_row *row = &m->rows.data[i];
		if (!memory_counts(row->allocator)) {
			memory_sum_add(row->allocator == ALLOCATOR_FILE ? &s.file : &s.reserved, row->got);
			continue;
		}
		memory_sum_add(&s.got, row->got);
		memory_sum_add(&s.temporary, row->temporary);
		memory_sum_add(&s.at_end, row->at_end);
		s.arenas |= row->allocator == ALLOCATOR_ARENA;
		s.domains |= row->allocator == ALLOCATOR_OBJECT || row->allocator == ALLOCATOR_MEM;
	}
	return s;
}

static void add_totals(struct page *page, const struct profile_memory *m, const struct sums *s)
{
	struct buffer text = { 0 };
	const bool ended = m->peak.count; /* else its last sums have not been written */
	buffer_add_string(&text, "Peak: ");
	if (ended) {
		add_sum(&text, m->peak);
		buffer_add_string(&text, ", after ");
		print_add_duration(&text, m->peak_time, page->options->ascii);
	} else {
		buffer_add_string(&text, "not known before the recording's end");
	}
	say(page, &text);
	buffer_add_string(&text, "Got in all: ");
	add_sum(&text, s->got);
	if (ended) {
		buffer_add_string(&text, "; of these, freed before the next one: ");
		add_sum(&text, s->temporary);
	}
	say(page, &text);
	buffer_add_string(&text, m->main_ended ? "Live when the main program ended: " : "Live at the end: ");
	add_sum(&text, s->at_end);
	say(page, &text);
	if (s->file.count || s->reserved.count) {
		buffer_add_string(&text, "Besides, in no sum: maps of files ");
		memory_add_size(&text, s->file.bytes, false);
		buffer_add_string(&text, ", of addresses alone ");
		memory_add_size(&text, s->reserved.bytes, false);
		say(page, &text);
	}
	bool free_threaded = page->profile->processes.count > 1 && page->profile->processes.data[1].flags & 1;
	if (free_threaded && !s->domains) {
		buffer_add_string(&text,
			"Without the GIL Python takes its memory from maps of addresses: its objects are not "
			"here. --python-allocators tells of them.");
		say(page, &text);
	} else if (s->arenas && !s->domains) {
		buffer_add_string(&text,
			"Small objects are not told apart: the line that made Python take an arena for "
			"many of them has it all. --python-allocators tells.");
		say(page, &text);
	}
	buffer_deinit(&text);
}

/* What should make one doubt the rest. */
static void add_warnings(struct page *page)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	head_add_cut(&text, page->profile);
	page_warning(page, &text);
	head_add_sealed(&text, page->profile);
	page_warning(page, &text);
	head_add_status(&text, page->profile);
	page_warning(page, &text);
}

/* ---- rows ---- */

struct rows {
	struct page *page;
	struct memory_table table;
	struct sources sources;
	enum report_by by;
	bool differences;
};

/* What a row is of: "app.py:5", "work (app.py:3)", "malloc". */
static void add_place(struct rows *r, const struct memory_table_row *row, struct buffer *out)
{
	struct page *page = r->page;
	bool placed = r->by != REPORT_BY_ALLOCATOR && r->by != REPORT_BY_THREAD && r->by != REPORT_BY_PROCESS;
	if (r->by == REPORT_BY_ALLOCATOR) {
		buffer_add_string(out, memory_allocator_name(row->first->allocator));
	} else if (r->by == REPORT_BY_THREAD) {
		label_add_thread(out, page->profile, row->first->thread);
	} else if (r->by == REPORT_BY_PROCESS) {
		buffer_printf(out, "process %u", page->profile->processes.data[row->first->process].pid);
	} else if (placed && row->frame == PROFILE_NONE) {
		buffer_add_string(out, "no Python frame");
	} else {
		struct label label = label_of_frame(&page->labels, row->frame);
		if (r->by == REPORT_BY_FUNCTION) {
			label.line = page->profile->functions.data[page->profile->frames.data[row->frame].function]
					     .first_line;
			label_add(out, &label);
			return;
		}
		print_add_text(out, label.file.size ? label.file : label.name);
		/* tracemalloc's files have the line 0. */
		if (label.file.size)
			buffer_printf(out, ":%u", r->by == REPORT_BY_FILE ? 0 : label.line);
	}
}

static struct text source_of(struct rows *r, uint32_t frame)
{
	const struct profile_frame *f = &r->page->profile->frames.data[frame];
	const struct source_file *file = f->line && f->line != PROFILE_WHOLE ? sources_find(&r->sources, f->function)
									     : NULL;
	return file ? source_line_unindented(file, f->line) : (struct text){ "", 0 };
}

static void add_source(struct rows *r, uint32_t frame, unsigned indent)
{
	struct page *page = r->page;
	struct text source = frame == PROFILE_NONE ? (struct text){ "", 0 } : source_of(r, frame);
	if (!source.size)
		return;
	page_ink(page, INK_DIM);
	page_write(page, "%*s", (int)indent, "");
	print_add_fitted(page->out, source, page_room(page, indent), PRINT_CUT_END, page->options->ascii);
	page_ink(page, INK_PLAIN);
	page_end_line(page);
}

/* As tracemalloc.Traceback.format(): the outermost call first. */
static void add_traceback(struct rows *r, uint32_t stack)
{
	const struct profile *profile = r->page->profile;
	uint32_t caller = profile->stacks.data[stack].parent, frame = profile->stacks.data[stack].frame;
	if (caller)
		add_traceback(r, caller);
	struct label label = label_of_frame(&r->page->labels, frame);
	page_write(r->page, "  File \"");
	print_add_text(r->page->out, label.file);
	page_write(r->page, "\", line %u", label.line);
	page_end_line(r->page);
	add_source(r, frame, 4);
}

static void add_row(struct rows *r, const struct memory_table_row *row)
{
	struct page *page = r->page;
	struct buffer place = { 0 };
	if (r->by == REPORT_BY_TRACEBACK) {
		memory_add_statistic(page->out, row, r->differences);
		page_end_line(page);
		if (row->first->stack)
			add_traceback(r, row->first->stack);
		return;
	}
	add_place(r, row, &place);
	page_ink(page, INK_STRONG);
	page_write(page, "%s", buffer_string(&place));
	page_ink(page, INK_PLAIN);
	page_write(page, ": ");
	memory_add_statistic(page->out, row, r->differences);
	page_end_line(page);
	if (r->by == REPORT_BY_DEFAULT || r->by == REPORT_BY_LINE)
		add_source(r, row->frame, 4);
	buffer_deinit(&place);
}

static void add_title(struct rows *r, enum memory_view view)
{
	_cleanup_buffer_ struct buffer remark = { 0 };
	buffer_printf(&remark, "by %s", report_by_words[r->by ? r->by : REPORT_BY_LINE]);
	page_title(r->page, memory_view_title(view), buffer_string(&remark));
}

/* Of the rows that are not shown, their sum. */
static void add_rest(struct rows *r, size_t shown)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	struct memory_table_row sum = { 0 };
	for (size_t i = shown; i < r->table.rows.count; i++) {
		memory_sum_add(&sum.shown, r->table.rows.data[i].shown);
		memory_sum_add(&sum.difference, r->table.rows.data[i].difference);
	}
	buffer_printf(&text, "%zu other: ", r->table.rows.count - shown);
	memory_add_statistic(&text, &sum, r->differences);
	page_write(r->page, "%s\n", buffer_string(&text));
}

static struct error *add_rows(struct page *page)
{
	const enum memory_view view = page->profile->memory_choice.view;
	struct rows r = { .page = page,
		.sources = { .profile = page->profile, .as_named = true },
		.by = page->options->by,
		.differences = view == MEMORY_BETWEEN };
	TRY(memory_table_init(page->profile, view, r.by, &r.table));
	size_t rows = page_rows(page, ROWS), shown = 0;
	add_title(&r, view);
	for (; shown < rows && shown < r.table.rows.count; shown++)
		add_row(&r, &r.table.rows.data[shown]);
	if (!r.table.rows.count)
		page_write(page, "nothing\n");
	if (shown < r.table.rows.count)
		add_rest(&r, shown);
	memory_table_deinit(&r.table);
	sources_deinit(&r.sources);
	return NULL;
}

/* ---- the whole ---- */

void page_add_memory_head(struct page *page)
{
	page_add_target(page);
	struct sums sums = add_up(page->profile->memory);
	add_totals(page, page->profile->memory, &sums);
	add_warnings(page);
}

static struct error *add_all(struct page *page)
{
	TRY(profile_view_init(page->profile, &page->options->view, &page->view));
	TRY(labels_init(page->profile, page->options, &page->labels));
	page_add_memory_head(page);
	memory_phases_add(page);
	TRY(memory_lines_are_wanted(page->profile, page->options) ? memory_lines_add(page) : add_rows(page));
	return page->out->failed || page->scratch.failed ? &error_no_memory : NULL;
}

struct error *memory_text_write(struct profile *profile, const struct report_options *options, struct buffer *out)
{
	struct page page = { .profile = profile, .options = options, .out = out };
	struct error *error = add_all(&page);
	buffer_deinit(&page.scratch);
	labels_deinit(&page.labels);
	profile_view_deinit(&page.view);
	return error;
}
