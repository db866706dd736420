/* svg.c: a flame graph in one file that needs nothing else: a picture for what only shows pictures, and a page to point
 * at, enter and search in a browser (svg/flame.js, svg/flame.css).
 *
 * The root is at the top, calls go down; siblings are sorted by weight. What would be narrower than a two-thousandth of
 * the width, too deep or too much is left out, and the page says how much that is: its size is bounded whatever the
 * recording. */
#include "report/svg.h"

#include <inttypes.h>

#include "base/cleanup.h"
#include "report/formats.h"
#include "report/head.h"
#include "report/rss.h"
#include "report/svg_page.h"

enum { MOST_FRAMES = 20000, LONGEST_NAME = 1000 };

static const double COLUMN_WIDTH = 7.23;

static int heavier(const void *left, const void *right, void *data)
{
	const struct profile_node *nodes = data, *a = &nodes[*(const uint32_t *)left],
				  *b = &nodes[*(const uint32_t *)right];
	if (a->total.weight != b->total.weight)
		return a->total.weight < b->total.weight ? 1 : -1;
	return (a > b) - (a < b);
}

/* Gives a place to the nodes that are wide enough, and of these to the heaviest; a node's parent weighs at least as
 * much and comes before it, so it has one too. */
static struct error *choose(struct svg *s)
{
	size_t count = s->tree.nodes.count, wide = 0;
	_cleanup_free_ uint32_t *order = malloc(count * sizeof *order);
	s->place = malloc(count * sizeof *s->place);
	if (!order || !s->place)
		return &error_no_memory;
	double least = SVG_LEAST_SHARE * (double)s->view.all.weight;
	for (size_t i = 0; i < count; i++) {
		const struct profile_node *node = &s->tree.nodes.data[i];
		s->place[i] = PROFILE_NONE;
		if (!i || ((double)node->total.weight >= least && node->depth <= SVG_MOST_ROWS))
			order[wide++] = (uint32_t)i;
	}
	qsort_r(order, wide, sizeof *order, heavier, s->tree.nodes.data);
	for (size_t i = 0; i < wide && i < MOST_FRAMES; i++)
		s->place[order[i]] = 0;
	for (size_t i = 1; i < count; i++) {
		const struct profile_node *node = &s->tree.nodes.data[i];
		if (s->place[i] == PROFILE_NONE) {
			s->left_out++;
			s->left_out_weight += s->place[node->parent] == PROFILE_NONE ? 0 : node->total.weight;
		}
	}
	return NULL;
}

static uint32_t next_kept(const struct svg *s, uint32_t node)
{
	while (node && s->place[node] == PROFILE_NONE)
		node = s->tree.nodes.data[node].next_sibling;
	return node;
}

/* All that have a place, in the order of calls. */
static struct error *list(struct svg *s)
{
	const struct profile_node *nodes = s->tree.nodes.data;
	uint32_t at = 0;
	for (;;) {
		s->place[at] = (uint32_t)s->kept.count;
		s->rows = nodes[at].depth > s->rows ? nodes[at].depth : s->rows;
		if (!vec_push(&s->kept, at))
			return &error_no_memory;
		uint32_t next = next_kept(s, nodes[at].first_child);
		while (!next && at) {
			next = next_kept(s, nodes[at].next_sibling);
			at = nodes[at].parent;
		}
		if (!next)
			return NULL;
		at = next;
	}
}

/* Side by side from the caller's start on. */
static struct error *arrange(struct svg *s)
{
	_cleanup_free_ double *used = calloc(s->kept.count, sizeof *used);
	s->start = calloc(s->kept.count, sizeof *s->start);
	if (!s->start || !used)
		return &error_no_memory;
	for (size_t i = 1; i < s->kept.count; i++) {
		const struct profile_node *node = &s->tree.nodes.data[s->kept.data[i]];
		uint32_t parent = s->place[node->parent];
		s->start[i] = s->start[parent] + used[parent];
		used[parent] += (double)node->total.weight;
	}
	return NULL;
}

