/* page.h: the text report while it is drawn: what it shows, and the pen. Sections are functions from a page to text;
 * the order of text.c is the order on paper. A section that has nothing to say writes nothing. */
#pragma once
#include "profile/flat.h"
#include "profile/times.h"
#include "report/label.h"
#include "report/print.h"
#include "report/report.h"

enum ink { INK_PLAIN = 0, INK_TITLE, INK_DIM, INK_STRONG, INK_HOT, INK_WARM };

struct page {
	struct profile *profile;
	const struct report_options *options;
	struct profile_view view;
	struct profile_tree tree; /* by line, without roots */
	struct profile_flat flat;
	struct profile_time_table times;
	struct labels labels;
	struct buffer *out, scratch;
	enum ink ink; /* of what is written now */
};

/* Everything written until page_ink(page, INK_PLAIN) is of this colour; nothing without colour. */
void page_ink(struct page *page, enum ink ink);
/* The colour for a share of the whole. */
enum ink page_ink_of_share(double share);

void page_write(struct page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Right-aligned in so many columns, of one ink. */
void page_cell(struct page *page, enum ink ink, unsigned columns, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* The same of what is in page->scratch, which is emptied. */
void page_cell_scratch(struct page *page, enum ink ink, unsigned columns);
/* Words broken into lines of the page's width, each after `indent` spaces. */
void page_paragraph(struct page *page, enum ink ink, unsigned indent, const char *text);
/* What should make one doubt the rest; nothing, if there is nothing to say. `text` is emptied. */
void page_warning(struct page *page, struct buffer *text);

/* An empty line and a title, with a remark beside it if there is one. */
void page_title(struct page *page, const char *title, const char *remark);
void page_end_line(struct page *page);

/* "41.2 %" in 8 columns, and half the width of its 95 % interval in 5 more. */
void page_share(struct page *page, uint64_t weight);
void page_share_with_interval(struct page *page, uint64_t weight);
/* The weight itself in so many columns: a number of samples, a time, bytes. */
void page_weight(struct page *page, enum ink ink, unsigned columns, uint64_t weight);
void page_duration(struct page *page, enum ink ink, unsigned columns, uint64_t ns);
/* "samples", "time", "bytes", "count": the head of a column of weights. */
const char *page_weight_title(const struct page *page);
/* What functions are weighed by in titles: "time", "bytes", "count". */
const char *page_weight_noun(const struct page *page);

static inline const char *page_glyph(const struct page *page, const char *unicode, const char *ascii)
{
	return page->options->ascii ? ascii : unicode;
}
static inline unsigned page_room(const struct page *page, unsigned taken)
{
	enum { LEAST = 16 };
	return page->options->width > taken + LEAST ? page->options->width - taken : LEAST;
}
static inline size_t page_rows(const struct page *page, size_t usual)
{
	return page->options->rows ? page->options->rows : usual;
}

/* Waiting for a core is shown where it is worth a column. */
static inline bool page_shows_core_wait(const struct page *page)
{
	enum { WORTH = 200 };
	return page->times.all.core_wait * WORTH > page->times.all.wall;
}

/* The sections, by file. */
void page_add_target(struct page *page);      /* text_head.c */
void page_add_memory_head(struct page *page); /* memory_text.c; the profile has some */
struct error *page_add_head(struct page *page);
struct error *page_add_functions(struct page *page); /* text_functions.c */
struct error *page_add_c_split(struct page *page);
struct error *page_add_tree(struct page *page);	       /* text_tree.c */
struct error *page_add_lines(struct page *page);       /* text_lines.c */
struct error *page_add_collections(struct page *page); /* text_runtime.c */
struct error *page_add_gil(struct page *page);
struct error *page_add_threads(struct page *page);
struct error *page_add_processes(struct page *page);
