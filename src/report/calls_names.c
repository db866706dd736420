/* calls_names.c: what functions are called in tables of calls.
 *
 * A name starts as short as it can be. Where several functions share it they all get one folder more, as long as that
 * helps; then their qualified name; then a number. Each step sorts the functions by what they are called and looks at
 * those that are called the same. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/calls.h"
#include "report/print.h"

/* Makes members of a group, functions that are called the same, different; false: no memory. Sets *changed. */
typedef bool change_group(struct call_names *names, const uint32_t *group, size_t count, bool *changed);

static int compare_text(struct text a, struct text b)
{
	int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);
	return order ? order : (a.size > b.size) - (a.size < b.size);
}

int call_name_compare(const struct call_name *a, const struct call_name *b)
{
	int order = compare_text(a->file, b->file);
	if (!order)
		order = (a->line > b->line) - (a->line < b->line);
	return order ? order : compare_text(a->name, b->name);
}

static int by_name(const void *left, const void *right, void *data)
{
	const struct call_name *items = data;
	uint32_t i = *(const uint32_t *)left, j = *(const uint32_t *)right;
	int order = call_name_compare(&items[i], &items[j]);
	return order ? order : (i > j) - (i < j);
}

static struct error *change_groups(struct call_names *names, uint32_t *order, change_group *change, bool *ret_changed)
{
	size_t count = names->calls->functions.count;
	*ret_changed = false;
	for (size_t i = 0; i < count; i++)
		order[i] = (uint32_t)i;
	qsort_r(order, count, sizeof *order, by_name, names->items);
	for (size_t from = 0, until; from < count; from = until) {
		/* What they are called changes meanwhile: the end of the group is found first. */
		for (until = from + 1; until < count; until++)
			if (call_name_compare(&names->items[order[from]], &names->items[order[until]]))
				break;
		if (until - from > 1 && !change(names, &order[from], until - from, ret_changed))
			return &error_no_memory;
	}
	return NULL;
}

static const struct profile_code *code_of(const struct call_names *names, uint32_t function)
{
	const struct calls *calls = names->calls;
	return &calls->profile->codes.data[calls->functions.data[function].code];
}

static struct text string_of(const struct call_names *names, uint32_t number)
{
	return profile_strings_get(&names->calls->profile->strings, number);
}

static bool add_folder(struct call_names *names, const uint32_t *group, size_t count, bool *changed)
{
	bool differ = false;
	for (size_t i = 1; i < count; i++)
		differ |= code_of(names, group[i])->file != code_of(names, group[0])->file;
	for (size_t i = 0; differ && i < count; i++) {
		struct text whole = string_of(names, code_of(names, group[i])->file);
		struct text *file = &names->items[group[i]].file;
		size_t start = whole.size - file->size;
		if (!start)
			continue;
		for (start--; start && whole.data[start - 1] != '/';)
			start--;
		*file = (struct text){ whole.data + start, whole.size - start };
		*changed = true;
	}
	return true;
}

static bool qualify(struct call_names *names, const uint32_t *group, size_t count, bool *changed)
{
	for (size_t i = 0; i < count; i++) {
		struct text qualified = string_of(names, code_of(names, group[i])->qualname);
		if (qualified.size)
			names->items[group[i]].name = qualified;
	}
	return true;
}

static bool number(struct call_names *names, const uint32_t *group, size_t count, bool *changed)
{
	for (size_t i = 1; i < count; i++) {
		struct buffer text = { 0 };
		struct call_name *item = &names->items[group[i]];
		buffer_add(&text, item->name.data, item->name.size);
		buffer_printf(&text, "#%zu", i + 1);
		if (text.failed || !vec_push(&names->made, text.data)) {
			buffer_deinit(&text);
			return false;
		}
		item->name = (struct text){ text.data, text.size };
		*changed = true;
	}
	return true;
}

static struct text base_name(struct text file)
{
	const char *slash = memrchr(file.data, '/', file.size);
	size_t skip = slash ? (size_t)(slash - file.data) + 1 : 0;
	return (struct text){ file.data + skip, file.size - skip };
}

static void name_all(struct call_names *names, bool full_paths)
{
	for (uint32_t i = 0; i < names->calls->functions.count; i++) {
		const struct profile_code *code = code_of(names, i);
		struct text file = string_of(names, code->file);
		names->items[i] = (struct call_name){
			.file = full_paths ? file : base_name(file),
			.name = string_of(names, code->name ? code->name : code->qualname),
			.line = code->first_line,
			.builtin = code->flags & CODE_BUILTIN,
		};
	}
}

static struct error *tell_apart(struct call_names *names)
{
	enum { FOLDERS = 64, NUMBERS = 8 }; /* numbers again: somebody may have called a function f#2 */
	_cleanup_free_ uint32_t *order = malloc((names->calls->functions.count + 1) * sizeof *order);
	bool changed = true;
	if (!order)
		return &error_no_memory;
	for (int i = 0; i < FOLDERS && changed; i++)
		TRY(change_groups(names, order, add_folder, &changed));
	TRY(change_groups(names, order, qualify, &changed));
	changed = true;
	for (int i = 0; i < NUMBERS && changed; i++)
		TRY(change_groups(names, order, number, &changed));
	return NULL;
}

struct error *call_names_init(const struct calls *calls, bool full_paths, struct call_names *ret_names)
{
	_cleanup_call_names_ struct call_names names = { .calls = calls };
	names.items = calloc(calls->functions.count + 1, sizeof *names.items);
	if (!names.items)
		return &error_no_memory;
	name_all(&names, full_paths);
	TRY(tell_apart(&names));
	*ret_names = names;
	names = (struct call_names){ 0 };
	return NULL;
}

void call_names_deinit(struct call_names *names)
{
	for (size_t i = 0; i < names->made.count; i++)
		free(names->made.data[i]);
	vec_free(&names->made);
	free(names->items);
	names->items = NULL;
}

void call_name_add(struct buffer *out, const struct call_name *name)
{
	struct text text = name->name;
	if (!name->builtin) {
		print_add_text(out, name->file);
		buffer_printf(out, ":%u(", name->line);
		print_add_text(out, text);
		buffer_add_char(out, ')');
	} else if (text.size >= 2 && text.data[0] == '<' && text.data[text.size - 1] == '>') {
		buffer_add_char(out, '{');
		print_add_text(out, (struct text){ text.data + 1, text.size - 2 });
		buffer_add_char(out, '}');
	} else {
		print_add_text(out, text);
	}
}
