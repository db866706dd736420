#include "report/calls_exceptions.h"

#include <inttypes.h>

#include "base/cleanup.h"
#include "report/head.h"
#include "report/print.h"

/* ---- rows ---- */

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_places(const struct exception_place *a, const struct exception_place *b)
{
	int order = compare_numbers(a->file, b->file);
	order = order ? order : compare_numbers(a->line, b->line);
	return order ? order : compare_numbers(a->name, b->name);
}

static int compare_raised(const struct exception_row *a, const struct exception_row *b)
{
	int order = compare_numbers(a->type, b->type);
	return order ? order : compare_places(&a->raised, &b->raised);
}

static int by_place(const void *left, const void *right)
{
	const struct exception_row *a = left, *b = right;
	int order = compare_raised(a, b);
	order = order ? order : compare_numbers(a->is_handled, b->is_handled);
	return order ? order : compare_places(&a->handled, &b->handled);
}

static struct exception_place place_of(const struct profile *profile, uint32_t stack)
{
	int32_t line = profile->stacks.data[stack].instruction;
	const struct profile_code *code = &profile->codes.data[profile->stacks.data[stack].code];
	return (struct exception_place){ code->file, code->name, line > 0 ? (uint32_t)line : 0 };
}

static struct exception_row make_row(const struct profile *profile, const struct profile_exception *exception)
{
	struct exception_row row = { .is_handled = exception->handled, .count = exception->count };
	uint32_t raised = exception->stack;
	if (exception->handled) {
		row.handled = place_of(profile, exception->stack);
		raised = profile->stacks.data[exception->stack].parent;
	}
	row.raised = place_of(profile, raised);
	row.type = profile->codes.data[profile->stacks.data[profile->stacks.data[raised].parent].code].name;
	return row;
}

static void merge_equal(struct exception_list *list)
{
	size_t kept = 0;
	for (size_t i = 0; i < list->rows.count; i++) {
		struct exception_row *row = &list->rows.data[i];
		if (kept && by_place(&list->rows.data[kept - 1], row) == 0)
			list->rows.data[kept - 1].count += row->count;
		else
			list->rows.data[kept++] = *row;
	}
	list->rows.count = kept;
}

static int by_count(const void *left, const void *right, void *argument)
{
	const struct exception_list *list = argument;
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
	int order = compare_numbers(list->rows.data[b].count, list->rows.data[a].count);
	return order ? order : compare_numbers(a, b);
}

struct error *exception_list_init(const struct profile *profile, struct exception_list *ret_list)
{
	struct exception_list *list = ret_list;
	*list = (struct exception_list){ 0 };
	for (size_t i = 0; i < profile->exceptions.count; i++)
		if (!vec_push(&list->rows, make_row(profile, &profile->exceptions.data[i])))
			return &error_no_memory;
	if (list->rows.count)
		qsort(list->rows.data, list->rows.count, sizeof *list->rows.data, by_place);
	merge_equal(list);
	list->groups = malloc((list->rows.count + 1) * sizeof *list->groups);
	if (!list->groups)
		return &error_no_memory;
	for (uint32_t i = 0; i < list->rows.count; i++)
		if (!list->rows.data[i].is_handled)
			list->groups[list->group_count++] = i;
	qsort_r(list->groups, list->group_count, sizeof *list->groups, by_count, list);
	return NULL;
}

void exception_list_deinit(struct exception_list *list)
{
	vec_free(&list->rows);
	free(list->groups);
}

size_t exception_group_end(const struct exception_list *list, size_t group)
{
	size_t end = group + 1;
	while (end < list->rows.count && list->rows.data[end].is_handled &&
		compare_raised(&list->rows.data[group], &list->rows.data[end]) == 0)
		end++;
	return end;
}

/* What Python code handled of a group. */
static uint64_t count_handled(const struct exception_list *list, size_t group)
{
	uint64_t handled = 0;
	for (size_t i = group + 1; i < exception_group_end(list, group); i++)
		handled += list->rows.data[i].count;
	return handled;
}

/* ---- text ---- */

/* The file as the table of functions has it. */
static struct text file_of(const struct calls *calls, const struct call_names *names, uint32_t file)
{
	const struct profile *profile = calls->profile;
	for (size_t i = 0; i < calls->functions.count; i++)
		if (profile->codes.data[calls->functions.data[i].code].file == file)
			return names->items[i].file;
	return profile_strings_get(&profile->strings, file);
}

