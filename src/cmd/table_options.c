/* table_options.c: see table_options.h. */
#include "cmd/table_options.h"

#include <math.h>
#include <stdlib.h>

const char *const table_clock_words[] = { "wall", "cpu", NULL };

static struct error *parse_unit(const char *word, double *ret_unit)
{
	char *end;
	double unit = strtod(word, &end);
	if (end == word || *end || !isfinite(unit) || unit <= 0)
		return error_new(ERROR_USAGE, "--unit: '%s' is no number of seconds, such as 1e-3", word);
	*ret_unit = unit;
	return NULL;
}

struct error *table_options_apply(const struct table_options *options, uint32_t mode, struct report_options *report)
{
	report->rows = options->rows;
	report->callers = options->callers;
	report->callees = options->callees;
	report->cpu_clock = options->clock;
	report->measured = options->measured;
	report->imports = options->imports;
	report->shares = options->shares;
	report->skip_zero = options->skip_zero;
	report->summarize = options->summarize;
	report->line_self = options->self;
	if (options->unit)
		TRY(parse_unit(options->unit, &report->unit));
	if (options->sort)
		TRY(report_parse_sort(options->sort, mode, report));
	if (options->callers)
		TRY(report_check_pattern(options->callers));
	return options->callees ? report_check_pattern(options->callees) : NULL;
}
