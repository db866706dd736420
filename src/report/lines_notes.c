/* lines_notes.c: what stands below the tables of a recording of lines of our own: what measuring took, that it was
 * taken off, and what that does to shares; which files may not be those that ran. In lines of at most 80 columns. */
#include <inttypes.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "report/line_table.h"
#include "report/head.h"
#include "report/print.h"

/* All hits, and picoseconds that measuring them took. */
struct cost {
	double hits, ps;
};

static struct cost find_cost(const struct profile *profile)
{
	struct cost cost = { 0 };
	for (size_t i = 0; i < profile->lines.count; i++) {
		const struct profile_line *line = &profile->lines.data[i];
		const struct profile_call_cost *each = &profile->processes.data[line->process].line_cost;
		if (profile->stacks.data[line->stack].instruction <= 0)
			continue;
		cost.hits += (double)line->hits;
		cost.ps += (double)line->hits * ((double)each->inside + (double)each->beside);
	}
	return cost;
}

static void add_cost(struct buffer *out, const struct cost *cost, const struct report_options *options)
{
	double ns = cost->ps / 1000;
	print_add_number(out, cost->hits < 1e18 ? (uint64_t)cost->hits : (uint64_t)1e18);
	buffer_add_string(out, " hits. Measuring them took some ");
	print_add_duration(out, ns < 1e18 ? (uint64_t)ns : (uint64_t)1e18, options->ascii);
	buffer_add_string(out, options->measured
				       ? ", which is in these times:\nwithout --measured it is taken off.\n"
				       : ", by estimate:\nit is taken off the times (--measured leaves it in).\n");
}

/* ---- what correcting does ---- */

struct shift {
	const struct lines_function *function;
	uint32_t line;
	double corrected, measured; /* shares of the function's time */
};

static double share(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : 0;
}

static double distance(const struct shift *shift)
{
	double difference = shift->corrected - shift->measured;
	return difference < 0 ? -difference : difference;
}

/* The few that are shifted most, in falling order. */
static void keep_shift(struct shift *most, size_t count, struct shift shift)
{
	for (size_t i = 0; i < count; i++)
		if (!most[i].function || distance(&shift) > distance(&most[i])) {
			struct shift other = most[i];
			most[i] = shift;
			if (!other.function)
				return;
			shift = other;
		}
}

static void find_shifts(const struct lines *lines, struct shift *most, size_t count)
{
	for (size_t i = 0; i < lines->functions.count; i++) {
		const struct lines_function *function = &lines->functions.data[i];
		uint64_t corrected = lines_function_time(lines, function, /* measured */ false),
			 measured = lines_function_time(lines, function, /* measured */ true);
		for (uint32_t j = 0; j < function->count; j++) {
			const struct lines_line *line = &lines->lines.data[function->first + j];
			struct shift shift = { function, line->line,
				share(lines_times(&line->sum, /* measured */ false).total, corrected),
				share(lines_times(&line->sum, /* measured */ true).total, measured) };
			keep_shift(most, count, shift);
		}
	}
}

/* Where measuring took much of the time, shares lean on its estimate: who doubts it is told by how much. */
static void add_shifts(struct buffer *out, const struct lines *lines)
{
	enum { MOST = 5 };
	struct shift most[MOST] = { 0 };
	find_shifts(lines, most, MOST);
	if (!most[0].function || distance(&most[0]) < 0.01)
		return;
	buffer_add_string(out, "That moved shares most here:\n   % Time  measured\n");
	for (size_t i = 0; i < MOST && most[i].function && distance(&most[i]) >= 0.01; i++) {
		buffer_printf(
			out, "%9.1f %9.1f  line %u of ", 100 * most[i].corrected, 100 * most[i].measured, most[i].line);
		print_add_text(out, lines_function_name(lines, most[i].function));
		buffer_add_char(out, '\n');
	}
}

/* ---- recursion ---- */

/* Whether there is a function whose lines together take longer than it. */
static bool contain_each_other(const struct lines *lines)
{
	for (size_t i = 0; i < lines->functions.count; i++) {
		const struct lines_function *function = &lines->functions.data[i];
		uint64_t whole = lines_function_time(lines, function, /* measured */ true), together = 0;
		for (uint32_t j = 0; j < function->count; j++)
			together += lines_times(&lines->lines.data[function->first + j].sum, /* measured */ true).total;
		if (together > whole + whole / 100)
			return true;
	}
	return false;
}

/* ---- files ---- */

static void add_changed(struct buffer *out, const struct sources *sources)
{
	for (size_t i = 0; i < sources->files.count; i++) {
		if (!sources->files.data[i].changed)
			continue;
		print_add_text(
			out, profile_strings_get(&sources->profile->strings, sources->files.data[i].file_number));
		buffer_add_string(out, " has changed since: the lines shown may not be those that ran.\n");
	}
}

void lines_notes_add_end(struct buffer *out, const struct lines *lines, const struct sources *sources)
{
	add_changed(out, sources);
	if (lines->profile->sealed_at) {
		head_add_sealed(out, lines->profile);
		buffer_add_char(out, '\n');
	}
}

struct error *lines_notes_add(struct buffer *out, const struct lines *lines, const struct sources *sources,
	const struct report_options *options)
{
	const struct profile *profile = lines->profile;
	struct cost cost = find_cost(profile);
	uint64_t whole = profile_duration(profile);
	if (profile->given_unit > 0)
		return NULL;
	if (options->summarize)
		buffer_add_char(out, '\n');
	if (!lines->functions.count)
		buffer_add_string(out, "No function was chosen, or none that was chosen was ever defined.\n");
	if (options->cpu_clock && lines->has_cpu)
		buffer_add_string(out, "Times are those on a core: waiting is not in them.\n");
	if (options->line_self && !lines->has_called && lines->lines.count)
		buffer_add_string(out, "Own Time is empty: time in what lines called was not measured.\n");
	if (lines->has_cost)
		add_cost(out, &cost, options);
	if (lines->has_cost && !options->measured && cost.ps / 1000 * 10 > (double)whole)
		add_shifts(out, lines);
	if (contain_each_other(lines))
		buffer_add_string(out,
			"Lines of a function that calls itself contain each other: their shares are more\n"
			"than 100 % together.\n");
	lines_notes_add_end(out, lines, sources);
	return out->failed ? &error_no_memory : NULL;
}
