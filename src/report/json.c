/* json.c: everything that a report can show, for programs. docs/json.md is its description; a change that breaks a
 * reader raises the number in SCHEMA. Large tables are columns of numbers, which are a tenth of the size of objects. */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "profile/flat.h"
#include "report/calls.h"
#include "report/formats.h"
#include "report/head.h"
#include "report/idle.h"
#include "report/label.h"
#include "report/line_table.h"
#include "report/memory_table.h"
#include "report/print.h"
#include "report/rss.h"

#define SCHEMA "pyrometer.report/1"

struct json {
	struct profile_view view;
	struct profile_tree tree;
	struct profile_flat flat;
	struct profile_time_table times;
	struct labels labels;
	uint32_t *function_index; /* by function: its place in "functions" */
	uint32_t *idle_order;
	struct buffer *out;
};

static void add_number(struct json *j, const char *name, uint64_t number)
{
	head_add_json_number(j->out, name, number);
}

static void add_text(struct json *j, const char *name, struct text text)
{
	head_add_json_text(j->out, name, text);
}

/* A name that is not in a table of words of its own. */
static void add_word(struct json *j, const char *name, const char *word)
{
	add_text(j, name, (struct text){ word, strlen(word) });
}

static void add_measure(struct json *j, const char *name, const struct profile_measure *measure)
{
	struct profile_share share = profile_share_of(measure->weight, j->view.all.weight, j->view.all.samples);
	buffer_printf(j->out,
		",\"%s\":{\"weight\":%" PRIu64 ",\"samples\":%" PRIu64 ",\"share\":%.6g,\"low\":%.6g,\"high\":%.6g}",
		name, measure->weight, measure->samples, share.share, share.low, share.high);
}

static void add_times(struct json *j, const struct profile_times *times)
{
	head_add_json_samples(j->out, times);
	add_number(j, "wall_ns", times->wall);
	add_number(j, "cpu_ns", times->cpu);
	add_number(j, "core_wait_ns", times->core_wait);
	head_add_json_bool(j->out, "cpu_exact", times->cpu_exact);
	add_number(j, "on_cpu_ns", times->on_cpu);
	add_number(j, "runnable_ns", times->runnable);
	add_number(j, "gil_wait_ns", times->gil_wait);
	add_number(j, "disk_wait_ns", times->disk_wait);
	add_number(j, "idle_ns", times->idle);
	add_number(j, "gil_held_ns", times->gil_held);
	add_number(j, "gc_ns", times->gc);
	add_number(j, "in_c_call_ns", times->in_c);
}

/* "name": [item, ...], each item made by `add` and on a line of its own. */
static void add_list(struct json *j, const char *name, size_t count, void (*add)(struct json *, size_t))
{
	buffer_printf(j->out, ",\n\"%s\":[", name);
	for (size_t i = 0; i < count; i++) {
		buffer_add_string(j->out, i ? ",\n{" : "\n{");
		add(j, i);
		buffer_add_char(j->out, '}');
	}
	buffer_add_string(j->out, "]");
}

static void add_collections(struct json *j, const struct profile_process *process)
{
	bool any = false;
	for (size_t i = 0; i < PROFILE_GC_GENERATIONS; i++)
		any |= process->gc[i].seen;
	if (!any)
		return;
	buffer_printf(j->out, ",\"collections\":[%" PRIu64 ",%" PRIu64 ",%" PRIu64 "]",
		profile_counter_change(&process->gc[0]), profile_counter_change(&process->gc[1]),
		profile_counter_change(&process->gc[2]));
}

static void add_process(struct json *j, size_t i)
{
	const struct profile_process *process = &j->view.profile->processes.data[i + 1];
	_cleanup_buffer_ struct buffer version = { 0 };
	head_add_python_version(&version, process->python_version);
	buffer_printf(j->out, "\"id\":%zu", i + 1);
	add_number(j, "pid", process->pid);
	add_number(j, "parent", process->parent);
	add_text(j, "python", print_text(&version));
	buffer_add_string(j->out, ",\"command\":");
	head_add_json_words(j->out, process->command);
	add_text(j, "executable", process->executable);
	add_times(j, &j->times.processes[i + 1]);
	if (process->gil_switches.seen)
		add_number(j, "gil_switches", profile_counter_change(&process->gil_switches));
	add_collections(j, process);
}

static void add_thread(struct json *j, size_t i)
{
	const struct profile_thread *thread = &j->view.profile->threads.data[i + 1];
	buffer_printf(j->out, "\"id\":%zu", i + 1);
	add_number(j, "process", thread->process);
	add_number(j, "tid", thread->tid);
	add_text(j, "name", thread->name);
	add_times(j, &j->times.threads[i + 1]);
}

