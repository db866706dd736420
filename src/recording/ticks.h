/* ticks.h: when a sampler looks. A pure function that the sampler sleeps by and that the file's time column is coded
 * against: given the seed and the period of the recording, only how late each look was has to be stored.
 *
 * Tick i is at a random moment, uniformly chosen, of the i-th period: i * period <= tick_time(i) < (i + 1) * period.
 * This is stratified sampling. The share that it estimates is unbiased for every target, also for one that repeats with
 * the sampler's own period or a multiple or fraction of it, and its variance is never above that of independent random
 * moments, so a binomial interval is never too narrow. A small jitter (10 %, say) round a fixed grid does not do this:
 * it sees the same tenth of such a target's cycle for ever. Times do not drift, strictly increase, and need no state.
 * Two ticks may be close together (less than a tenth of a period in 1 of 200); a sampler then takes the second at once.
 *
 * The function is part of the file format (docs/format.md, "ticks"): it must never change.
 */
#pragma once
#include <stdint.h>

static inline uint64_t tick_random(uint64_t seed, uint64_t index)
{
	uint64_t x = seed + (index + 1) * 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
	x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
	return x ^ (x >> 32);
}

/* Nanoseconds from event time 0 to tick `index`. Wraps round when index * period_ns does: tick_index_max. */
static inline uint64_t tick_time(uint64_t seed, uint64_t period_ns, uint64_t index)
{
	return index * period_ns + (uint64_t)(((unsigned __int128)tick_random(seed, index) * period_ns) >> 64);
}

/* The last index whose time does not wrap round. period_ns > 0. */
static inline uint64_t tick_index_max(uint64_t period_ns)
{
	return UINT64_MAX / period_ns - 1;
}
