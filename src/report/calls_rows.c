/* calls_rows.c: the order of functions in tables of calls. What is equal stays in the order of first calls, as pstats,
 * whose sort is stable, has it. */
#include <string.h>

#include "base/cleanup.h"
#include "report/calls.h"
#include "report/print.h"

struct sorter {
	const struct calls *calls;
	const struct call_names *names;
	enum report_call_sort sort;
	bool measured, cpu_clock;
	struct text *labels; /* by function, for CALL_SORT_STANDARD */
};

static int compare_text(struct text a, struct text b)
{
	int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);
	return order ? order : (a.size > b.size) - (a.size < b.size);
}

/* The larger number first. */
static int falling(uint64_t a, uint64_t b)
{
	return (a < b) - (a > b);
}

static int compare_names(const struct sorter *s, uint32_t i, uint32_t j)
{
	const struct call_name *a = &s->names->items[i], *b = &s->names->items[j];
	int order = compare_text(a->name, b->name);
	if (order || s->sort == CALL_SORT_NAME)
		return order;
	return call_name_compare(a, b);
}

static int compare_times(const struct sorter *s, const struct calls_sum *a, const struct calls_sum *b, bool own)
{
	struct calls_times x = calls_times(a, s->measured), y = calls_times(b, s->measured);
	if (s->cpu_clock)
		return own ? falling(x.self_cpu, y.self_cpu) : falling(x.total_cpu, y.total_cpu);
	return own ? falling(x.self, y.self) : falling(x.total, y.total);
}

static int compare(const struct sorter *s, uint32_t i, uint32_t j)
{
	const struct calls_sum *a = &s->calls->functions.data[i].sum, *b = &s->calls->functions.data[j].sum;
	const struct call_name *x = &s->names->items[i], *y = &s->names->items[j];
	switch (s->sort) {
	case CALL_SORT_CALLS:
		return falling(a->calls, b->calls);
	case CALL_SORT_PRIMITIVE:
		return falling(a->primitive, b->primitive);
	case CALL_SORT_INTERNAL:
		return compare_times(s, a, b, /* own */ true);
	case CALL_SORT_FILE:
		return compare_text(x->file, y->file);
	case CALL_SORT_LINE:
		return (x->line > y->line) - (x->line < y->line);
	case CALL_SORT_NAME:
	case CALL_SORT_NAME_FILE_LINE:
		return compare_names(s, i, j);
	case CALL_SORT_STANDARD:
		return compare_text(s->labels[i], s->labels[j]);
	default:
		return compare_times(s, a, b, /* own */ false);
	}
}

static int by_sort(const void *left, const void *right, void *data)
{
	uint32_t i = *(const uint32_t *)left, j = *(const uint32_t *)right;
	int order = compare(data, i, j);
	return order ? order : (i > j) - (i < j);
}

/* `text` holds them all, one behind the other. */
static bool make_labels(struct sorter *s, struct buffer *text)
{
	size_t count = s->calls->functions.count;
	_cleanup_free_ size_t *ends = malloc((count + 1) * sizeof *ends);
	s->labels = malloc((count + 1) * sizeof *s->labels);
	if (!ends || !s->labels)
		return false;
	for (size_t i = 0; i < count; i++) {
		call_name_add(text, &s->names->items[i]);
		ends[i] = text->size;
	}
	if (text->failed)
		return false;
	for (size_t i = 0; i < count; i++) {
		size_t start = i ? ends[i - 1] : 0;
		s->labels[i] = (struct text){ text->data + start, ends[i] - start };
	}
	return true;
}

uint32_t *calls_rows_sort(
	const struct calls *calls, const struct call_names *names, const struct report_options *options)
{
	size_t count = calls->functions.count;
	struct sorter s = { .calls = calls,
		.names = names,
		.sort = options->call_sort,
		.measured = options->measured,
		.cpu_clock = options->cpu_clock && calls->has_cpu };
	_cleanup_buffer_ struct buffer text = { 0 };
	uint32_t *order = malloc((count + 1) * sizeof *order);
	if (order && s.sort == CALL_SORT_STANDARD && !make_labels(&s, &text)) {
		free(order);
		order = NULL;
	}
	for (size_t i = 0; order && i < count; i++)
		order[i] = (uint32_t)i;
	if (order)
		qsort_r(order, count, sizeof *order, by_sort, &s);
	free(s.labels);
	return order;
}
