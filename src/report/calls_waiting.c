/* calls_waiting.c: of calls, how much of the time was spent on a core, and where most of the rest was waited: in which
 * function, and for whom. */
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "report/calls.h"

enum { SHOWN = 3, LEAST_PERCENT = 5 /* of the whole time */ };

static uint64_t waited(const struct calls_sum *sum, const struct report_options *options)
{
	struct calls_times times = calls_times(sum, options->measured);
	return times.self - times.self_cpu;
}

/* The caller for which a function waited most; PROFILE_NONE: it was called by nobody. */
static uint32_t find_caller(const struct calls *calls, uint32_t function, const struct report_options *options)
{
	uint32_t caller = PROFILE_NONE;
	uint64_t most = 0;
	for (size_t i = 0; i < calls->pairs.count; i++) {
		const struct calls_pair *pair = &calls->pairs.data[i];
		uint64_t time = pair->callee == function && pair->caller != function ? waited(&pair->sum, options) : 0;
		if (time <= most)
			continue;
		most = time;
		caller = pair->caller;
	}
	return caller;
}

static void add_one(const struct calls *calls, const struct call_names *names, const struct report_options *options,
	uint32_t function, struct buffer *out)
{
	enum { COLUMNS = 80 };
	_cleanup_buffer_ struct buffer line = { 0 }, by = { 0 };
	uint32_t caller = find_caller(calls, function, options);
	buffer_printf(&line, "   %.3f waiting, in ",
		(double)waited(&calls->functions.data[function].sum, options) / (double)NS_PER_S);
	call_name_add(&line, &names->items[function]);
	if (caller != PROFILE_NONE) {
		buffer_add_string(&by, "called by ");
		call_name_add(&by, &names->items[caller]);
		bool fits = line.size + strlen(", ") + by.size <= COLUMNS;
		buffer_add_string(&line, fits ? ", " : ",\n         ");
		buffer_add(&line, by.data, by.size);
	}
	buffer_add_char(&line, '\n');
	buffer_add(out, line.data, line.size);
	out->failed |= line.failed || by.failed;
}

/* The function that waited most, of those that waited less than `below`; PROFILE_NONE: there is none worth a word. */
static uint32_t find_next(
	const struct calls *calls, const struct report_options *options, uint64_t least, uint64_t below)
{
	uint32_t found = PROFILE_NONE;
	for (uint32_t i = 0; i < calls->functions.count; i++) {
		uint64_t time = waited(&calls->functions.data[i].sum, options);
		if (time >= below || time < least)
			continue;
		found = i;
		least = time + 1;
	}
	return found;
}

struct error *calls_waiting_write(const struct calls *calls, const struct call_names *names,
	const struct report_options *options, struct buffer *out)
{
	struct calls_whole whole = calls_whole(calls, options->measured);
	uint64_t least = whole.time / 100 * LEAST_PERCENT, below = UINT64_MAX;
	buffer_printf(out, "On a core: %.3f of %.3f seconds (%.0f %%)\n", (double)whole.cpu / (double)NS_PER_S,
		(double)whole.time / (double)NS_PER_S, whole.time ? 100 * (double)whole.cpu / (double)whole.time : 0);
	for (int i = 0; i < SHOWN; i++) {
		uint32_t function = find_next(calls, options, least + 1, below);
		if (function == PROFILE_NONE)
			break;
		add_one(calls, names, options, function, out);
		below = waited(&calls->functions.data[function].sum, options);
	}
	buffer_add_char(out, '\n');
	return out->failed ? &error_no_memory : NULL;
}
