/* memory_rss.h: `memory --rss`: resident memory over time of a program that is started, or of one that runs, with the
 * functions that were on. */
#pragma once
#include "cmd/cmd.h"
#include "cmd/target_options.h"

/* `interval`: ns between two readings of resident memory; 0: the usual 10 ms. `rate`: millihertz, samples of what is
 * on; 0: as fast as it goes. *ret_status: see sampling_run(). */
struct error *memory_rss_run(const struct target_options *target, uint64_t interval, uint64_t rate,
	const struct invocation *invocation, int *ret_status);
