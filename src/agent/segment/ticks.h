/* ticks.h: the clock of calls: the processor's cycle counter where it is one clock for all cores, whatever they do. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Whether ticks are cycles; else nanoseconds. */
bool ticks_are_cycles(void);
uint64_t ticks_monotonic_ns(void);
uint64_t ticks_slow(void);

extern bool ticks_use_cycles;

static inline uint64_t ticks_now(void)
{
#ifdef __x86_64__
	if (__builtin_expect(ticks_use_cycles, 1))
		return __builtin_ia32_rdtsc();
#endif
	return ticks_slow();
}
