/* flat.c: a tree by function and by line.
 *
 * One walk over the tree in the order of calls keeps, for each function and line, how often it stands on the path from
 * the root; what it weighs is added only where it stands there for the first time. The walk follows links, so its depth
 * costs no stack. */
#include "profile/flat.h"

#include "base/cleanup.h"

struct flat_builder {
	const struct profile_view *view;
	const struct profile_tree *tree;
	struct profile_flat *flat;
	uint32_t *row_of_function;	       /* PROFILE_NONE: no row yet */
	uint32_t *row_of_frame;		       /* the row of its line */
	uint32_t *function_depth, *line_depth; /* by function and by row of a line */
	struct map lines;		       /* (file, line) to row */
};

static bool is_word(const struct profile *profile, uint32_t function)
{
	return profile->functions.data[function].origin == ORIGIN_SYNTHETIC;
}

static struct error *find_function_row(struct flat_builder *b, uint32_t function, struct profile_function_row **ret_row)
{
	uint32_t *row = &b->row_of_function[function];
	if (*row == PROFILE_NONE) {
		*row = (uint32_t)b->flat->functions.count;
		struct profile_function_row new_row = {
			.function = function, .order = *row, .is_word = is_word(b->view->profile, function)
		};
		if (!vec_push(&b->flat->functions, new_row))
			return &error_no_memory;
	}
	*ret_row = &b->flat->functions.data[*row];
	return NULL;
}

/* Lines of one file are one line, whichever function stands there; without a line, functions stay apart. */
static uint64_t line_key(const struct profile *profile, const struct profile_frame *frame)
{
	const struct profile_function *function = &profile->functions.data[frame->function];
	if (!frame->line || frame->line == PROFILE_WHOLE || is_word(profile, frame->function))
		return (uint64_t)1 << 63 | frame->function;
	return ((uint64_t)function->file_number + 1) << 32 | frame->line;
}

/* Rows of lines are made before the walk, so that their number is known. */
static struct error *make_line_rows(struct flat_builder *b)
{
	const struct profile *profile = b->view->profile;
	for (uint32_t i = 1; i < b->tree->nodes.count; i++) {
		const struct profile_node *node = &b->tree->nodes.data[i];
		if (node->kind != NODE_FRAME || b->row_of_frame[node->what] != PROFILE_NONE)
			continue;
		const struct profile_frame *frame = &profile->frames.data[node->what];
		uint64_t key = line_key(profile, frame), *found = map_get(&b->lines, key);
		if (!found) {
			struct profile_line_row row = { .function = frame->function,
				.line = frame->line == PROFILE_WHOLE ? 0 : frame->line,
				.order = (uint32_t)b->flat->lines.count,
				.is_word = is_word(profile, frame->function) };
			if (!map_put(&b->lines, key, b->flat->lines.count) || !vec_push(&b->flat->lines, row))
				return &error_no_memory;
			found = map_get(&b->lines, key);
		}
		b->row_of_frame[node->what] = (uint32_t)*found;
	}
	return NULL;
}

static void add_measure(struct profile_measure *sum, const struct profile_measure *part)
{
	sum->weight += part->weight;
	sum->samples += part->samples;
}

/* Down into a node. */
static struct error *enter(struct flat_builder *b, const struct profile_node *node)
{
	if (node->kind != NODE_FRAME || !node->depth)
		return NULL;
	uint32_t function = b->view->profile->frames.data[node->what].function;
	struct profile_function_row *row;
	struct profile_line_row *line = &b->flat->lines.data[b->row_of_frame[node->what]];
	TRY(find_function_row(b, function, &row));
	add_measure(&row->self, &node->self);
	b->flat->words += row->is_word ? node->self.weight : 0;
	add_measure(&line->self, &node->self);
	if (node->self.weight > line->heaviest_) {
		line->heaviest_ = node->self.weight;
		line->function = function;
	}
	if (!b->function_depth[function]++)
		add_measure(&row->total, &node->total);
	if (!b->line_depth[b->row_of_frame[node->what]]++)
		add_measure(&line->total, &node->total);
	return NULL;
}

static void leave(struct flat_builder *b, const struct profile_node *node)
{
	if (node->kind != NODE_FRAME || !node->depth)
		return;
	b->function_depth[b->view->profile->frames.data[node->what].function]--;
	b->line_depth[b->row_of_frame[node->what]]--;
}

static struct error *walk(struct flat_builder *b)
{
	const struct profile_node *nodes = b->tree->nodes.data;
	uint32_t at = 0;
	for (;;) {
		TRY(enter(b, &nodes[at]));
		if (nodes[at].first_child) {
			at = nodes[at].first_child;
			continue;
		}
		while (at && !nodes[at].next_sibling) {
			leave(b, &nodes[at]);
			at = nodes[at].parent;
		}
		if (!at)
			return NULL;
		leave(b, &nodes[at]);
		at = nodes[at].next_sibling;
	}
}