static void add_wait(struct json *j, size_t i)
{
	const struct profile_wait *wait = &j->view.profile->waits.data[i];
	buffer_printf(j->out, "\"thread\":%u,\"holder\":%u", wait->thread, wait->holder);
	add_number(j, "samples", wait->samples);
	add_number(j, "wall_ns", wait->wall);
}

static void add_idle(struct json *j, size_t i)
{
	const struct profile_idle *idle = &j->view.profile->idle.data[j->idle_order[i]];
	struct idle_call call = idle_find_call(j->view.profile, idle->system_call);
	if (idle->system_call >= 0)
		buffer_printf(j->out, "\"system_call\":%d", idle->system_call);
	else
		buffer_add_string(j->out, "\"system_call\":null");
	if (call.name)
		add_word(j, "name", call.name);
	if (call.meaning)
		add_word(j, "meaning", call.meaning);
	add_number(j, "samples", idle->samples);
	add_number(j, "wall_ns", idle->wall);
}

static void add_function(struct json *j, size_t i)
{
	static const char *const origins[ORIGIN_END] = { "own", "site-packages", "stdlib", "import", "synthetic" };
	const struct profile_function_row *row = &j->flat.functions.data[i];
	const struct profile_function *function = &j->view.profile->functions.data[row->function];
	buffer_add_string(j->out, "\"name\":");
	print_add_json(j->out, function->name);
	add_text(j, "file", j->labels.files.data[row->function]);
	add_text(j, "path", function->file);
	add_number(j, "line", function->first_line);
	add_word(j, "origin", origins[function->origin]);
	add_measure(j, "self", &row->self);
	add_measure(j, "total", &row->total);
	add_number(j, "in_c_call", row->in_c);
	add_number(j, "holds_gil", row->holds_gil);
	add_number(j, "waits_gil", row->waits_gil);
}

static void add_line(struct json *j, size_t i)
{
	const struct profile_line_row *row = &j->flat.lines.data[i];
	buffer_printf(j->out, "\"function\":%u", j->function_index[row->function]);
	add_number(j, "line", row->line);
	add_measure(j, "self", &row->self);
	add_measure(j, "total", &row->total);
	if (row->gc.weight)
		add_measure(j, "gc", &row->gc);
}

enum tree_column {
	TREE_PARENT,
	TREE_FUNCTION,
	TREE_LINE,
	TREE_PROCESS,
	TREE_THREAD,
	TREE_SELF,
	TREE_TOTAL,
	TREE_SELF_SAMPLES,
	TREE_TOTAL_SAMPLES,
	TREE_COLUMN_END
};

/* -1: the node has no such thing. */
static int64_t tree_value(const struct json *j, const struct profile_node *node, enum tree_column column)
{
	const struct profile_frame *frame = node->kind == NODE_FRAME && node->depth
						    ? &j->view.profile->frames.data[node->what]
						    : NULL;
	switch (column) {
	case TREE_PARENT:
		return node->depth ? (int64_t)node->parent : -1;
	case TREE_FUNCTION:
		return frame ? (int64_t)j->function_index[frame->function] : -1;
	case TREE_LINE:
		return !frame ? -1
		       : frame->line == PROFILE_WHOLE
			       ? (int64_t)j->view.profile->functions.data[frame->function].first_line
			       : (int64_t)frame->line;
	case TREE_PROCESS:
		return node->kind == NODE_PROCESS ? (int64_t)node->what : -1;
	case TREE_THREAD:
		return node->kind == NODE_THREAD ? (int64_t)node->what : -1;
	case TREE_SELF:
		return (int64_t)node->self.weight;
	case TREE_TOTAL:
		return (int64_t)node->total.weight;
	case TREE_SELF_SAMPLES:
		return (int64_t)node->self.samples;
	default:
		return (int64_t)node->total.samples;
	}
}

static void add_signed(struct buffer *out, int64_t value)
{
	if (value < 0)
		buffer_add_string(out, "-1");
	else
		print_add_integer(out, (uint64_t)value);
}

static void add_tree(struct json *j)
{
	static const char *const names[TREE_COLUMN_END] = { "parent", "function", "line", "process", "thread", "self",
		"total", "self_samples", "total_samples" };
	buffer_add_string(j->out, ",\n\"tree\":{");
	for (enum tree_column column = 0; column < TREE_COLUMN_END; column++) {
		buffer_printf(j->out, "%s\"%s\":[", column ? ",\n" : "\n", names[column]);
		for (size_t i = 0; i < j->tree.nodes.count; i++) {
			if (i)
				buffer_add_char(j->out, ',');
			add_signed(j->out, tree_value(j, &j->tree.nodes.data[i], column));
		}
		buffer_add_char(j->out, ']');
	}
	buffer_add_char(j->out, '}');
}

enum {
	STACK_NODE,
	STACK_THREAD,
	STACK_QUALITY,
	STACK_STATE,
	STACK_SAMPLES,
	STACK_WALL,
	STACK_CPU,
	STACK_BYTES,
	STACK_COUNT,
	STACK_COLUMN_END
};

