/* text_functions.c: the functions by own time and by total, and what of it is in C. */
#include <string.h>

#include "report/page.h"

enum { NUMBERS_WIDTH = 33, FUNCTIONS = 20, FUNCTIONS_OF_SUMMARY = 10, FUNCTIONS_IN_C = 8 };

static uint64_t idle_samples(const struct page *page)
{
	uint64_t idle = 0;
	for (size_t i = 0; i < page->profile->rows.count; i++) {
		const struct profile_row *row = &page->profile->rows.data[i];
		idle += row->timed && profile_state_is_idle(row->state) ? row->samples : 0;
	}
	return idle;
}

static void add_whole(struct page *page, struct buffer *text)
{
	const struct profile_view *view = &page->view;
	bool timed = view->options.weight == PROFILE_WALL || view->options.weight == PROFILE_CPU;
	const char *busy = view->options.idle || view->options.only_gil || view->options.only_cpu ? "" : "busy ";
	if (timed) {
		print_add_duration(text, view->all.weight, page->options->ascii);
		buffer_printf(text, " of %s%s", view->options.weight == PROFILE_CPU ? "" : busy,
			view->options.weight == PROFILE_CPU ? "sampled CPU time" : "threads' time");
	} else if (view->options.weight == PROFILE_SAMPLES) {
		print_add_number(text, view->all.weight);
		buffer_printf(text, " %ssample%s", busy, view->all.weight == 1 ? "" : "s");
	} else if (view->options.weight == PROFILE_BYTES) {
		print_add_bytes(text, view->all.weight);
	} else {
		buffer_add_string(text, "a count of ");
		print_add_number(text, view->all.weight);
	}
	if (view->options.only_gil)
		buffer_add_string(text, " that held the GIL");
	if (view->options.only_cpu)
		buffer_add_string(text, view->options.only_gil ? " on a CPU" : " that were on a CPU");
}

/* "Shares are of 6,226 busy samples, with their 95 % interval; 16,930 idle ones are left out (--idle)." */
static void add_what_shares_are(struct page *page)
{
	struct buffer text = { 0 };
	uint64_t idle = page->view.options.idle ? 0 : idle_samples(page);
	buffer_add_string(&text, "Shares are of ");
	add_whole(page, &text);
	buffer_add_string(&text, ", with their 95 % interval");
	if (idle && !page->view.options.only_cpu && !page->view.options.only_gil) {
		buffer_add_string(&text, "; ");
		print_add_number(&text, idle);
		buffer_printf(&text, " idle %s left out (--idle)",
			page->view.options.weight == PROFILE_SAMPLES ? "ones are" : "samples are");
	}
	buffer_add_char(&text, '.');
	page_end_line(page);
	page_paragraph(page, INK_DIM, 0, buffer_string(&text));
	buffer_deinit(&text);
}

/* There is nothing to show: say which of the reasons it is. */
static void add_nothing(struct page *page)
{
	const struct profile_times *all = &page->times.all;
	struct buffer text = { 0 };
	if (page->view.options.weight >= PROFILE_BYTES)
		buffer_printf(&text, "This recording has no %s.", page_weight_title(page));
	else if (!all->samples)
		buffer_add_string(&text, "The recording has no samples.");
	else if (idle_samples(page) == all->samples && !page->view.options.idle) {
		buffer_add_string(
			&text, "All samples were idle: the program waited the whole time. --idle shows where.");
	} else
		buffer_add_string(&text, "No sample is left of what was asked for.");
	page_end_line(page);
	page_paragraph(page, INK_PLAIN, 0, buffer_string(&text));
	buffer_deinit(&text);
}

static void add_numbers(struct page *page, const struct profile_function_row *row, bool by_self)
{
	page_share_with_interval(page, by_self ? row->self.weight : row->total.weight);
	page_share(page, by_self ? row->total.weight : row->self.weight);
	page_weight(page, INK_PLAIN, 10, by_self ? row->self.weight : row->total.weight);
	page_write(page, "  ");
}

static void add_row(struct page *page, const struct profile_function_row *row, bool by_self)
{
	struct label label = label_of_function(&page->labels, row->function);
	add_numbers(page, row, by_self);
	label_add_fitted(page->out, &label, page_room(page, NUMBERS_WIDTH), page->options->ascii);
	page_end_line(page);
}

/* "<partial>  part of the stack is not known" */
static void add_word_row(struct page *page, const struct profile_function_row *row, bool by_self)
{
	struct label label = label_of_function(&page->labels, row->function);
	const char *meaning = row->function == FUNCTION_GC	    ? "the collector"
			      : row->function == FUNCTION_NO_PYTHON ? "threads without Python code"
								    : "part of the stack is not known";
	add_numbers(page, row, by_self);
	page->scratch.size = 0;
	print_add_text(&page->scratch, label.name);
	if (print_count_columns(label.name) + 2 + strlen(meaning) <= page_room(page, NUMBERS_WIDTH))
		buffer_printf(&page->scratch, "  %s", meaning);
	print_add_fitted(page->out, print_text(&page->scratch), page_room(page, NUMBERS_WIDTH), PRINT_CUT_END,
		page->options->ascii);
	page->scratch.size = 0;
	page_end_line(page);
}