/* A class of flame.css: the colour says whose code it is, its shade tells neighbours apart. */
static void add_class(struct svg *s, const struct profile_node *node)
{
	static const struct {
		const char *name;
		unsigned shades;
	} classes[ORIGIN_END] = { { "o", 4 }, { "s", 2 }, { "l", 2 }, { "i", 0 }, { "y", 0 } };
	if (node->kind != NODE_FRAME || !node->depth) {
		buffer_add_char(s->out, 'r');
		return;
	}
	uint32_t function = s->view.profile->frames.data[node->what].function;
	uint8_t origin = s->view.profile->functions.data[function].origin;
	buffer_add_string(s->out, function == FUNCTION_GC ? "g" : classes[origin].name);
	if (classes[origin].shades)
		buffer_printf(s->out, "%u", (function * 2654435761u >> 16) % classes[origin].shades);
}

/* A name may be as long as a recording allows, and many frames may have it. */
static void clip(struct text *text)
{
	enum { LONGEST = 4 * LONGEST_NAME };
	if (text->size > LONGEST)
		text->size = LONGEST;
}

/* The node's label, printable, in s->label. */
static void make_label(struct svg *s, const struct profile_node *node)
{
	s->label.size = 0;
	if (!node->depth) {
		buffer_add_string(&s->label, "all");
		return;
	}
	struct label label = label_of_node(&s->labels, node);
	clip(&label.name);
	clip(&label.file);
	s->scratch.size = 0;
	label_add(&s->scratch, &label);
	print_add_fitted(&s->label, print_text(&s->scratch), LONGEST_NAME, PRINT_CUT_END, false);
}

static void add_frame(struct svg *s, size_t i)
{
	const struct profile_node *node = &s->tree.nodes.data[s->kept.data[i]];
	double scale = s->view.all.weight ? (SVG_WIDTH - 2 * SVG_PAD) / (double)s->view.all.weight : 1;
	double x = SVG_PAD + s->start[i] * scale,
	       width = node->depth ? (double)node->total.weight * scale : SVG_WIDTH - 2 * SVG_PAD;
	unsigned y = SVG_TOP + node->depth * SVG_ROW, columns = width > 6 ? (unsigned)((width - 6) / COLUMN_WIDTH) : 0;
	buffer_add_string(s->out, "<g><rect class=\"");
	add_class(s, node);
	buffer_printf(s->out, "\" x=\"%.1f\" y=\"%u\" width=\"%.1f\" height=\"%u\"/>", x, y,
		width > 3     ? width - 0.8
		: width > 0.5 ? width
			      : 0.5,
		SVG_ROW - 1);
	if (columns >= 3) {
		make_label(s, node);
		s->scratch.size = 0;
		print_add_fitted(&s->scratch, print_text(&s->label), columns, PRINT_CUT_END, false);
		buffer_printf(s->out, "<text x=\"%.1f\" y=\"%.1f\">", x + 4, y + 12.5);
		print_add_xml(s->out, print_text(&s->scratch));
		buffer_add_string(s->out, "</text>");
	}
	buffer_add_string(s->out, "</g>\n");
}

/* "name":[...]: one number of each frame. */
static void add_column(
	struct svg *s, const char *name, uint64_t (*value)(const struct svg *, const struct profile_node *))
{
	buffer_printf(s->out, ",\n\"%s\":[", name);
	for (size_t i = 0; i < s->kept.count; i++) {
		if (i)
			buffer_add_char(s->out, ',');
		print_add_integer(s->out, value(s, &s->tree.nodes.data[s->kept.data[i]]));
	}
	buffer_add_char(s->out, ']');
}

static uint64_t parent_of(const struct svg *s, const struct profile_node *node)
{
	return s->place[node->parent];
}
static uint64_t total_of(const struct svg *s, const struct profile_node *node)
{
	return node->total.weight;
}
static uint64_t self_of(const struct svg *s, const struct profile_node *node)
{
	return node->self.weight;
}
static uint64_t samples_of(const struct svg *s, const struct profile_node *node)
{
	return node->total.samples;
}

/* Each label once, and which of them a frame has. */
static struct error *add_names(struct svg *s)
{
	struct map known = { 0 };
	_cleanup_buffer_ struct buffer numbers = { 0 };
	struct error *error = NULL;
	buffer_add_string(s->out, "\"names\":[");
	for (size_t i = 0; i < s->kept.count && !error; i++) {
		const struct profile_node *node = &s->tree.nodes.data[s->kept.data[i]];
		uint64_t key = !node->depth ? UINT64_MAX : (uint64_t)(node->kind + 1) << 32 | node->what;
		uint64_t *found = map_get(&known, key), number = found ? *found : known.count;
		if (!found) {
			make_label(s, node);
			buffer_add_string(s->out, i ? ",\n" : "\n");
			print_add_json(s->out, print_text(&s->label));
			error = map_put(&known, key, number) ? NULL : &error_no_memory;
		}
		buffer_add_string(&numbers, i ? "," : "");
		print_add_integer(&numbers, number);
	}
	map_deinit(&known);
	buffer_add_string(s->out, "],\n\"name\":[");
	buffer_add(s->out, numbers.data, numbers.size);
	buffer_add_char(s->out, ']');
	return error;
}

