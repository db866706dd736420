/* speedscope.c: the JSON of speedscope.app: one sampled profile a thread, frames shared.
 *
 * Samples are aggregated and stand in the order of the tree, so that the "time order" view shows it sorted by weight;
 * the unit is nanoseconds, or what --weight bytes and count weigh by. speedscope 1.25 recurses over stacks and fails
 * somewhere above 3,000 frames: of a deeper stack the middle is left out, and a frame in its place says so. */
#include <inttypes.h>

#include "base/cleanup.h"
#include "report/formats.h"
#include "report/head.h"
#include "report/label.h"
#include "report/print.h"

enum { DEEPEST = 2500 };

struct speedscope {
	struct labels *labels;
	const struct profile_tree *tree;
	struct buffer *out, weights;
	uint32_t *index; /* by frame: its number in the file; PROFILE_NONE: not in it */
	uint32_t gap;	 /* the number of the frame that stands for what is left out */
	VEC(uint32_t) path;
};

static void add_frame(struct speedscope *s, uint32_t frame, bool first)
{
	struct label label = label_of_frame(s->labels, frame);
	buffer_add_string(s->out, first ? "\n{\"name\":" : ",\n{\"name\":");
	print_add_json(s->out, label.name);
	if (label.file.size) {
		buffer_add_string(s->out, ",\"file\":");
		print_add_json(s->out, label.file);
	}
	if (label.line)
		buffer_printf(s->out, ",\"line\":%u", label.line);
	buffer_add_char(s->out, '}');
}

static struct error *add_frames(struct speedscope *s)
{
	uint32_t count = 0;
	size_t frames = s->labels->profile->frames.count;
	s->index = malloc((frames + 1) * sizeof *s->index);
	if (!s->index)
		return &error_no_memory;
	for (size_t i = 0; i < frames; i++)
		s->index[i] = PROFILE_NONE;
	buffer_add_string(s->out, ",\n\"shared\":{\"frames\":[");
	for (size_t i = 1; i < s->tree->nodes.count; i++) {
		const struct profile_node *node = &s->tree->nodes.data[i];
		if (node->kind != NODE_FRAME || s->index[node->what] != PROFILE_NONE)
			continue;
		add_frame(s, node->what, count == 0);
		s->index[node->what] = count++;
	}
	s->gap = count;
	for (size_t i = 0; i < s->tree->nodes.count; i++)
		if (s->tree->nodes.data[i].depth > DEEPEST) {
			buffer_add_string(s->out, ",\n{\"name\":\"<frames left out>\"}");
			break;
		}
	buffer_add_string(s->out, "\n]}");
	return NULL;
}

static void add_path(struct speedscope *s, size_t from, size_t until)
{
	for (size_t i = from; i < until; i++) {
		if (i)
			buffer_add_char(s->out, ',');
		print_add_integer(s->out, s->path.data[i]);
	}
}

static void add_sample(struct speedscope *s, const struct profile_node *node)
{
	bool first = s->weights.size == 0;
	buffer_add_string(s->out, first ? "\n[" : ",\n[");
	if (s->path.count <= DEEPEST) {
		add_path(s, 0, s->path.count);
	} else {
		add_path(s, 0, DEEPEST / 2);
		buffer_add_char(s->out, ',');
		print_add_integer(s->out, s->gap);
		add_path(s, s->path.count - DEEPEST / 2, s->path.count);
	}
	buffer_add_char(s->out, ']');
	if (!first)
		buffer_add_char(&s->weights, ',');
	print_add_integer(&s->weights, node->self.weight);
}

/* The samples of the thread whose root this is. */
static struct error *add_samples(struct speedscope *s, uint32_t root)
{
	const struct profile_node *nodes = s->tree->nodes.data;
	s->path.count = 0;
	s->weights.size = 0;
	for (uint32_t at = nodes[root].first_child; at && at != root;) {
		if (!vec_push(&s->path, s->index[nodes[at].what]))
			return &error_no_memory;
		if (nodes[at].self.weight)
			add_sample(s, &nodes[at]);
		if (nodes[at].first_child) {
			at = nodes[at].first_child;
			continue;
		}
		s->path.count--;
		while (!nodes[at].next_sibling && nodes[at].parent != root) {
			at = nodes[at].parent;
			s->path.count--;
		}
		at = nodes[at].next_sibling;
	}
	return NULL;
}

static const char *unit_of(enum profile_weight weight)
{
	return weight == PROFILE_BYTES ? "bytes" : weight == PROFILE_COUNT ? "none" : "nanoseconds";
}

