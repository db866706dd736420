/* tree.c: rows to a tree of calls.
 *
 * The recording's stacks are a tree already, but a finer one: it tells instructions apart, and sometimes the same
 * function read twice. So each stack is given the node that it becomes (`node_of`, remembered for all rows below the
 * same roots), and a hash table finds the child of a node with a given frame. Weights are put where they were seen and
 * then handed up, last node first, which needs no recursion at any depth. */
#include "profile/tree.h"

#include "base/cleanup.h"

struct tree_builder {
	const struct profile_view *view;
	struct profile_tree *tree;
	struct profile_tree_options options;
	struct map children; /* (parent, kind and what) to node */
	uint32_t *node_of;   /* by stack; valid where epoch_of says so */
	uint32_t *epoch_of;
	uint32_t epoch;
	uint32_t root; /* below which the rows of this epoch stand */
	VEC(uint32_t) path;
};

/* Keys of maps are never 0: kinds are stored one higher. */
static uint64_t child_key(uint32_t parent, enum profile_node_kind kind, uint32_t what)
{
	return (uint64_t)parent << 32 | (uint64_t)(kind + 1) << 30 | (what & 0x3fffffff);
}

static struct error *find_child(struct profile_tree *tree, struct map *children, uint32_t parent,
	enum profile_node_kind kind, uint32_t what, uint32_t *ret_node)
{
	uint64_t key = child_key(parent, kind, what);
	uint64_t *found = map_get(children, key);
	if (found) {
		*ret_node = (uint32_t)*found;
		return NULL;
	}
	uint32_t node = (uint32_t)tree->nodes.count;
	struct profile_node made = {
		.parent = parent, .what = what, .kind = kind, .depth = tree->nodes.data[parent].depth + 1
	};
	if (!map_put(children, key, node) || !vec_push(&tree->nodes, made))
		return &error_no_memory;
	*ret_node = node;
	return NULL;
}

/* The frame that stands in the tree for this stack's leaf. */
static struct error *frame_of(struct tree_builder *b, uint32_t stack, uint32_t *ret_frame)
{
	struct profile *profile = b->view->profile;
	uint32_t frame = profile->stacks.data[stack].frame;
	if (b->options.by_line) {
		*ret_frame = frame;
		return NULL;
	}
	return profile_intern_frame(profile, profile->frames.data[frame].function, PROFILE_WHOLE, ret_frame);
}

/* Up to a stack whose node is known, then down again. */
static struct error *find_node(struct tree_builder *b, uint32_t stack, uint32_t *ret_node)
{
	const struct profile_stack *stacks = b->view->profile->stacks.data;
	b->path.count = 0;
	uint32_t at = stack;
	do {
		if (b->epoch_of[at] == b->epoch)
			break;
		if (!vec_push(&b->path, at))
			return &error_no_memory;
		at = stacks[at].parent;
	} while (at);
	uint32_t node = b->epoch_of[at] == b->epoch ? b->node_of[at] : b->root;
	while (b->path.count) {
		uint32_t frame;
		at = b->path.data[--b->path.count];
		TRY(frame_of(b, at, &frame));
		TRY(find_child(b->tree, &b->children, node, NODE_FRAME, frame, &node));
		b->node_of[at] = node;
		b->epoch_of[at] = b->epoch;
	}
	*ret_node = node;
	return NULL;
}

/* The node under which this row stands. A change of it starts a new epoch of `node_of`. */
static struct error *enter_root(struct tree_builder *b, const struct profile_row *row)
{
	uint32_t root = 0;
	if (b->options.by_process)
		TRY(find_child(b->tree, &b->children, root, NODE_PROCESS, row->process, &root));
	if (b->options.by_thread)
		TRY(find_child(b->tree, &b->children, root, NODE_THREAD, row->thread, &root));
	if (!b->epoch || root != b->root) {
		b->root = root;
		b->epoch++;
	}
	return NULL;
}