static void add_whole(struct svg *s)
{
	static const char *const whats[PROFILE_WEIGHT_END] = { "sample", "the time", "the CPU time", "the bytes",
		"the count" };
	const struct profile_view_options *options = &s->view.options;
	bool filtered = options->idle || options->only_gil || options->only_cpu || options->weight >= PROFILE_BYTES;
	s->scratch.size = 0;
	if (options->weight == PROFILE_SAMPLES)
		print_add_number(&s->scratch, s->view.all.weight);
	buffer_printf(&s->scratch, "%s%s",
		options->weight != PROFILE_SAMPLES ? ""
		: filtered			   ? " "
						   : " busy ",
		whats[options->weight]);
	if (options->weight == PROFILE_SAMPLES && s->view.all.weight != 1)
		buffer_add_char(&s->scratch, 's');
	buffer_printf(s->out,
		",\n\"whole\":%" PRIu64 ",\"wholeSamples\":%" PRIu64 ",\"unit\":\"%s\",\"what\":", s->view.all.weight,
		s->view.all.samples, head_weight_unit(options->weight));
	print_add_json(s->out, print_text(&s->scratch));
}

static struct error *add_script(struct svg *s)
{
	buffer_add_string(s->out, "<script><![CDATA[\nconst data = {");
	TRY(add_names(s));
	add_column(s, "parent", parent_of);
	add_column(s, "total", total_of);
	add_column(s, "self", self_of);
	add_column(s, "samples", samples_of);
	add_whole(s);
	buffer_add_string(s->out, "};\n");
	buffer_add_string(s->out, svg_script);
	buffer_add_string(s->out, "]]></script>\n");
	return NULL;
}

static struct error *add_page(struct svg *s)
{
	unsigned height = SVG_TOP + (s->rows + 1) * SVG_ROW + SVG_BOTTOM;
	buffer_add_string(s->out, "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n");
	buffer_printf(s->out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%u\" viewBox=\"0 0 %d %u\">\n",
		SVG_WIDTH, height, SVG_WIDTH, height);
	buffer_add_string(s->out, "<style><![CDATA[\n");
	buffer_add_string(s->out, svg_style);
	buffer_add_string(s->out, "]]></style>\n");
	svg_add_head(s);
	buffer_add_string(s->out, "<g id=\"frames\">\n");
	for (size_t i = 0; i < s->kept.count; i++)
		add_frame(s, i);
	buffer_add_string(s->out, "</g>\n");
	TRY(add_script(s));
	buffer_add_string(s->out, "</svg>\n");
	return s->out->failed || s->scratch.failed || s->label.failed ? &error_no_memory : NULL;
}

static struct error *add_all(struct svg *s, struct profile *profile, const struct report_options *options)
{
	TRY(profile_view_init(profile, &options->view, &s->view));
	struct profile_tree_options shape = label_tree_options(&s->view, options, /* by_line */ false);
	TRY(profile_tree_init(&s->view, &shape, &s->tree));
	TRY(profile_time_table_init(profile, &s->times));
	TRY(labels_init(profile, options, &s->labels));
	TRY(choose(s));
	TRY(list(s));
	TRY(arrange(s));
	return add_page(s);
}

static struct error *write_svg(struct profile *profile, const struct report_options *options, struct buffer *out)
{
	if (profile->rss)
		return rss_svg_write(profile, options, out);
	struct svg s = { .out = out };
	struct error *error = add_all(&s, profile, options);
	vec_free(&s.kept);
	free(s.place);
	free(s.start);
	buffer_deinit(&s.scratch);
	buffer_deinit(&s.label);
	labels_deinit(&s.labels);
	profile_time_table_deinit(&s.times);
	profile_tree_deinit(&s.tree);
	profile_view_deinit(&s.view);
	return error;
}

const struct report_format report_format_svg = {
	.name = "svg",
	.summary = "a flame graph: a picture, and in a browser a page to search",
	.extensions = (const char *const[]){ ".svg", NULL },
	.write = write_svg,
};