/* What only rows know: the state in which the leaf was. */
static struct error *add_states(struct flat_builder *b)
{
	const struct profile *profile = b->view->profile;
	for (size_t i = 0; i < b->view->rows.count; i++) {
		const struct profile_row *row = &profile->rows.data[b->view->rows.data[i]];
		uint64_t weight = profile_row_weight(row, b->view->options.weight);
		const struct profile_node *leaf = &b->tree->nodes.data[b->tree->row_nodes[i]];
		struct profile_function_row *function;
		TRY(find_function_row(b, profile->frames.data[leaf->what].function, &function));
		function->holds_gil += row->state & STATE_HOLDS_GIL ? weight : 0;
		function->waits_gil += row->state & STATE_WAITS_GIL ? weight : 0;
		if (row->state & STATE_GC) {
			const struct profile_node *trigger = &b->tree->nodes.data[leaf->parent];
			struct profile_measure part = { weight, row->samples };
			add_measure(&b->flat->gc, &part);
			if (trigger->kind == NODE_FRAME && trigger->depth)
				add_measure(&b->flat->lines.data[b->row_of_frame[trigger->what]].gc, &part);
		} else if (row->state & STATE_IN_C) {
			function->in_c += weight;
			b->flat->in_c += weight;
		}
	}
	return NULL;
}

static int falling(uint64_t a, uint64_t b)
{
	return (a < b) - (a > b);
}

static int compare(const struct profile_measure *a, const struct profile_measure *b)
{
	int order = falling(a->weight, b->weight);
	return order ? order : falling(a->samples, b->samples);
}

static int rising(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int functions_by_self(const void *left, const void *right)
{
	const struct profile_function_row *a = left, *b = right;
	int order = rising(a->is_word, b->is_word);
	if (!order)
		order = compare(&a->self, &b->self);
	if (!order)
		order = compare(&a->total, &b->total);
	return order ? order : rising(a->order, b->order);
}

static int functions_by_total(const void *left, const void *right)
{
	const struct profile_function_row *a = left, *b = right;
	int order = rising(a->is_word, b->is_word);
	if (!order)
		order = compare(&a->total, &b->total);
	return order ? order : rising(a->order, b->order);
}

static int lines_by_self(const void *left, const void *right)
{
	const struct profile_line_row *a = left, *b = right;
	int order = rising(a->is_word, b->is_word);
	if (!order)
		order = compare(&a->self, &b->self);
	if (!order)
		order = compare(&a->total, &b->total);
	return order ? order : rising(a->order, b->order);
}

static int lines_by_total(const void *left, const void *right)
{
	const struct profile_line_row *a = left, *b = right;
	int order = rising(a->is_word, b->is_word);
	if (!order)
		order = compare(&a->total, &b->total);
	return order ? order : rising(a->order, b->order);
}

static void sort(struct profile_flat *flat, int (*functions)(const void *, const void *),
	int (*lines)(const void *, const void *))
{
	if (flat->functions.count)
		qsort(flat->functions.data, flat->functions.count, sizeof *flat->functions.data, functions);
	if (flat->lines.count)
		qsort(flat->lines.data, flat->lines.count, sizeof *flat->lines.data, lines);
}

void profile_flat_sort_by_total(struct profile_flat *flat)
{
	sort(flat, functions_by_total, lines_by_total);
}

void profile_flat_sort_by_self(struct profile_flat *flat)
{
	sort(flat, functions_by_self, lines_by_self);
}

static struct error *build(struct flat_builder *b)
{
	size_t functions = b->view->profile->functions.count, frames = b->view->profile->frames.count;
	_cleanup_free_ uint32_t *row_of_function = malloc((functions + 1) * sizeof *row_of_function);
	_cleanup_free_ uint32_t *row_of_frame = malloc((frames + 1) * sizeof *row_of_frame);
	_cleanup_free_ uint32_t *function_depth = calloc(functions + 1, sizeof *function_depth);
	_cleanup_free_ uint32_t *line_depth = calloc(frames + 1, sizeof *line_depth);
	if (!row_of_function || !row_of_frame || !function_depth || !line_depth)
		return &error_no_memory;
	for (size_t i = 0; i < functions; i++)
		row_of_function[i] = PROFILE_NONE;
	for (size_t i = 0; i < frames; i++)
		row_of_frame[i] = PROFILE_NONE;
	b->row_of_function = row_of_function;
	b->row_of_frame = row_of_frame;
	b->function_depth = function_depth;
	b->line_depth = line_depth;
	TRY(make_line_rows(b));
	TRY(walk(b));
	return add_states(b);
}

struct error *profile_flat_init(
	const struct profile_view *view, const struct profile_tree *tree, struct profile_flat *ret_flat)
{
	_cleanup_profile_flat_ struct profile_flat flat = { 0 };
	struct flat_builder b = { .view = view, .tree = tree, .flat = &flat };
	struct error *error = build(&b);
	map_deinit(&b.lines);
	TRY(error);
	profile_flat_sort_by_self(&flat);
	*ret_flat = flat;
	flat = (struct profile_flat){ 0 };
	return NULL;
}

void profile_flat_deinit(struct profile_flat *flat)
{
	vec_free(&flat->functions);
	vec_free(&flat->lines);
}
