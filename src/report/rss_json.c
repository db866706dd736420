/* rss_json.c: memory over time for programs: a series for each process and for their sum, the functions that were on,
 * the steps. Times are nanoseconds from the beginning, memory is in bytes. docs/json-rss.md is its description. */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/head.h"
#include "report/print.h"
#include "report/rss.h"

#define SCHEMA "pyrometer.rss/1"

enum { MOST_MARKS = 10000 };

struct json {
	struct rss_plot plot;
	struct labels labels;
	struct buffer *out;
};

static void add_column(struct json *j, const char *name, const struct rss_points *points, bool times)
{
	buffer_printf(j->out, ",\n\"%s\":[", name);
	for (size_t i = 0; i < points->items.count; i++) {
		if (i)
			buffer_add_char(j->out, ',');
		print_add_integer(j->out, times ? points->items.data[i].time : points->items.data[i].bytes);
	}
	buffer_add_char(j->out, ']');
}

static void add_series(struct json *j, const char *times, const char *bytes, const struct rss_points *points)
{
	add_column(j, times, points, true);
	add_column(j, bytes, points, false);
}

static void add_peak(struct json *j, const struct rss_curve *curve)
{
	buffer_printf(j->out, "\"peak_bytes\":%" PRIu64 ",\"peak_ns\":%" PRIu64, curve->peak.bytes, curve->peak.time);
}

/* PSS and USS of the processes of the recording that the curve is made of. */
static void add_shares(struct json *j, const struct rss_curve *curve)
{
	const struct profile_rss *rss = j->plot.profile->rss;
	struct rss_points shares[RSS_KIND_END] = { 0 };
	for (size_t i = 1; i < rss->processes.count; i++)
		if (rss_plot_curve_of(&j->plot, (uint32_t)i) == curve)
			for (int kind = RSS_PROPORTIONAL; kind <= RSS_UNIQUE; kind++)
				for (size_t k = 0; k < rss->processes.data[i].kinds[kind].items.count; k++)
					j->out->failed |= !vec_push(
						&shares[kind].items, rss->processes.data[i].kinds[kind].items.data[k]);
	if (shares[RSS_PROPORTIONAL].items.count) {
		add_series(j, "shares_ns", "pss_bytes", &shares[RSS_PROPORTIONAL]);
		add_column(j, "uss_bytes", &shares[RSS_UNIQUE], false);
	}
	vec_free(&shares[RSS_PROPORTIONAL].items);
	vec_free(&shares[RSS_UNIQUE].items);
}

static void add_curve(struct json *j, size_t i)
{
	const struct rss_curve *curve = &j->plot.curves.data[i];
	_cleanup_buffer_ struct buffer name = { 0 };
	rss_add_curve_name(&name, &j->plot, curve);
	buffer_add_string(j->out, "\"name\":");
	print_add_json(j->out, print_text(&name));
	buffer_add_char(j->out, ',');
	if (!j->plot.several_recordings) {
		const struct profile_process *process = &j->plot.profile->processes.data[curve->process];
		buffer_printf(j->out, "\"pid\":%u,\"command\":", process->pid);
		head_add_json_words(j->out, process->command);
		buffer_add_char(j->out, ',');
	}
	add_peak(j, curve);
	add_series(j, "time_ns", "rss_bytes", &curve->points);
	if (!j->plot.several_recordings)
		add_shares(j, curve);
}

static void add_point(struct json *j, const char *name, struct rss_point point)
{
	buffer_printf(j->out, ",\"%s_ns\":%" PRIu64 ",\"%s_bytes\":%" PRIu64, name, point.time, name, point.bytes);
}

static void add_mark(struct json *j, const struct rss_mark *mark)
{
	const struct profile *profile = j->plot.profile;
	buffer_add_string(j->out, "\"function\":");
	print_add_json(j->out, rss_mark_name(&j->plot, mark));
	if (mark->function != PROFILE_NONE) {
		head_add_json_text(j->out, "file", j->labels.files.data[mark->function]);
		head_add_json_text(j->out, "path", profile->functions.data[mark->function].file);
		head_add_json_number(j->out, "line", profile->functions.data[mark->function].first_line);
		head_add_json_number(j->out, "pid", profile->processes.data[mark->process].pid);
		head_add_json_number(j->out, "thread", mark->thread);
	}
	if (mark->line)
		head_add_json_number(j->out, "caller_line", mark->line);
	head_add_json_number(j->out, "level", mark->level);
	add_point(j, "begin", mark->from);
	add_point(j, "end", mark->until);
}

