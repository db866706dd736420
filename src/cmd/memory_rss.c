/* memory_rss.c: see memory_rss.h. The sampler reads memory beside its samples; the recording is one of samples.
 *
 * Unlike `record` this works with any program: of one without Python there are no functions, but there is memory. */
#include "cmd/memory_rss.h"

#include "base/clock.h"
#include "cmd/sampling.h"

static const uint64_t usual_interval = 10 * NS_PER_MS;

static struct sampler_options choose_sampler(uint64_t interval, uint64_t rate)
{
	uint64_t period = rate ? 1000ull * NS_PER_S / rate : 0;
	if (period > interval) { /* memory is read when samples are taken */
		period = interval;
		rate = 1000ull * NS_PER_S / period;
	}
	return (struct sampler_options){ .period_ns = period, .memory_every = interval, .info.rate_millihertz = rate };
}

static struct error *explain(const struct sampling *sampling, const char *what)
{
	return error_new(ERROR_FAILED, "nothing was read of %s: it ended before the first reading%s", what,
		sampling->target->pid ? "" : "; -i makes them closer");
}

struct error *memory_rss_run(const struct target_options *target, uint64_t interval, uint64_t rate,
	const struct invocation *invocation, int *ret_status)
{
	struct sampling sampling = {
		.target = target,
		.invocation = invocation,
		.how = choose_sampler(interval ? interval : usual_interval, rate),
		.explain = explain,
		.outputs.report = report_options_default(),
	};
	TRY(target_options_check(target, invocation->words, "look at"));
	return sampling_run(&sampling, ret_status);
}
