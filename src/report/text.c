/* text.c: the report for reading: over ssh one must see the answer. Sections from the most asked to the least; what was
 * not measured has no section. */
#include "report/calls.h"
#include "report/formats.h"
#include "report/line_table.h"
#include "report/memory_table.h"
#include "report/page.h"
#include "report/rss.h"

static struct error *(*const sections[])(struct page *) = {
	page_add_head,
	page_add_functions,
	page_add_tree,
	page_add_lines,
	page_add_c_split,
	page_add_collections,
	page_add_gil,
	page_add_threads,
	page_add_processes,
};

/* What `record` ends with. */
enum { SECTIONS_OF_SUMMARY = 2 };

/* The tree alone; of samples, what it is made of. */
static struct error *add_only_tree(struct page *page)
{
	size_t before = page->out->size;
	if (page->profile->info.mode == RECORDING_MEMORY)
		page_add_memory_head(page);
	else if (page->profile->info.mode != RECORDING_CALLS)
		TRY(page_add_head(page));
	TRY(page_add_tree(page));
	if (page->out->size == before)
		page_paragraph(page, INK_PLAIN, 0, "There are no calls with their callers in this file.");
	return NULL;
}

static struct error *add_sections(struct page *page)
{
	if (page->options->tree)
		return add_only_tree(page);
	size_t count = page->options->summary ? SECTIONS_OF_SUMMARY : sizeof sections / sizeof *sections;
	for (size_t i = 0; i < count; i++)
		TRY(sections[i](page));
	return page->out->failed || page->scratch.failed ? &error_no_memory : NULL;
}

static struct error *add_all(struct page *page)
{
	TRY(profile_view_init(page->profile, &page->options->view, &page->view));
	TRY(profile_tree_init(&page->view, &(struct profile_tree_options){ .by_line = true }, &page->tree));
	TRY(profile_flat_init(&page->view, &page->tree, &page->flat));
	TRY(profile_time_table_init(page->profile, &page->times));
	/* The tree of calls makes frames of whole functions; they have labels of functions, which are all known now. */
	TRY(labels_init(page->profile, page->options, &page->labels));
	return add_sections(page);
}

static struct error *write_text(struct profile *profile, const struct report_options *options, struct buffer *out)
{
	if (profile->info.mode == RECORDING_LINES)
		return lines_text_write(profile, options, out);
	if (profile->info.mode == RECORDING_MEMORY && !options->tree)
		return memory_text_write(profile, options, out);
	if (profile->rss && !options->tree)
		return rss_text_write(profile, options, out);
	bool as_table = profile->info.mode == RECORDING_CALLS && !options->tree;
	if (as_table || options->callers || options->callees)
		return calls_text_write(profile, options, out);
	struct page page = { .profile = profile, .options = options, .out = out };
	struct error *error = add_all(&page);
	buffer_deinit(&page.scratch);
	labels_deinit(&page.labels);
	profile_time_table_deinit(&page.times);
	profile_flat_deinit(&page.flat);
	profile_tree_deinit(&page.tree);
	profile_view_deinit(&page.view);
	return error;
}

const struct report_format report_format_text = {
	.name = "text",
	.summary = "functions, calls and lines, for reading",
	.extensions = (const char *const[]){ ".txt", NULL },
	.write = write_text,
};
