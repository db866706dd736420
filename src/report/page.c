/* page.c: the pen of the text report (see page.h). */
#include "report/page.h"

#include <stdarg.h>
#include <string.h>

void page_ink(struct page *page, enum ink ink)
{
	static const char *const escapes[] = {
		[INK_PLAIN] = "\x1b[0m",
		[INK_TITLE] = "\x1b[1m",
		[INK_DIM] = "\x1b[2m",
		[INK_STRONG] = "\x1b[1m",
		[INK_HOT] = "\x1b[1;31m",
		[INK_WARM] = "\x1b[33m",
	};
	if (!page->options->colour || ink == page->ink)
		return;
	buffer_add_string(page->out, escapes[ink]);
	page->ink = ink;
}

enum ink page_ink_of_share(double share)
{
	return share >= 0.2 ? INK_HOT : share >= 0.05 ? INK_WARM : share >= 0.005 ? INK_PLAIN : INK_DIM;
}

void page_write(struct page *page, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	buffer_vprintf(page->out, format, args);
	va_end(args);
}

void page_cell_scratch(struct page *page, enum ink ink, unsigned columns)
{
	unsigned taken = print_count_columns(print_text(&page->scratch));
	for (; taken < columns; taken++)
		buffer_add_char(page->out, ' ');
	if (ink)
		page_ink(page, ink);
	buffer_add(page->out, page->scratch.data, page->scratch.size);
	if (ink)
		page_ink(page, INK_PLAIN);
	page->scratch.size = 0;
}

void page_cell(struct page *page, enum ink ink, unsigned columns, const char *format, ...)
{
	va_list args;
	page->scratch.size = 0;
	va_start(args, format);
	buffer_vprintf(&page->scratch, format, args);
	va_end(args);
	page_cell_scratch(page, ink, columns);
}

void page_paragraph(struct page *page, enum ink ink, unsigned indent, const char *text)
{
	unsigned width = page->options->width, at = width; /* as if a line were full */
	for (bool first = true; *text; first = false) {
		size_t bytes = strcspn(text, " ");
		unsigned columns = print_count_columns((struct text){ text, bytes });
		if (first || at + 1 + columns > width) {
			page_ink(page, INK_PLAIN);
			page_write(page, "%s%*s", first ? "" : "\n", (int)indent, "");
			page_ink(page, ink);
			at = indent;
		} else {
			buffer_add_char(page->out, ' ');
			at++;
		}
		buffer_add(page->out, text, bytes);
		at += columns;
		text += bytes;
		text += strspn(text, " ");
	}
	page_ink(page, INK_PLAIN);
	buffer_add_char(page->out, '\n');
}

void page_warning(struct page *page, struct buffer *text)
{
	if (text->size)
		page_paragraph(page, INK_WARM, 0, buffer_string(text));
	text->size = 0;
}

void page_title(struct page *page, const char *title, const char *remark)
{
	buffer_add_char(page->out, '\n');
	page_ink(page, INK_TITLE);
	buffer_add_string(page->out, title);
	page_ink(page, INK_PLAIN);
	if (remark) {
		unsigned taken = print_count_columns((struct text){ title, strlen(title) }) + 2;
		page_ink(page, INK_DIM);
		buffer_add_string(page->out, "  ");
		print_add_fitted(page->out, (struct text){ remark, strlen(remark) }, page_room(page, taken),
			PRINT_CUT_END, page->options->ascii);
		page_ink(page, INK_PLAIN);
	}
	page_end_line(page);
}

void page_end_line(struct page *page)
{
	buffer_add_char(page->out, '\n');
}

static struct profile_share share_of(const struct page *page, uint64_t weight)
{
	return profile_share_of(weight, page->view.all.weight, page->view.all.samples);
}

void page_share(struct page *page, uint64_t weight)
{
	struct profile_share share = share_of(page, weight);
	page_cell(page, page_ink_of_share(share.share), 8, "%.1f %%", share.share * 100);
}

void page_share_with_interval(struct page *page, uint64_t weight)
{
	struct profile_share share = share_of(page, weight);
	page_share(page, weight);
	double half = (share.high - share.low) * 50;
	page_cell(page, INK_DIM, 5, "%s%.*f", page_glyph(page, "\xc2\xb1", "~"), half < 9.95, half);
}

void page_duration(struct page *page, enum ink ink, unsigned columns, uint64_t ns)
{
	page->scratch.size = 0;
	print_add_duration(&page->scratch, ns, page->options->ascii);
	page_cell_scratch(page, ink, columns);
}

void page_weight(struct page *page, enum ink ink, unsigned columns, uint64_t weight)
{
	page->scratch.size = 0;
	switch (page->view.options.weight) {
	case PROFILE_WALL:
	case PROFILE_CPU:
		print_add_duration(&page->scratch, weight, page->options->ascii);
		break;
	case PROFILE_BYTES:
		print_add_bytes(&page->scratch, weight);
		break;
	default:
		print_add_number(&page->scratch, weight);
	}
	page_cell_scratch(page, ink, columns);
}

const char *page_weight_title(const struct page *page)
{
	static const char *const titles[PROFILE_WEIGHT_END] = { "samples", "time", "CPU time", "bytes", "count" };
	return titles[page->view.options.weight];
}

const char *page_weight_noun(const struct page *page)
{
	static const char *const nouns[PROFILE_WEIGHT_END] = { "time", "time", "CPU time", "bytes", "count" };
	return nouns[page->view.options.weight];
}