static struct error *add_row(struct tree_builder *b, const struct profile_row *row, uint32_t *ret_node)
{
	uint32_t node;
	TRY(enter_root(b, row));
	/* Stack 0 has no node of its own in the trie's sense: it is the parent of roots. */
	if (row->stack)
		TRY(find_node(b, row->stack, &node));
	else
		TRY(find_child(
			b->tree, &b->children, b->root, NODE_FRAME, b->view->profile->stacks.data[0].frame, &node));
	if (row->state & STATE_GC) {
		uint32_t frame;
		TRY(profile_intern_frame(b->view->profile, FUNCTION_GC, PROFILE_WHOLE, &frame));
		TRY(find_child(b->tree, &b->children, node, NODE_FRAME, frame, &node));
	}
	struct profile_measure *self = &b->tree->nodes.data[node].self;
	self->weight += profile_row_weight(row, b->view->options.weight);
	self->samples += row->samples;
	*ret_node = node;
	return NULL;
}

static int by_roots(const void *left, const void *right, void *data)
{
	const struct profile_row *rows = ((struct tree_builder *)data)->view->profile->rows.data;
	const uint32_t *numbers = ((struct tree_builder *)data)->view->rows.data;
	uint32_t i = *(const uint32_t *)left, j = *(const uint32_t *)right;
	const struct profile_row *a = &rows[numbers[i]], *b = &rows[numbers[j]];
	if (a->process != b->process)
		return a->process < b->process ? -1 : 1;
	if (a->thread != b->thread)
		return a->thread < b->thread ? -1 : 1;
	return (i > j) - (i < j);
}

static struct error *add_rows(struct tree_builder *b)
{
	size_t count = b->view->rows.count;
	_cleanup_free_ uint32_t *order = malloc((count + 1) * sizeof *order);
	if (!order)
		return &error_no_memory;
	for (size_t i = 0; i < count; i++)
		order[i] = (uint32_t)i;
	if (b->options.by_process || b->options.by_thread)
		qsort_r(order, count, sizeof *order, by_roots, b);
	for (size_t i = 0; i < count; i++)
		TRY(add_row(
			b, &b->view->profile->rows.data[b->view->rows.data[order[i]]], &b->tree->row_nodes[order[i]]));
	return NULL;
}

static void hand_up(struct profile_tree *tree)
{
	for (size_t i = tree->nodes.count; i-- > 0;) {
		struct profile_node *node = &tree->nodes.data[i];
		node->total.weight += node->self.weight;
		node->total.samples += node->self.samples;
		if (!i)
			break;
		tree->nodes.data[node->parent].total.weight += node->total.weight;
		tree->nodes.data[node->parent].total.samples += node->total.samples;
	}
}

/* The heavier sibling first; what is equal, by first appearance. */
static int by_weight(const void *left, const void *right, void *data)
{
	const struct profile_node *nodes = data, *a = &nodes[*(const uint32_t *)left],
				  *b = &nodes[*(const uint32_t *)right];
	if (a->total.weight != b->total.weight)
		return a->total.weight > b->total.weight ? -1 : 1;
	if (a->total.samples != b->total.samples)
		return a->total.samples > b->total.samples ? -1 : 1;
	return (a > b) - (a < b);
}

/* All nodes by parent (a counting sort), then each parent's children by weight. */
static struct error *link_children(struct profile_tree *tree)
{
	uint32_t count = (uint32_t)tree->nodes.count;
	struct profile_node *nodes = tree->nodes.data;
	_cleanup_free_ uint32_t *start = calloc((size_t)count + 2, sizeof *start);
	_cleanup_free_ uint32_t *order = malloc((size_t)count * sizeof *order);
	if (!start || !order)
		return &error_no_memory;
	for (uint32_t i = 1; i < count; i++)
		start[nodes[i].parent + 2]++;
	for (uint32_t i = 2; i < count + 2; i++)
		start[i] += start[i - 1];
	for (uint32_t i = 1; i < count; i++)
		order[start[nodes[i].parent + 1]++] = i;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t from = start[i], until = start[i + 1];
		if (until - from > 1)
			qsort_r(&order[from], until - from, sizeof *order, by_weight, nodes);
		for (uint32_t j = from; j < until; j++)
			nodes[order[j]].next_sibling = j + 1 < until ? order[j + 1] : 0;
		nodes[i].first_child = from < until ? order[from] : 0;
	}
	return NULL;
}

