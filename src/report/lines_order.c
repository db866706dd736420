/* lines_order.c: which functions of a recording of lines are shown, and in which order. */
#include <string.h>

#include "base/cleanup.h"
#include "report/line_table.h"

struct sorter {
	const struct lines *lines;
	enum report_line_sort sort;
	uint64_t *times; /* by function; of memory, bytes */
};

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_text(struct text a, struct text b)
{
	int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);
	return order ? order : compare(a.size, b.size);
}

static int compare_places(const struct sorter *s, const struct lines_function *a, const struct lines_function *b)
{
	const struct profile_code *codes = s->lines->profile->codes.data;
	int order = compare_text(lines_function_file(s->lines, a), lines_function_file(s->lines, b));
	order = order ? order : compare(codes[a->code].first_line, codes[b->code].first_line);
	return order ? order : compare_text(lines_function_name(s->lines, a), lines_function_name(s->lines, b));
}

static int by_sort(const void *left, const void *right, void *data)
{
	const struct sorter *s = data;
	uint32_t i = *(const uint32_t *)left, j = *(const uint32_t *)right;
	const struct lines_function *a = &s->lines->functions.data[i], *b = &s->lines->functions.data[j];
	int order = s->sort == LINE_SORT_TIME	 ? compare(s->times[i], s->times[j])
		    : s->sort == LINE_SORT_CALLS ? compare(a->hits, b->hits)
		    : s->sort == LINE_SORT_FILE	 ? compare_places(s, a, b)
		    : s->sort == LINE_SORT_NAME
			    ? compare_text(lines_function_name(s->lines, a), lines_function_name(s->lines, b))
			    : 0;
	return order ? order : compare(i, j);
}

/* The last `rows` of `order` by time; the rest is moved out. */
static size_t keep_hottest(struct sorter *s, uint32_t *order, size_t count, size_t rows)
{
	s->sort = LINE_SORT_TIME;
	qsort_r(order, count, sizeof *order, by_sort, s);
	memmove(order, order + (count - rows), rows * sizeof *order);
	return rows;
}

static size_t choose(struct sorter *s, const struct report_options *options, uint32_t *order)
{
	size_t count = 0;
	for (uint32_t i = 0; i < s->lines->functions.count; i++) {
		const struct lines_function *function = &s->lines->functions.data[i];
		s->times[i] = s->lines->profile->info.mode == RECORDING_MEMORY
				      ? lines_function_got(s->lines, function)
				      : lines_function_time(s->lines, function, options->measured);
		if (!options->skip_zero || function->hits)
			order[count++] = i;
	}
	if (options->rows && options->rows < count)
		count = keep_hottest(s, order, count, options->rows);
	return count;
}

uint32_t *lines_rows_sort(const struct lines *lines, const struct report_options *options, size_t *ret_count)
{
	size_t functions = lines->functions.count + 1;
	struct sorter s = { .lines = lines, .times = calloc(functions, sizeof *s.times) };
	uint32_t *order = malloc(functions * sizeof *order);
	if (s.times && order) {
		*ret_count = choose(&s, options, order);
		s.sort = options->line_sort;
		qsort_r(order, *ret_count, sizeof *order, by_sort, &s);
	} else {
		free(order);
		order = NULL;
	}
	free(s.times);
	return order;
}

struct error *lines_refuse(const struct profile *profile, const char *format)
{
	if (profile->info.mode != RECORDING_LINES)
		return NULL;
	return error_new(ERROR_USAGE,
		"%s is of calls, and this recording is one of lines: name .lprof, .txt, .json, .pb.gz or .svg instead",
		format);
}
