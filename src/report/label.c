/* label.c: see label.h. */
#include "report/label.h"

#include <string.h>

#include "base/cleanup.h"
#include "report/print.h"

struct search_path {
	VEC(struct text) entries; /* the longest first */
};

static int longest_first(const void *left, const void *right)
{
	const struct text *a = left, *b = right;
	if (a->size != b->size)
		return a->size < b->size ? 1 : -1;
	return memcmp(a->data, b->data, a->size);
}

/* Absolute folders only: relative ones are relative to what we do not know. */
static struct error *add_entries(struct search_path *path, struct text text)
{
	for (const char *at = text.data, *end = text.data + text.size; at < end;) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t size = (size_t)((newline ? newline : end) - at);
		at += size + 1;
		const char *start = at - size - 1;
		while (size > 1 && start[size - 1] == '/')
			size--;
		if (size > 1 && start[0] == '/' && !vec_push(&path->entries, (struct text){ start, size }))
			return &error_no_memory;
	}
	return NULL;
}

/* Children mostly have their parent's path: each is taken once. Equal texts of a profile are at one address. */
static struct error *collect_entries(const struct profile *profile, struct search_path *path)
{
	struct map known = { 0 };
	struct error *error = NULL;
	for (size_t i = 1; i < profile->processes.count && !error; i++) {
		struct text entries = profile->processes.data[i].search_path;
		if (!entries.size || map_get(&known, (uintptr_t)entries.data))
			continue;
		error = map_put(&known, (uintptr_t)entries.data, 1) ? add_entries(path, entries) : &error_no_memory;
	}
	map_deinit(&known);
	TRY(error);
	if (path->entries.count)
		qsort(path->entries.data, path->entries.count, sizeof *path->entries.data, longest_first);
	return NULL;
}

static struct text shorten(const struct search_path *path, struct text file)
{
	for (size_t i = 0; i < path->entries.count; i++) {
		struct text entry = path->entries.data[i];
		if (file.size > entry.size + 1 && file.data[entry.size] == '/' &&
			memcmp(file.data, entry.data, entry.size) == 0)
			return (struct text){ file.data + entry.size + 1, file.size - entry.size - 1 };
	}
	return file;
}

static struct error *shorten_all(struct labels *labels, const struct search_path *path)
{
	for (size_t i = 0; i < labels->profile->functions.count; i++)
		if (!vec_push(&labels->files, shorten(path, labels->profile->functions.data[i].file)))
			return &error_no_memory;
	return NULL;
}

struct error *labels_init(
	const struct profile *profile, const struct report_options *options, struct labels *ret_labels)
{
	struct search_path path = { 0 };
	_cleanup_labels_ struct labels labels = { .profile = profile, .options = options };
	struct error *error = options->full_paths ? NULL : collect_entries(profile, &path);
	if (!error)
		error = shorten_all(&labels, &path);
	vec_free(&path.entries);
	TRY(error);
	*ret_labels = labels;
	labels = (struct labels){ 0 };
	return NULL;
}

void labels_deinit(struct labels *labels)
{
	vec_free(&labels->files);
	buffer_deinit(&labels->scratch);
}

struct label label_of_function(struct labels *labels, uint32_t function)
{
	const struct profile_function *what = &labels->profile->functions.data[function];
	return (struct label){
		.name = what->name,
		.file = labels->files.data[function],
		.line = labels->options->by == REPORT_BY_FUNCTION ? 0 : what->first_line,
	};
}

struct label label_of_frame(struct labels *labels, uint32_t frame)
{
	const struct profile_frame *what = &labels->profile->frames.data[frame];
	struct label label = label_of_function(labels, what->function);
	if (what->line != PROFILE_WHOLE)
		label.line = what->line;
	return label;
}

void label_add_thread(struct buffer *out, const struct profile *profile, uint32_t thread)
{
	const struct profile_thread *what = &profile->threads.data[thread];
	if (what->name.size)
		print_add_text(out, what->name);
	else if (what->tid)
		buffer_printf(out, "thread %u", what->tid);
	else
		buffer_add_string(out, thread ? "thread without a name" : "no thread");
}

