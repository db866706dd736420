/* wake.c: what sleeping and waking costs by itself: the sampler's loop with the sampling left out.
 *
 * It sleeps until the same randomly spread moments as the sampler (recording/ticks.h), with the same timer slack, and
 * skips those that are past in the same way. bench/sampling.py reads its CPU time from the kernel as it does for every
 * profiler; the difference between a profiler and this program at the same rate is what the profiler's own work costs.
 *
 *   wake RATE SECONDS      prints how many ticks were due, and how many were taken
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "base/clock.h"
#include "recording/ticks.h"

enum { SEED = 20 };

int main(int argc, char **argv)
{
	double rate = argc == 3 ? strtod(argv[1], NULL) : 0, seconds = argc == 3 ? strtod(argv[2], NULL) : 0;
	if (rate <= 0 || seconds <= 0) {
		fputs("usage: wake RATE SECONDS\n", stderr);
		return 2;
	}
	uint64_t period = (uint64_t)(NS_PER_S / rate), tick = 0, taken = 0;
	uint64_t duration = (uint64_t)(seconds * NS_PER_S), start = clock_now();
	prctl(PR_SET_TIMERSLACK, 1);
	for (uint64_t now = 0; now < duration; now = clock_now() - start) {
		while (tick_time(SEED, period, tick) + period <= now && tick_time(SEED, period, tick + 1) <= now)
			tick++;
		uint64_t due = tick_time(SEED, period, tick);
		if (due > now)
			clock_sleep_until(start + due);
		tick++;
		taken++;
	}
	printf("due %llu taken %llu\n", (unsigned long long)tick, (unsigned long long)taken);
	return 0;
}
