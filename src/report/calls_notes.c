/* calls_notes.c: what stands below a table of calls of our own recording: what its columns are, what was taken off the
 * times because measuring took it, and when another tool answers better. In lines of at most 80 columns. */
#include <inttypes.h>

#include "base/clock.h"
#include "report/calls.h"
#include "report/head.h"
#include "report/print.h"

static double seconds(uint64_t ns)
{
	return (double)ns / (double)NS_PER_S;
}

static void add_columns(struct buffer *out, bool shares)
{
	buffer_add_string(out, "ncalls   how often it was called; 3/1: three calls, one of them not by itself\n"
			       "tottime  seconds in it alone: the most that a faster body of it can win\n"
			       "cumtime  with all that it called: the most that calling it less can win\n"
			       "percall  each of the two, for a call (cumtime: not by itself)\n");
	if (shares)
		buffer_add_string(out, "own% all% tottime and cumtime, of the whole run\n");
	buffer_add_char(out, '\n');
}

static void add_correction(struct buffer *out, uint64_t measured, uint64_t corrected, bool as_measured)
{
	if (as_measured)
		buffer_printf(out,
			"Times as measured. Measuring itself took some %.3f of the %.3f seconds;\n"
			"without --measured it is taken off.\n",
			seconds(measured - corrected), seconds(measured));
	else
		buffer_printf(out,
			"Measured were %.3f seconds: what measuring itself took, by estimate, is taken\n"
			"off (--measured leaves it in).\n",
			seconds(measured));
}

/* Times of so little are those of caches and of the machine's other work. */
static void add_too_short(struct buffer *out, uint64_t ns)
{
	buffer_printf(out,
		"Too short: times of %.1f ms are mostly chance; counts are exact. Let it do its work\n"
		"many times; for a snippet, python -m timeit does that.\n",
		seconds(ns) * 1000);
}

static void add_too_many(struct buffer *out, const struct calls_whole *whole, uint64_t measured)
{
	buffer_printf(out,
		"Many calls: %.1f million a second. Measuring each made it some %.1f times as slow;\n"
		"`pyrometer record` says where the time goes without that.\n",
		(double)whole->calls / seconds(whole->time) / 1e6, (double)measured / (double)whole->time);
}

static void add_single_calls(struct buffer *out, const struct profile *profile)
{
	print_add_number(out, profile->single_calls);
	buffer_add_string(out, " single calls were kept: -o FILE.trace.json or FILE.pftrace shows them.\n");
	if (profile->single_calls_until)
		buffer_printf(out,
			"From %.3f s on calls were only counted: more were not asked for\n(--timeline-calls).\n",
			seconds(profile->single_calls_until));
}

void calls_notes_add(struct buffer *out, const struct calls *calls, const struct report_options *options)
{
	enum { SHORT = NS_PER_S / 100, MANY = 1000 }; /* ns; ns a call: a million a second */
	struct calls_whole measured = calls_whole(calls, /* measured */ true),
			   corrected = calls_whole(calls, /* measured */ false);
	if (!calls->has_cost)
		return;
	add_columns(out, options->shares);
	uint64_t taken = measured.time > corrected.time ? measured.time - corrected.time : 0;
	add_correction(out, measured.time, measured.time - taken, options->measured);
	if (corrected.time < SHORT)
		add_too_short(out, corrected.time);
	else if (corrected.time / MANY < corrected.calls)
		add_too_many(out, &corrected, measured.time);
	if (calls->profile->sealed_at) {
		head_add_sealed(out, calls->profile);
		buffer_add_char(out, '\n');
	}
	if (calls->profile->single_calls)
		add_single_calls(out, calls->profile);
}