struct label label_of_node(struct labels *labels, const struct profile_node *node)
{
	if (node->kind == NODE_FRAME)
		return label_of_frame(labels, node->what);
	struct buffer *out = &labels->scratch;
	out->size = 0;
	if (node->kind == NODE_THREAD) {
		if (!node->what || labels->profile->threads.data[node->what].name.size)
			buffer_add_string(out, "thread ");
		label_add_thread(out, labels->profile, node->what);
	} else {
		const struct profile_process *process = &labels->profile->processes.data[node->what];
		buffer_printf(out, "process %u \"", process->pid);
		label_add_command(out, process->command);
		buffer_add_char(out, '"');
	}
	return (struct label){ .name = print_text(out) };
}

static void add_place(struct buffer *out, uint32_t line)
{
	if (line)
		buffer_printf(out, ":%u", line);
	buffer_add_char(out, ')');
}

void label_add(struct buffer *out, const struct label *label)
{
	print_add_text(out, label->name);
	if (!label->file.size)
		return;
	buffer_add_string(out, " (");
	print_add_text(out, label->file);
	add_place(out, label->line);
}

void label_add_fitted(struct buffer *out, const struct label *label, unsigned columns, bool ascii)
{
	enum { SHORTEST_FILE = 12 };
	struct buffer place = { 0 };
	add_place(&place, label->line);
	unsigned name = print_count_columns(label->name), file = print_count_columns(label->file);
	unsigned fixed = label->file.size ? (unsigned)place.size + 2 : 0,
		 least = file < SHORTEST_FILE ? file : SHORTEST_FILE;
	if (name + fixed + least > columns) {
		/* Not even a short path has room beside the name: both are cut, the name keeping at least half. */
		unsigned half = columns / 2, rest = columns > fixed + least ? columns - fixed - least : 0;
		unsigned room = rest > half || !fixed ? rest : columns > fixed + 3 ? half : columns;
		name = print_add_fitted(out, label->name, fixed ? room : columns, PRINT_CUT_END, ascii);
	} else {
		print_add_text(out, label->name);
	}
	if (fixed && columns > name + fixed + 2) {
		buffer_add_string(out, " (");
		print_add_fitted(out, label->file, columns - name - fixed, PRINT_CUT_FOLDERS, ascii);
		buffer_add(out, place.data, place.size);
	}
	buffer_deinit(&place);
}

static bool needs_quotes(struct text word)
{
	for (size_t i = 0; i < word.size; i++)
		if (strchr(" \t\n\"'\\$`&|;<>()*?[]#~!{}", word.data[i]) && word.data[i])
			return true;
	return !word.size;
}

static void add_quoted(struct buffer *out, struct text word)
{
	const char *at = word.data, *end = word.data + word.size;
	buffer_add_char(out, '\'');
	for (const char *quote; (quote = memchr(at, '\'', (size_t)(end - at))); at = quote + 1) {
		print_add_text(out, (struct text){ at, (size_t)(quote - at) });
		buffer_add_string(out, "'\\''");
	}
	print_add_text(out, (struct text){ at, (size_t)(end - at) });
	buffer_add_char(out, '\'');
}

void label_add_command(struct buffer *out, struct text command)
{
	const char *at = command.data, *end = command.data + command.size;
	for (bool first = true; at < end; first = false) {
		const char *nul = memchr(at, '\0', (size_t)(end - at));
		struct text word = { at, (size_t)((nul ? nul : end) - at) };
		buffer_add_string(out, first ? "" : " ");
		if (needs_quotes(word))
			add_quoted(out, word);
		else
			print_add_text(out, word);
		at += word.size + 1;
	}
}

static bool has_several_processes(const struct profile_view *view)
{
	const struct profile_row *rows = view->profile->rows.data;
	for (size_t i = 1; i < view->rows.count; i++)
		if (rows[view->rows.data[i]].process != rows[view->rows.data[0]].process)
			return true;
	return false;
}

struct profile_tree_options label_tree_options(
	const struct profile_view *view, const struct report_options *options, bool by_line)
{
	return (struct profile_tree_options){
		.by_line = options->by == REPORT_BY_LINE || (by_line && options->by != REPORT_BY_FUNCTION),
		.by_process = options->by == REPORT_BY_PROCESS || has_several_processes(view),
		.by_thread = options->threads,
	};
}
