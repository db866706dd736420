/* text_tree.c: who calls whom, folded so that it can be read.
 *
 * Frames of one library that call each other are one line, `+3` telling how many more deep it goes; so is recursion. Of
 * the rest the heaviest nodes are shown. Only where a function calls several that are shown does the tree branch and
 * indent: a chain of single calls goes straight down, so that deep stacks keep their names within 80 columns. */
#include <string.h>

#include "base/cleanup.h"
#include "report/page.h"

enum { TREE_ROWS = 40, NUMBERS_WIDTH = 18, LEAST_LABEL = 36 };

/* A node of less than this share is not shown, unless -n asks for more rows. */
static const double LEAST_SHARE = 0.005;

struct tree_drawing {
	struct page *page;
	const struct profile_tree *tree;
	bool *shown;	   /* by node */
	uint16_t *indents; /* by node: how many branches stand before it */
	VEC(bool) more;	   /* by branch: siblings follow below */
	size_t lines;
};

static int heavier(const void *left, const void *right, void *data)
{
	const struct profile_node *nodes = data, *a = &nodes[*(const uint32_t *)left],
				  *b = &nodes[*(const uint32_t *)right];
	if (a->total.weight != b->total.weight)
		return a->total.weight < b->total.weight ? 1 : -1;
	return (a > b) - (a < b);
}

/* The heaviest nodes. Parents weigh at least what their children do and have lower numbers, so they are among them. */
static struct error *choose(struct tree_drawing *d)
{
	size_t count = d->tree->nodes.count, rows = page_rows(d->page, TREE_ROWS);
	_cleanup_free_ uint32_t *order = malloc(count * sizeof *order);
	if (!order)
		return &error_no_memory;
	for (size_t i = 0; i < count; i++)
		order[i] = (uint32_t)i;
	qsort_r(order, count, sizeof *order, heavier, d->tree->nodes.data);
	double least = d->page->options->rows ? 0 : LEAST_SHARE * (double)d->page->view.all.weight;
	for (size_t i = 0; i < count && i <= rows; i++)
		d->shown[order[i]] = (double)d->tree->nodes.data[order[i]].total.weight >= least;
	d->shown[0] = true;
	return NULL;
}

static uint32_t next_shown(const struct tree_drawing *d, uint32_t node)
{
	while (node && !d->shown[node])
		node = d->tree->nodes.data[node].next_sibling;
	return node;
}

static uint32_t first_shown_child(const struct tree_drawing *d, uint32_t node)
{
	return next_shown(d, d->tree->nodes.data[node].first_child);
}

static uint32_t next_shown_sibling(const struct tree_drawing *d, uint32_t node)
{
	return next_shown(d, d->tree->nodes.data[node].next_sibling);
}

static void add_branches(struct tree_drawing *d, uint32_t node, bool branches)
{
	unsigned count = d->indents[node];
	if (!count)
		return;
	page_ink(d->page, INK_DIM);
	for (unsigned i = 0; i < count; i++) {
		bool more = d->more.data[i], own = branches && i + 1 == count;
		const char *glyph = own ? (more ? "\xe2\x94\x9c " : "\xe2\x94\x94 ") : more ? "\xe2\x94\x82 " : "  ";
		const char *ascii = own ? (more ? "|-" : "`-") : more ? "| " : "  ";
		page_write(d->page, "%s", page_glyph(d->page, glyph, ascii));
	}
	page_ink(d->page, INK_PLAIN);
}

static void add_fold_mark(struct page *page, const struct profile_node *node)
{
	if (!node->folded)
		return;
	page_ink(page, INK_DIM);
	page_write(page, " +%u", node->folded);
	page_ink(page, INK_PLAIN);
}