static void add_table_head(struct page *page, bool by_self)
{
	struct buffer title = { 0 };
	buffer_printf(&title, by_self ? "Functions by own %s" : "Functions by total %s", page_weight_noun(page));
	page_title(page, buffer_string(&title), by_self ? NULL : "including what they call");
	buffer_deinit(&title);
	page_ink(page, INK_DIM);
	page_write(page, "%8s%5s%8s%10s  %s", by_self ? "own" : "total", "", by_self ? "total" : "own",
		page_weight_title(page), "function");
	page_ink(page, INK_PLAIN);
	page_end_line(page);
}

static void add_remark(struct page *page, const char *format, size_t number)
{
	page_ink(page, INK_DIM);
	page_write(page, "%*s", NUMBERS_WIDTH, "");
	page_write(page, format, number);
	page_ink(page, INK_PLAIN);
	page_end_line(page);
}

static uint64_t row_weight(const struct profile_function_row *row, bool by_self)
{
	return by_self ? row->self.weight : row->total.weight;
}

/* What is in the samples and no function: it stands apart, below them. */
static void add_words(struct page *page, bool by_self)
{
	bool first = true;
	for (size_t i = 0; i < page->flat.functions.count; i++) {
		const struct profile_function_row *row = &page->flat.functions.data[i];
		if (!row->is_word || !row_weight(row, by_self))
			continue;
		if (first)
			add_remark(page, "no functions:", 0);
		add_word_row(page, row, by_self);
		first = false;
	}
}

static void add_table(struct page *page, bool by_self, bool with_words)
{
	size_t rows = page_rows(page, page->options->summary ? FUNCTIONS_OF_SUMMARY : FUNCTIONS), all = 0;
	add_table_head(page, by_self);
	for (size_t i = 0; i < page->flat.functions.count; i++) {
		const struct profile_function_row *row = &page->flat.functions.data[i];
		if (row->is_word || !row_weight(row, by_self))
			break;
		if (all++ < rows)
			add_row(page, row, by_self);
	}
	if (all > rows)
		add_remark(page, "%zu more", all - rows);
	if (with_words)
		add_words(page, by_self);
}

struct error *page_add_functions(struct page *page)
{
	if (!page->view.all.weight) {
		add_nothing(page);
		return NULL;
	}
	add_what_shares_are(page);
	profile_flat_sort_by_self(&page->flat);
	if (page->options->sort != REPORT_SORT_TOTAL)
		add_table(page, /* by_self */ true, /* with_words */ true);
	if (page->options->sort != REPORT_SORT_SELF) {
		profile_flat_sort_by_total(&page->flat);
		add_table(page, /* by_self */ false, page->options->sort == REPORT_SORT_TOTAL);
		profile_flat_sort_by_self(&page->flat);
	}
	return NULL;
}

static int more_in_c(const void *left, const void *right, void *data)
{
	const struct profile_function_row *rows = data, *a = &rows[*(const uint32_t *)left],
					  *b = &rows[*(const uint32_t *)right];
	if (a->in_c != b->in_c)
		return a->in_c < b->in_c ? 1 : -1;
	return (a > b) - (a < b);
}

static void add_c_row(struct page *page, const struct profile_function_row *row)
{
	enum { TAKEN = 28 };
	struct label label = label_of_function(&page->labels, row->function);
	page_share_with_interval(page, row->in_c);
	page_cell(page, INK_PLAIN, 13, "%.0f %%", (double)row->in_c * 100 / (double)row->self.weight);
	page_write(page, "  ");
	label_add_fitted(page->out, &label, page_room(page, TAKEN), page->options->ascii);
	page_end_line(page);
}

/* A call instruction shows that C was called. Operators, attributes and subscripts are C, too, as far as their objects
 * are, but nothing in the interpreter's frames says so. */
static void add_c_split(struct page *page)
{
	const struct profile_flat *flat = &page->flat;
	uint64_t all = page->view.all.weight, rest = all - flat->in_c - flat->words;
	struct buffer text = { 0 };
	buffer_printf(&text, "%.1f %% of the %s", (double)flat->in_c * 100 / (double)all, page_weight_noun(page));
	page_title(page, "In C functions that Python code called", buffer_string(&text));
	text.size = 0;
	buffer_printf(&text,
		"%.1f %% is Python code, together with the C behind its operators, attributes and subscripts (a + b of two "
		"arrays): that cannot be told apart.",
		(double)rest * 100 / (double)all);
	page_paragraph(page, INK_DIM, 0, buffer_string(&text));
	buffer_deinit(&text);
}

struct error *page_add_c_split(struct page *page)
{
	const struct profile_flat *flat = &page->flat;
	if (!(page->profile->states_seen & STATE_IN_C) || !flat->in_c)
		return NULL;
	uint32_t *order = malloc(flat->functions.count * sizeof *order);
	if (!order)
		return &error_no_memory;
	for (size_t i = 0; i < flat->functions.count; i++)
		order[i] = (uint32_t)i;
	qsort_r(order, flat->functions.count, sizeof *order, more_in_c, flat->functions.data);
	add_c_split(page);
	page_ink(page, INK_DIM);
	page_write(page, "%8s%5s%13s  %s", "in C", "", "of its own", "function");
	page_ink(page, INK_PLAIN);
	page_end_line(page);
	for (size_t i = 0; i < flat->functions.count && i < page_rows(page, FUNCTIONS_IN_C); i++)
		if (flat->functions.data[order[i]].in_c)
			add_c_row(page, &flat->functions.data[order[i]]);
	free(order);
	return NULL;
}
