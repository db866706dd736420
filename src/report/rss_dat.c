/* rss_dat.c: memory over time as mprof's files (.dat), for mprof plot and peak. MEM lines are of the first process; the
 * others are CHLD lines with their pids. Functions are FUNC lines, which mprof draws as brackets. */
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "report/formats.h"
#include "report/print.h"
#include "report/rss.h"

enum { MOST_MARKS = 1000 };
static const double mib = 1 << 20;

/* Fields are parted by single blanks, lines by newlines, and mprof reads the file as UTF-8: what is not becomes so, and
 * characters up to `last` become another one. */
static void add_clean(struct buffer *out, struct text text, char last, char instead)
{
	size_t start = out->size;
	print_add_utf8(out, text);
	for (size_t i = start; i < out->size; i++)
		if ((unsigned char)out->data[i] <= (unsigned char)last || out->data[i] == 0x7f)
			out->data[i] = instead;
}

static void add_command(struct buffer *out, const struct rss_plot *plot)
{
	const struct text command = plot->profile->processes.data[plot->curves.data[0].process].command;
	buffer_add_string(out, "CMDLINE ");
	add_clean(out, command, ' ', ' ');
	buffer_add_char(out, '\n');
}

/* "MiB seconds" */
static void add_point(struct buffer *out, const struct rss_plot *plot, struct rss_point point)
{
	uint64_t time = plot->profile->info.start_unix_ns + point.time;
	uint64_t parts = (time + 50000) / 100000; /* of 100 us: doubles would not do */
	buffer_printf(out, " %.6f %llu.%04llu", (double)point.bytes / mib, (unsigned long long)(parts / 10000),
		(unsigned long long)(parts % 10000));
}

static void add_curve(struct buffer *out, const struct rss_plot *plot, size_t number)
{
	const struct rss_curve *curve = &plot->curves.data[number];
	for (size_t i = 0; i < curve->points.items.count; i++) {
		buffer_add_string(out, number ? "CHLD" : "MEM");
		if (number)
			buffer_printf(out, " %u", curve->pid);
		add_point(out, plot, curve->points.items.data[i]);
		buffer_add_char(out, '\n');
	}
}

static struct error *add_functions(struct buffer *out, const struct rss_plot *plot)
{
	size_t count;
	_cleanup_free_ uint32_t *marks = rss_choose_marks(plot, MOST_MARKS, 0, &count);
	if (!marks)
		return &error_no_memory;
	for (size_t i = 0; i < count; i++) {
		const struct rss_mark *mark = &plot->marks.data[marks[i]];
		buffer_add_string(out, "FUNC ");
		add_clean(out, rss_mark_name(plot, mark), ' ', '_');
		add_point(out, plot, mark->from);
		add_point(out, plot, mark->until);
		buffer_printf(out, " %u\n", mark->level);
	}
	return NULL;
}

static struct error *write_dat(struct profile *profile, const struct report_options *options, struct buffer *out)
{
	_cleanup_rss_plot_ struct rss_plot plot = { 0 };
	if (!profile->rss)
		return error_new(
			ERROR_USAGE, "there is no resident memory in it: mprof's format is for `memory --rss`");
	TRY(rss_plot_init(profile, &plot));
	add_command(out, &plot);
	for (size_t i = 0; i < plot.curves.count; i++)
		add_curve(out, &plot, i);
	return add_functions(out, &plot);
}

const struct report_format report_format_dat = {
	.name = "mprof",
	.summary = "memory over time, for mprof plot and mprof peak",
	.extensions = (const char *const[]){ ".dat", NULL },
	.write = write_dat,
};