static void add_node(struct tree_drawing *d, uint32_t at, bool branches)
{
	const struct profile_node *node = &d->tree->nodes.data[at];
	struct label label = label_of_node(&d->page->labels, node);
	unsigned taken = NUMBERS_WIDTH + 2u * d->indents[at], room = page_room(d->page, taken);
	unsigned mark = !node->folded ? 0 : node->folded < 10 ? 3 : node->folded < 1000 ? 5 : 8;
	page_share(d->page, node->total.weight);
	page_share(d->page, node->self.weight);
	page_write(d->page, "  ");
	add_branches(d, at, branches);
	label_add_fitted(d->page->out, &label, room > mark ? room - mark : room, d->page->options->ascii);
	add_fold_mark(d->page, node);
	page_end_line(d->page);
	d->lines++;
}

/* Enters a node: how far in it stands, and whether a branch leads to it. False: there is no room so far in. */
static bool place(struct tree_drawing *d, uint32_t at, bool *ret_branches)
{
	uint32_t parent = d->tree->nodes.data[at].parent, first = first_shown_child(d, parent);
	bool branches = next_shown_sibling(d, first) != 0;
	unsigned indent = d->indents[parent] + branches;
	if (NUMBERS_WIDTH + 2 * indent + LEAST_LABEL > d->page->options->width && indent > 8)
		return false;
	d->indents[at] = (uint16_t)indent;
	if (branches) {
		while (d->more.count < indent)
			if (!vec_push(&d->more, false))
				return false;
		d->more.data[indent - 1] = next_shown_sibling(d, at) != 0;
	}
	*ret_branches = branches;
	return true;
}

static void draw(struct tree_drawing *d)
{
	const struct profile_node *nodes = d->tree->nodes.data;
	for (uint32_t at = first_shown_child(d, 0); at;) {
		bool branches, fits = place(d, at, &branches);
		if (fits)
			add_node(d, at, branches);
		uint32_t child = fits ? first_shown_child(d, at) : 0;
		if (child) {
			at = child;
			continue;
		}
		while (at && !next_shown_sibling(d, at))
			at = nodes[at].parent;
		at = at ? next_shown_sibling(d, at) : 0;
	}
}

static void add_rest(struct tree_drawing *d)
{
	size_t left_out = d->tree->nodes.count - 1 - d->lines;
	if (!left_out)
		return;
	page_ink(d->page, INK_DIM);
	page_write(d->page, "%*s", NUMBERS_WIDTH, "");
	print_add_number(d->page->out, left_out);
	page_write(d->page, " lighter node%s not shown (-n shows more)", left_out == 1 ? "" : "s");
	page_ink(d->page, INK_PLAIN);
	page_end_line(d->page);
}

static struct error *draw_tree(struct tree_drawing *d)
{
	size_t count = d->tree->nodes.count;
	_cleanup_free_ bool *shown = calloc(count, sizeof *shown);
	_cleanup_free_ uint16_t *indents = calloc(count, sizeof *indents);
	if (!shown || !indents)
		return &error_no_memory;
	d->shown = shown;
	d->indents = indents;
	TRY(choose(d));
	bool folded = false;
	for (size_t i = 0; i < count && !folded; i++)
		folded = shown[i] && d->tree->nodes.data[i].folded;
	page_title(d->page, "Calls", folded ? "+n: so many more frames of the same library, or of recursion" : NULL);
	page_ink(d->page, INK_DIM);
	page_write(d->page, "%8s%8s", "total", "own");
	page_ink(d->page, INK_PLAIN);
	page_end_line(d->page);
	draw(d);
	add_rest(d);
	return NULL;
}

struct error *page_add_tree(struct page *page)
{
	_cleanup_profile_tree_ struct profile_tree tree = { 0 }, folded = { 0 };
	if (!page->view.all.weight)
		return NULL;
	struct profile_tree_options shape = label_tree_options(&page->view, page->options, /* by_line */ false);
	TRY(profile_tree_init(&page->view, &shape, &tree));
	TRY(profile_tree_fold(page->profile, &tree, &folded));
	struct tree_drawing drawing = { .page = page, .tree = &folded };
	struct error *error = draw_tree(&drawing);
	vec_free(&drawing.more);
	return error;
}