/* Frames, innermost first, at most so many. */
static void add_frames(struct json *j, const char *name, uint32_t stack)
{
	enum { MOST_FRAMES = 200 };
	const struct profile *profile = j->plot.profile;
	size_t count = 0;
	if (!stack)
		return;
	buffer_printf(j->out, ",\"%s\":[", name);
	for (uint32_t at = stack; at && count < MOST_FRAMES; at = profile->stacks.data[at].parent, count++) {
		const struct profile_frame *frame = &profile->frames.data[profile->stacks.data[at].frame];
		buffer_add_string(j->out, count ? ",{\"function\":" : "{\"function\":");
		print_add_json(j->out, profile->functions.data[frame->function].name);
		head_add_json_text(j->out, "file", j->labels.files.data[frame->function]);
		head_add_json_number(j->out, "line", frame->line == PROFILE_WHOLE ? 0 : frame->line);
		buffer_add_char(j->out, '}');
	}
	buffer_add_char(j->out, ']');
}

static void add_step(struct json *j, const struct rss_step *step)
{
	const struct rss_curve *curve = &j->plot.curves.data[step->curve];
	buffer_printf(j->out, "\"curve\":%u,\"pid\":%u", step->curve, curve->pid);
	add_point(j, "begin", step->from);
	add_point(j, "end", step->until);
	add_frames(j, "stack", step->stack);
	add_frames(j, "before", step->before);
	add_frames(j, "after", step->after);
}

static struct error *add_marks(struct json *j)
{
	size_t count;
	_cleanup_free_ uint32_t *marks = rss_choose_marks(&j->plot, MOST_MARKS, 0, &count);
	if (!marks)
		return &error_no_memory;
	buffer_add_string(j->out, "],\n\"functions\":[");
	for (size_t i = 0; i < count; i++) {
		buffer_add_string(j->out, i ? ",\n{" : "\n{");
		add_mark(j, &j->plot.marks.data[marks[i]]);
		buffer_add_char(j->out, '}');
	}
	return NULL;
}

static void add_lines(struct json *j)
{
	const struct profile *profile = j->plot.profile;
	buffer_add_string(j->out, "],\n\"lines\":[");
	for (size_t i = 0; i < j->plot.lines.count; i++) {
		const struct rss_line *line = &j->plot.lines.data[i];
		buffer_printf(j->out, "%s{\"rose_bytes\":%" PRIu64 ",\"fell_bytes\":%" PRIu64, i ? ",\n" : "\n",
			line->rose, line->fell);
		if (line->frame != PROFILE_NONE) {
			const struct profile_frame *frame = &profile->frames.data[line->frame];
			head_add_json_text(j->out, "function", profile->functions.data[frame->function].name);
			head_add_json_text(j->out, "file", j->labels.files.data[frame->function]);
			head_add_json_number(j->out, "line", frame->line == PROFILE_WHOLE ? 0 : frame->line);
		}
		buffer_add_char(j->out, '}');
	}
}

static struct error *add_all(struct json *j, struct profile *profile, const struct report_options *options)
{
	TRY(rss_plot_init(profile, &j->plot));
	TRY(labels_init(profile, options, &j->labels));
	const struct rss_plot *plot = &j->plot;
	buffer_printf(j->out, "{\"schema\":\"" SCHEMA "\",\n\"start_unix_ns\":%" PRIu64 ",\"duration_ns\":%" PRIu64,
		profile->info.start_unix_ns, plot->until);
	head_add_json_bool(j->out, "complete", (profile->ended || profile->rss->from_dat) && !profile->rss->cut);
	buffer_printf(j->out, ",\n\"%s\":[", plot->several_recordings ? "recordings" : "processes");
	for (size_t i = 0; i < plot->curves.count; i++) {
		buffer_add_string(j->out, i ? ",\n{" : "\n{");
		add_curve(j, i);
		buffer_add_char(j->out, '}');
	}
	if (!plot->several_recordings)
		TRY(add_marks(j));
	if (!plot->several_recordings)
		buffer_add_string(j->out, "],\n\"steps\":[");
	for (size_t i = 0; i < plot->steps.count; i++) {
		buffer_add_string(j->out, i ? ",\n{" : "\n{");
		add_step(j, &plot->steps.data[i]);
		buffer_add_char(j->out, '}');
	}
	if (!plot->several_recordings)
		add_lines(j);
	buffer_add_char(j->out, ']');
	if (plot->sum.points.items.count) {
		buffer_add_string(j->out, ",\n\"sum\":{");
		add_peak(j, &plot->sum);
		add_series(j, "time_ns", "rss_bytes", &plot->sum.points);
		buffer_add_char(j->out, '}');
	}
	buffer_add_string(j->out, "}\n");
	return NULL;
}

struct error *rss_json_write(struct profile *profile, const struct report_options *options, struct buffer *out)
{
	struct json j = { .out = out };
	struct error *error = add_all(&j, profile, options);
	labels_deinit(&j.labels);
	rss_plot_deinit(&j.plot);
	return error;
}
