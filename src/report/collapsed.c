/* collapsed.c: one line a stack, `root;...;leaf weight`, the form that flamegraph.pl and its kin read.
 *
 * A semicolon within a name becomes a colon; what would break the line is escaped as in the text. Weights are whole
 * numbers: times are microseconds, rounded so that the lines add up to the whole. */
#include <inttypes.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "report/formats.h"
#include "report/label.h"
#include "report/print.h"

struct collapsed {
	struct labels *labels;
	const struct profile_tree *tree;
	struct buffer *out, path;
	VEC(size_t) ends; /* of the path at each depth */
	uint64_t unit;	  /* what a weight is divided by */
	uint64_t written, seen;
};

static struct error *enter(struct collapsed *c, const struct profile_node *node)
{
	if (!vec_push(&c->ends, c->path.size))
		return &error_no_memory;
	if (c->path.size)
		buffer_add_char(&c->path, ';');
	size_t start = c->path.size;
	struct label label = label_of_node(c->labels, node);
	label_add(&c->path, &label);
	for (size_t i = start; i < c->path.size; i++)
		if (c->path.data[i] == ';')
			c->path.data[i] = ':';
	if (c->path.size == start)
		buffer_add_string(&c->path, "<unnamed>");
	if (!node->self.weight)
		return NULL;
	c->seen += node->self.weight;
	uint64_t weight = c->seen / c->unit - c->written;
	c->written += weight;
	if (weight) {
		buffer_add(c->out, c->path.data, c->path.size);
		buffer_printf(c->out, " %" PRIu64 "\n", weight);
	}
	return NULL;
}

static struct error *walk(struct collapsed *c)
{
	const struct profile_node *nodes = c->tree->nodes.data;
	for (uint32_t at = nodes[0].first_child; at;) {
		TRY(enter(c, &nodes[at]));
		if (nodes[at].first_child) {
			at = nodes[at].first_child;
			continue;
		}
		c->path.size = c->ends.data[--c->ends.count];
		while (!nodes[at].next_sibling && nodes[at].parent) {
			at = nodes[at].parent;
			c->path.size = c->ends.data[--c->ends.count];
		}
		at = nodes[at].next_sibling;
	}
	return c->path.failed || c->out->failed ? &error_no_memory : NULL;
}

static struct error *write_collapsed(struct profile *profile, const struct report_options *options, struct buffer *out)
{
	_cleanup_profile_view_ struct profile_view view = { 0 };
	_cleanup_profile_tree_ struct profile_tree tree = { 0 };
	_cleanup_labels_ struct labels labels = { 0 };
	TRY(profile_view_init(profile, &options->view, &view));
	struct profile_tree_options shape = label_tree_options(&view, options, /* by_line */ true);
	TRY(profile_tree_init(&view, &shape, &tree));
	TRY(labels_init(profile, options, &labels));
	bool is_time = options->view.weight == PROFILE_WALL || options->view.weight == PROFILE_CPU;
	struct collapsed c = { .labels = &labels, .tree = &tree, .out = out, .unit = is_time ? NS_PER_US : 1 };
	struct error *error = walk(&c);
	vec_free(&c.ends);
	buffer_deinit(&c.path);
	return error;
}

const struct report_format report_format_collapsed = {
	.name = "collapsed",
	.summary = "one line a stack, for flamegraph.pl and its kin",
	.extensions = (const char *const[]){ ".collapsed", ".folded", NULL },
	.write = write_collapsed,
};
