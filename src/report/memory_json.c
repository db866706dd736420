/* memory_json.c: allocations for programs: sums, and a row for each call path, thread and allocator
 * (docs/json-memory.md).
 */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "profile/times.h"
#include "report/head.h"
#include "report/line_table.h"
#include "report/memory_phases.h"
#include "report/memory_table.h"
#include "report/print.h"

#define SCHEMA "pyrometer.memory/1"

static void add_sum(struct buffer *out, const char *name, struct memory_sum sum)
{
	buffer_printf(out, ",\"%s\":{\"bytes\":%" PRId64 ",\"count\":%" PRId64 "}", name, sum.bytes, sum.count);
}

static void add_name(struct buffer *out, const char *name, const char *word)
{
	head_add_json_text(out, name, (struct text){ word, strlen(word) });
}

static const char *view_name(enum memory_view view)
{
	static const char *const names[] = { "peak", "leaks", "temporary", "total", "at", "between", "last" };
	return names[view];
}

/* Three columns: by stack, from 1 on, that of the caller and the frame; by frame its place. */
static void add_stacks(struct buffer *out, const struct profile *profile)
{
	buffer_add_string(out, ",\n\"stacks\":{\"parent\":[0");
	for (size_t i = 1; i < profile->stacks.count; i++)
		buffer_printf(out, ",%" PRIu32, profile->stacks.data[i].parent);
	buffer_add_string(out, "],\"frame\":[0");
	for (size_t i = 1; i < profile->stacks.count; i++)
		buffer_printf(out, ",%" PRIu32, profile->stacks.data[i].frame);
	buffer_add_string(out, "]},\n\"frames\":[");
	for (size_t i = 0; i < profile->frames.count; i++) {
		const struct profile_frame *frame = &profile->frames.data[i];
		const struct profile_function *function = &profile->functions.data[frame->function];
		buffer_printf(
			out, "%s{\"line\":%" PRIu32, i ? ",\n" : "", frame->line == PROFILE_WHOLE ? 0 : frame->line);
		head_add_json_text(out, "function", function->name);
		head_add_json_text(out, "file", function->file);
		buffer_add_char(out, '}');
	}
	buffer_add_char(out, ']');
}

static void add_row(struct buffer *out, const struct profile *profile, const struct memory_row *row)
{
	buffer_printf(out, "{\"process\":%" PRIu32 ",\"thread\":%" PRIu32 ",\"stack\":%" PRIu32, row->process,
		row->thread, row->stack);
	add_name(out, "allocator", memory_allocator_name(row->allocator));
	add_sum(out, "shown", memory_shown(profile->memory_choice.view, row));
	add_sum(out, "difference", memory_difference(profile->memory_choice.view, row));
	add_sum(out, "total", row->got);
	add_sum(out, "peak", row->peak);
	add_sum(out, "live", row->live);
	add_sum(out, "temporary", row->temporary);
	add_sum(out, "at_start", row->at_start);
	add_sum(out, "at_end", row->at_end);
	buffer_add_char(out, '}');
}

static void add_sizes(struct buffer *out, const struct profile_memory *m)
{
	buffer_add_string(out, ",\"sizes\":[");
	for (unsigned i = 0, first = 1; i < MEMORY_SIZES; i++)
		if (m->sizes[i].count) {
			buffer_printf(out, "%s{\"from\":%" PRIu64, first ? "" : ",", i ? (uint64_t)1 << i : 0);
			head_add_json_number(out, "bytes", (uint64_t)m->sizes[i].bytes);
			head_add_json_number(out, "count", (uint64_t)m->sizes[i].count);
			buffer_add_char(out, '}');
			first = 0;
		}
	buffer_add_char(out, ']');
}

static void add_threads(struct buffer *out, const struct profile *profile)
{
	buffer_add_string(out, ",\"threads\":[");
	for (size_t i = 1; i < profile->threads.count; i++) {
		const struct profile_thread *thread = &profile->threads.data[i];
		buffer_printf(out, "%s{\"id\":%zu,\"tid\":%" PRIu32, i > 1 ? "," : "", i, thread->tid);
		head_add_json_text(out, "name", thread->name);
		buffer_add_char(out, '}');
	}
	buffer_add_char(out, ']');
}

/* ---- lines ---- */

static void add_function(struct buffer *out, const struct lines *lines, const struct lines_function *function)
{
	const struct profile_strings *strings = &lines->profile->strings;
	const struct profile_code *code = &lines->profile->codes.data[function->code];
	buffer_add_string(out, "{\"name\":");
	print_add_json(out, profile_strings_get(strings, code->name));
	head_add_json_text(out, "qualname", profile_strings_get(strings, code->qualname));
	head_add_json_text(out, "file", profile_strings_get(strings, code->file));
	head_add_json_number(out, "line", code->first_line);
	head_add_json_number(out, "calls", function->sum.hits);
	head_add_json_number(out, "baseline_bytes", function->sum.usage);
	buffer_add_string(out, ",\"lines\":[");
	for (uint32_t i = 0; i < function->count; i++) {
		const struct lines_line *line = &lines_of_function(lines, function)[i];
		buffer_printf(out, "%s{\"line\":%" PRIu32 ",\"increment_bytes\":%" PRId64, i ? ",\n" : "\n", line->line,
			line->sum.increment);
		head_add_json_number(out, "occurrences", line->sum.hits);
		head_add_json_number(out, "usage_bytes", line->sum.usage);
		buffer_add_char(out, '}');
	}
	buffer_add_string(out, "]}");
}

static struct error *add_lines(struct buffer *out, const struct profile *profile, const struct report_options *options)
{
	_cleanup_lines_ struct lines lines = { 0 };
	size_t count;
	TRY(lines_init(profile, &lines));
	_cleanup_free_ uint32_t *order = lines_rows_sort(&lines, options, &count);
	if (!order)
		return &error_no_memory;
	buffer_add_string(out, ",\n\"lines\":[");
	for (size_t i = 0; i < count; i++) {
		buffer_add_string(out, i ? ",\n" : "\n");
		add_function(out, &lines, &lines.functions.data[order[i]]);
	}
	buffer_add_char(out, ']');
	return NULL;
}

struct error *memory_json_write(struct profile *profile, const struct report_options *options, struct buffer *out)
{
	_cleanup_profile_view_ struct profile_view view = { 0 };
	struct profile_time_table times = { 0 };
	const struct profile_memory *m = profile->memory;
	TRY(profile_view_init(profile, &options->view, &view));
	TRY(profile_time_table_init(profile, &times));
	buffer_add_string(out, "{\"schema\":\"" SCHEMA "\",");
	head_add_json(out, profile, &times.all);
	profile_time_table_deinit(&times);
	add_name(out, "view", view_name(profile->memory_choice.view));
	add_sum(out, "peak", m->peak);
	head_add_json_number(out, "peak_ns", m->peak_time);
	head_add_json_number(out, "main_began_ns", m->main_began);
	head_add_json_number(out, "main_ended_ns", m->main_ended);
	add_sizes(out, m);
	memory_phases_add_json(out, profile);
	add_threads(out, profile);
	add_stacks(out, profile);
	buffer_add_string(out, ",\n\"rows\":[");
	for (size_t i = 0; i < m->rows.count; i++) {
		buffer_add_string(out, i ? ",\n" : "\n");
		add_row(out, profile, &m->rows.data[i]);
	}
	buffer_add_char(out, ']');
	TRY(add_lines(out, profile, options));
	buffer_add_string(out, "}\n");
	return out->failed ? &error_no_memory : NULL;
}
