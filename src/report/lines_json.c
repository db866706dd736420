/* lines_json.c: exact lines for programs. docs/json-lines.md is its description; a change that breaks a reader raises
 * the number in SCHEMA. */
#include <string.h>

#include "base/cleanup.h"
#include "report/head.h"
#include "report/line_table.h"
#include "report/print.h"

#define SCHEMA "pyrometer.lines/1"

static void add_line(struct buffer *out, const struct lines *lines, const struct lines_line *line)
{
	struct lines_times corrected = lines_times(&line->sum, /* measured */ false),
			   measured = lines_times(&line->sum, /* measured */ true);
	buffer_add_string(out, "{\"line\":");
	print_add_integer(out, line->line);
	head_add_json_number(out, "hits", line->sum.hits);
	head_add_json_number(out, "time_ns", lines_to_ns(lines, corrected.total));
	head_add_json_number(out, "self_ns", lines_to_ns(lines, corrected.self));
	head_add_json_number(out, "cpu_ns", lines_to_ns(lines, corrected.cpu));
	head_add_json_number(out, "measured_time_ns", lines_to_ns(lines, measured.total));
	head_add_json_number(out, "measured_self_ns", lines_to_ns(lines, measured.self));
	buffer_add_char(out, '}');
}

static void add_function(struct buffer *out, const struct lines *lines, const struct lines_function *function)
{
	const struct profile *profile = lines->profile;
	const struct profile_code *code = &profile->codes.data[function->code];
	buffer_add_string(out, "{\"name\":");
	print_add_json(out, profile_strings_get(&profile->strings, code->name));
	head_add_json_text(out, "qualname", profile_strings_get(&profile->strings, code->qualname));
	head_add_json_text(out, "path", profile_strings_get(&profile->strings, code->file));
	head_add_json_number(out, "line", code->first_line);
	head_add_json_number(out, "calls", function->sum.hits);
	head_add_json_number(out, "hits", function->hits);
	head_add_json_number(out, "time_ns", lines_to_ns(lines, lines_function_time(lines, function, false)));
	head_add_json_number(out, "measured_time_ns", lines_to_ns(lines, lines_function_time(lines, function, true)));
	buffer_add_string(out, ",\n\"lines\":[");
	for (uint32_t i = 0; i < function->count; i++) {
		buffer_add_string(out, i ? ",\n" : "\n");
		add_line(out, lines, &lines->lines.data[function->first + i]);
	}
	buffer_add_string(out, "]}");
}

static void add_totals(struct buffer *out, const struct lines *lines)
{
	uint64_t hits = 0;
	for (size_t i = 0; i < lines->functions.count; i++)
		hits += lines->functions.data[i].hits;
	buffer_add_string(out, ",\n\"totals\":{\"functions\":");
	print_add_integer(out, lines->functions.count);
	head_add_json_number(out, "hits", hits);
	head_add_json_bool(out, "corrected", lines->has_cost);
	head_add_json_bool(out, "has_self", lines->has_called);
	head_add_json_bool(out, "has_cpu", lines->has_cpu);
	buffer_add_char(out, '}');
}

struct error *lines_json_write(struct profile *profile, const struct report_options *options, struct buffer *out)
{
	_cleanup_profile_time_table_ struct profile_time_table times = { 0 };
	_cleanup_lines_ struct lines lines = { 0 };
	size_t count;
	TRY(profile_time_table_init(profile, &times));
	TRY(lines_init(profile, &lines));
	_cleanup_free_ uint32_t *order = lines_rows_sort(&lines, options, &count);
	if (!order)
		return &error_no_memory;
	buffer_add_string(out, "{\"schema\":\"" SCHEMA "\",\n");
	head_add_json(out, profile, &times.all);
	add_totals(out, &lines);
	buffer_add_string(out, ",\n\"functions\":[");
	for (size_t i = 0; i < count; i++) {
		buffer_add_string(out, i ? ",\n" : "\n");
		add_function(out, &lines, &lines.functions.data[order[i]]);
	}
	buffer_add_string(out, "]}\n");
	return out->failed ? &error_no_memory : NULL;
}
