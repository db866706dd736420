/* table_options.h: which rows of a report's tables are shown and in which order: the same words for the report of a
 * file and for the one at the end of a run. */
#pragma once
#include "cmd/option.h"
#include "report/report.h"

/* Part of the options struct of every command that prints tables of calls. */
struct table_options {
	const char *sort, *callers, *callees, *unit;
	uint32_t rows;
	int clock; /* of table_clock_words */
	bool imports, measured, shares, skip_zero, summarize, self;
};

extern const char *const table_clock_words[];

/* Their rows; `field` is the struct table_options in `type`. */
#define TABLE_OPTION_ROWS(type, field)                                                                                       \
	{ 'n', "rows", "N", "rows of each table", OPTION_COUNT(type, field.rows) },                                          \
	{                                                                                                                    \
		0, "sort", "WHAT",                                                                                           \
			"which table of functions: both, self or total; of calls, by what: calls, cumtime, filename, line, " \
			"module, name, nfl, pcalls, stdname, time or what abbreviates one of them (as in pstats; otherwise " \
			"cumtime); of lines: time (the hottest last), calls, filename or name",                              \
			OPTION_TEXT(type, field.sort)                                                                        \
	}
#define TABLE_TIME_OPTION_ROWS(type, field)                                                                            \
	{ 0, "clock", "WHICH", "times of calls and lines: wall, or those on a core",                                   \
		OPTION_CHOICE(type, field.clock, table_clock_words) },                                                 \
	{                                                                                                              \
		0, "measured", NULL, "times of calls and lines as they were measured, the work of measuring included", \
			OPTION_FLAG(type, field.measured)                                                              \
	}
#define TABLE_CALLER_OPTION_ROWS(type, field)                                                                                            \
	{ 0, "shares", NULL,                                                                                                             \
		"of calls: two columns more, each function's own and whole time in per cent of the run's",                               \
		OPTION_FLAG(type, field.shares) },                                                                                       \
		{ 0, "imports", NULL, "of calls: what importing modules called row by row, not as one row",                              \
			OPTION_FLAG(type, field.imports) },                                                                              \
		{ 0, "callers", "PATTERN",                                                                                               \
			"who called the functions whose file:line(name) matches the regular expression, how often, and their time then", \
			OPTION_TEXT(type, field.callers) },                                                                              \
		{ 0, "callees", "PATTERN", "what they called", OPTION_TEXT(type, field.callees) },                                       \
		TABLE_TIME_OPTION_ROWS(type, field)
#define TABLE_LINE_OPTION_ROWS(type, field)                                                                     \
	{ 0, "skip-zero", NULL, "no functions that were never called", OPTION_FLAG(type, field.skip_zero) },    \
		{ 0, "self", NULL, "a column more: the time that is not in what a line called",                 \
			OPTION_FLAG(type, field.self) },                                                        \
		{ 0, "unit", "SECONDS", "what times are counted in, 1e-6 (microseconds) if not given",          \
			OPTION_TEXT(type, field.unit) },                                                        \
	{                                                                                                       \
		0, "summarize", NULL, "a line for each function at the end", OPTION_FLAG(type, field.summarize) \
	}

/* Sets what the words say. ERROR_USAGE for a word that is wrong in a recording of this mode (0: not known yet). */
struct error *table_options_apply(const struct table_options *options, uint32_t mode, struct report_options *report);