static struct error *build(struct tree_builder *b)
{
	size_t stacks = b->view->profile->stacks.count;
	_cleanup_free_ uint32_t *node_of = malloc(stacks * sizeof *node_of);
	_cleanup_free_ uint32_t *epoch_of = calloc(stacks, sizeof *epoch_of);
	b->tree->row_nodes = malloc((b->view->rows.count + 1) * sizeof *b->tree->row_nodes);
	if (!node_of || !epoch_of || !b->tree->row_nodes || !vec_push(&b->tree->nodes, (struct profile_node){ 0 }))
		return &error_no_memory;
	b->node_of = node_of;
	b->epoch_of = epoch_of;
	TRY(add_rows(b));
	hand_up(b->tree);
	return link_children(b->tree);
}

struct error *profile_tree_init(
	const struct profile_view *view, const struct profile_tree_options *options, struct profile_tree *ret_tree)
{
	_cleanup_profile_tree_ struct profile_tree tree = { 0 };
	struct tree_builder b = { .view = view, .tree = &tree, .options = *options };
	struct error *error = build(&b);
	map_deinit(&b.children);
	vec_free(&b.path);
	TRY(error);
	*ret_tree = tree;
	tree = (struct profile_tree){ 0 };
	return NULL;
}

static bool is_library(const struct profile_function *function)
{
	return function->origin == ORIGIN_SITE || function->origin == ORIGIN_STDLIB ||
	       function->origin == ORIGIN_IMPORT;
}

/* Whether a node disappears in its (folded) parent. */
static bool folds_into(
	const struct profile *profile, const struct profile_node *node, const struct profile_node *parent)
{
	if (node->kind != NODE_FRAME || parent->kind != NODE_FRAME || !parent->depth)
		return false;
	if (node->what == parent->what)
		return true;
	const struct profile_function *callee = &profile->functions.data[profile->frames.data[node->what].function];
	const struct profile_function *caller = &profile->functions.data[profile->frames.data[parent->what].function];
	return is_library(callee) && is_library(caller) && callee->package == caller->package;
}

/* `into[i]`: the node of the folded tree that node i became; `below[i]`: how many frames it stands below that one. */
static struct error *fold_nodes(const struct profile *profile, const struct profile_tree *tree,
	struct profile_tree *folded, struct map *children, uint32_t *into, uint32_t *below)
{
	into[0] = below[0] = 0;
	for (uint32_t i = 1; i < tree->nodes.count; i++) {
		const struct profile_node *node = &tree->nodes.data[i];
		uint32_t parent = into[node->parent];
		below[i] = 0;
		if (folds_into(profile, node, &folded->nodes.data[parent])) {
			into[i] = parent;
			below[i] = below[node->parent] + 1;
		} else {
			TRY(find_child(folded, children, parent, node->kind, node->what, &into[i]));
		}
		struct profile_node *target = &folded->nodes.data[into[i]];
		target->self.weight += node->self.weight;
		target->self.samples += node->self.samples;
		if (below[i] > target->folded)
			target->folded = below[i];
	}
	folded->nodes.data[0].self = tree->nodes.data[0].self;
	return NULL;
}

struct error *profile_tree_fold(
	const struct profile *profile, const struct profile_tree *tree, struct profile_tree *ret_tree)
{
	_cleanup_profile_tree_ struct profile_tree folded = { 0 };
	_cleanup_free_ uint32_t *into = malloc(tree->nodes.count * sizeof *into),
				*below = malloc(tree->nodes.count * sizeof *below);
	if (!into || !below || !vec_push(&folded.nodes, (struct profile_node){ 0 }))
		return &error_no_memory;
	struct map children = { 0 };
	struct error *error = fold_nodes(profile, tree, &folded, &children, into, below);
	map_deinit(&children);
	TRY(error);
	hand_up(&folded);
	TRY(link_children(&folded));
	*ret_tree = folded;
	folded = (struct profile_tree){ 0 };
	return NULL;
}

void profile_tree_deinit(struct profile_tree *tree)
{
	vec_free(&tree->nodes);
	free(tree->row_nodes);
	tree->row_nodes = NULL;
}