static uint64_t stack_value(const struct json *j, size_t i, int column)
{
	const struct profile_row *row = &j->view.profile->rows.data[j->view.rows.data[i]];
	const uint64_t values[STACK_COLUMN_END] = { j->tree.row_nodes[i], row->thread, row->quality, row->state,
		row->samples, row->wall, profile_row_weight(row, PROFILE_CPU), row->bytes, row->count };
	return values[column];
}

static void add_stacks(struct json *j)
{
	static const char *const names[STACK_COLUMN_END] = { "node", "thread", "quality", "state", "samples", "wall_ns",
		"cpu_ns", "bytes", "count" };
	buffer_add_string(j->out, ",\n\"stacks\":{");
	for (int column = 0; column < STACK_COLUMN_END; column++) {
		buffer_printf(j->out, "%s\"%s\":[", column ? ",\n" : "\n", names[column]);
		for (size_t i = 0; i < j->view.rows.count; i++) {
			if (i)
				buffer_add_char(j->out, ',');
			print_add_integer(j->out, stack_value(j, i, column));
		}
		buffer_add_char(j->out, ']');
	}
	buffer_add_char(j->out, '}');
}

static void add_totals(struct json *j)
{
	buffer_add_string(j->out, ",\n\"view\":{");
	head_add_json_view(j->out, &j->view);
	add_measure(j, "gc", &j->flat.gc);
	add_number(j, "in_c_call", j->flat.in_c);
	buffer_printf(j->out, "},\n\"totals\":{\"threads\":%u", j->times.all.threads);
	add_times(j, &j->times.all);
	add_number(j, "gc_pauses", j->view.profile->gc_pauses);
	add_number(j, "gc_pauses_ns", j->view.profile->gc_pause_ns);
	buffer_add_char(j->out, '}');
}

static struct error *index_functions(struct json *j)
{
	j->function_index = calloc(j->view.profile->functions.count + 1, sizeof *j->function_index);
	if (!j->function_index)
		return &error_no_memory;
	for (size_t i = 0; i < j->flat.functions.count; i++)
		j->function_index[j->flat.functions.data[i].function] = (uint32_t)i;
	return NULL;
}

static struct error *order_idle(struct json *j)
{
	j->idle_order = idle_order(j->view.profile);
	return j->idle_order ? NULL : &error_no_memory;
}

static struct error *add_all(struct json *j, struct profile *profile, const struct report_options *options)
{
	TRY(profile_view_init(profile, &options->view, &j->view));
	struct profile_tree_options shape = label_tree_options(&j->view, options, /* by_line */ true);
	TRY(profile_tree_init(&j->view, &shape, &j->tree));
	TRY(profile_flat_init(&j->view, &j->tree, &j->flat));
	TRY(profile_time_table_init(profile, &j->times));
	TRY(labels_init(profile, options, &j->labels));
	TRY(index_functions(j));
	TRY(order_idle(j));
	buffer_add_string(j->out, "{\"schema\":\"" SCHEMA "\",\n");
	head_add_json(j->out, profile, &j->times.all);
	add_totals(j);
	add_list(j, "processes", profile->processes.count - 1, add_process);
	add_list(j, "threads", profile->threads.count - 1, add_thread);
	add_list(j, "gil_waits", profile->waits.count, add_wait);
	add_list(j, "idle_in", profile->idle.count, add_idle);
	add_list(j, "functions", j->flat.functions.count, add_function);
	add_list(j, "lines", shape.by_line ? j->flat.lines.count : 0, add_line);
	add_tree(j);
	add_stacks(j);
	buffer_add_string(j->out, "}\n");
	return j->out->failed ? &error_no_memory : NULL;
}

static struct error *write_json(struct profile *profile, const struct report_options *options, struct buffer *out)
{
	if (profile->info.mode == RECORDING_CALLS)
		return calls_json_write(profile, options, out);
	if (profile->info.mode == RECORDING_LINES)
		return lines_json_write(profile, options, out);
	if (profile->info.mode == RECORDING_MEMORY)
		return memory_json_write(profile, options, out);
	if (profile->rss)
		return rss_json_write(profile, options, out);
	struct json j = { .out = out };
	struct error *error = add_all(&j, profile, options);
	free(j.function_index);
	free(j.idle_order);
	labels_deinit(&j.labels);
	profile_time_table_deinit(&j.times);
	profile_flat_deinit(&j.flat);
	profile_tree_deinit(&j.tree);
	profile_view_deinit(&j.view);
	return error;
}

const struct report_format report_format_json = {
	.name = "json",
	.summary = "everything, for programs (docs/json.md)",
	.extensions = (const char *const[]){ ".json", NULL },
	.write = write_json,
};
