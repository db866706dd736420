/* saturating.h: arithmetic that nothing overflows: what is too much becomes the most that a number holds. */
#pragma once
#include <stdint.h>

static inline void saturating_add(int64_t *sum, int64_t value)
{
	if (__builtin_add_overflow(*sum, value, sum))
		*sum = value < 0 ? INT64_MIN : INT64_MAX;
}

static inline int64_t saturating_limit(uint64_t value)
{
	return value < INT64_MAX ? (int64_t)value : INT64_MAX;
}

static inline int64_t saturating_times(uint64_t count, uint64_t cost)
{
	uint64_t product;
	return __builtin_mul_overflow(count, cost, &product) ? INT64_MAX : saturating_limit(product);
}

static inline uint64_t at_most(uint64_t value, uint64_t most)
{
	return value < most ? value : most;
}