static struct error *add_thread(struct speedscope *s, uint32_t root, enum profile_weight weight, bool first)
{
	const struct profile *profile = s->labels->profile;
	const struct profile_node *node = &s->tree->nodes.data[root];
	const struct profile_thread *thread = &profile->threads.data[node->what];
	_cleanup_buffer_ struct buffer name = { 0 };
	label_add_thread(&name, profile, node->what);
	buffer_printf(&name, " (pid %u, tid %u)", profile->processes.data[s->tree->nodes.data[node->parent].what].pid,
		thread->tid);
	buffer_add_string(s->out, first ? "\n{\"type\":\"sampled\",\"name\":" : ",\n{\"type\":\"sampled\",\"name\":");
	print_add_json(s->out, print_text(&name));
	buffer_printf(s->out, ",\"unit\":\"%s\",\"startValue\":0,\"endValue\":%" PRIu64 ",\"samples\":[",
		unit_of(weight), node->total.weight);
	TRY(add_samples(s, root));
	buffer_add_string(s->out, "\n],\"weights\":[");
	buffer_add(s->out, s->weights.data, s->weights.size);
	buffer_add_string(s->out, "]}");
	return name.failed ? &error_no_memory : NULL;
}

static struct error *add_threads(struct speedscope *s, enum profile_weight weight)
{
	const struct profile_node *nodes = s->tree->nodes.data;
	bool first = true;
	buffer_add_string(s->out, ",\n\"profiles\":[");
	for (uint32_t process = nodes[0].first_child; process; process = nodes[process].next_sibling)
		for (uint32_t thread = nodes[process].first_child; thread; thread = nodes[thread].next_sibling) {
			TRY(add_thread(s, thread, weight, first));
			first = false;
		}
	/* speedscope refuses a file without a profile. */
	if (first)
		buffer_printf(s->out,
			"{\"type\":\"sampled\",\"name\":\"no samples\",\"unit\":\"%s\",\"startValue\":0,\"endValue\":0,"
			"\"samples\":[],\"weights\":[]}",
			unit_of(weight));
	buffer_add_string(s->out, "]");
	return NULL;
}

static struct error *add_all(struct speedscope *s, const struct profile_view *view)
{
	const struct profile *profile = view->profile;
	_cleanup_profile_time_table_ struct profile_time_table times = { 0 };
	_cleanup_buffer_ struct buffer name = { 0 };
	TRY(profile_time_table_init(profile, &times));
	if (profile->processes.count > 1)
		label_add_command(&name, profile->processes.data[1].command);
	buffer_add_string(
		s->out, "{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\n\"exporter\":");
	print_add_json(s->out, profile->info.tool);
	buffer_add_string(s->out, ",\"activeProfileIndex\":0,\"name\":");
	print_add_json(s->out, print_text(&name));
	buffer_add_string(s->out, ",\n\"pyrometer\":{");
	head_add_json(s->out, profile, &times.all);
	buffer_add_string(s->out, ",\"view\":{");
	head_add_json_view(s->out, view);
	buffer_add_string(s->out, "}}");
	TRY(add_frames(s));
	TRY(add_threads(s, view->options.weight));
	buffer_add_string(s->out, "}\n");
	return s->out->failed || s->weights.failed || name.failed ? &error_no_memory : NULL;
}

static struct error *write_speedscope(struct profile *profile, const struct report_options *options, struct buffer *out)
{
	_cleanup_profile_view_ struct profile_view view = { 0 };
	_cleanup_profile_tree_ struct profile_tree tree = { 0 };
	_cleanup_labels_ struct labels labels = { 0 };
	struct profile_view_options asked = options->view;
	if (asked.weight == PROFILE_SAMPLES)
		asked.weight = PROFILE_WALL;
	TRY(profile_view_init(profile, &asked, &view));
	struct profile_tree_options shape = {
		.by_line = options->by == REPORT_BY_LINE, .by_process = true, .by_thread = true
	};
	TRY(profile_tree_init(&view, &shape, &tree));
	TRY(labels_init(profile, options, &labels));
	struct speedscope s = { .labels = &labels, .tree = &tree, .out = out };
	struct error *error = add_all(&s, &view);
	vec_free(&s.path);
	buffer_deinit(&s.weights);
	free(s.index);
	return error;
}

const struct report_format report_format_speedscope = {
	.name = "speedscope",
	.summary = "JSON for speedscope.app, a profile a thread",
	.extensions = (const char *const[]){ ".speedscope.json", NULL },
	.write = write_speedscope,
};