static void add_place(struct buffer *out, const struct calls *calls, const struct call_names *names,
	const struct exception_place *place)
{
	struct call_name name = { file_of(calls, names, place->file),
		profile_strings_get(&calls->profile->strings, place->name), place->line, false };
	call_name_add(out, &name);
	buffer_add_char(out, '\n');
}

static void add_group(struct buffer *out, const struct calls *calls, const struct call_names *names,
	const struct exception_list *list, size_t group)
{
	const struct exception_row *raised = &list->rows.data[group];
	uint64_t handled = count_handled(list, group);
	buffer_printf(out, "%9" PRIu64 " ", raised->count);
	print_add_text(out, profile_strings_get(&calls->profile->strings, raised->type));
	buffer_add_string(out, " raised at ");
	add_place(out, calls, names, &raised->raised);
	for (size_t i = group + 1; i < exception_group_end(list, group); i++) {
		buffer_printf(out, "%9" PRIu64 "   handled from ", list->rows.data[i].count);
		add_place(out, calls, names, &list->rows.data[i].handled);
	}
	if (handled < raised->count)
		buffer_printf(out, "%9" PRIu64 "   handled by no Python code\n", raised->count - handled);
}

struct error *calls_exceptions_write(const struct calls *calls, const struct call_names *names,
	const struct report_options *options, struct buffer *out)
{
	_cleanup_exception_list_ struct exception_list list = { 0 };
	if (!calls->profile->exceptions_counted)
		return NULL;
	TRY(exception_list_init(calls->profile, &list));
	size_t shown = options->rows && options->rows < list.group_count ? options->rows : list.group_count;
	if (!list.group_count)
		buffer_add_string(out, "   Exceptions: none was raised\n");
	else
		buffer_add_string(
			out, "   Exceptions: where they were raised, and from which line on they were handled\n\n");
	if (shown < list.group_count)
		buffer_printf(out, "   List reduced from %zu to %zu due to restriction <%zu>\n\n", list.group_count,
			shown, shown);
	for (size_t i = 0; i < shown; i++)
		add_group(out, calls, names, &list, list.groups[i]);
	buffer_add_string(out, "\n\n");
	return out->failed ? &error_no_memory : NULL;
}

/* ---- JSON ---- */

static void add_json_place(struct buffer *out, const struct calls *calls, const struct call_names *names,
	const struct exception_place *place)
{
	const struct profile_strings *strings = &calls->profile->strings;
	head_add_json_text(out, "name", profile_strings_get(strings, place->name));
	head_add_json_text(out, "file", file_of(calls, names, place->file));
	head_add_json_text(out, "path", profile_strings_get(strings, place->file));
	head_add_json_number(out, "line", place->line);
}

static void add_json_group(struct buffer *out, const struct calls *calls, const struct call_names *names,
	const struct exception_list *list, size_t group)
{
	const struct exception_row *raised = &list->rows.data[group];
	buffer_add_string(out, "{\"type\":");
	print_add_json(out, profile_strings_get(&calls->profile->strings, raised->type));
	head_add_json_number(out, "count", raised->count);
	add_json_place(out, calls, names, &raised->raised);
	buffer_add_string(out, ",\"handled\":[");
	for (size_t i = group + 1; i < exception_group_end(list, group); i++) {
		buffer_printf(out, "%s{\"count\":%" PRIu64, i > group + 1 ? "," : "", list->rows.data[i].count);
		add_json_place(out, calls, names, &list->rows.data[i].handled);
		buffer_add_char(out, '}');
	}
	buffer_add_string(out, "]}");
}

struct error *calls_exceptions_write_json(const struct calls *calls, const struct call_names *names, struct buffer *out)
{
	_cleanup_exception_list_ struct exception_list list = { 0 };
	buffer_add_string(out, ",\n\"exceptions\":");
	if (!calls->profile->exceptions_counted) {
		buffer_add_string(out, "null");
		return NULL;
	}
	TRY(exception_list_init(calls->profile, &list));
	for (size_t i = 0; i < list.group_count; i++) {
		buffer_add_string(out, i ? ",\n" : "[\n");
		add_json_group(out, calls, names, &list, list.groups[i]);
	}
	buffer_add_string(out, list.group_count ? "]" : "[]");
	return NULL;
}
