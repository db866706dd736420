/* test_ticks.c: the schedule of a sampler: fixed for ever, in order, and blind to no periodic target. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "recording/ticks.h"

/* Recordings that exist are read with this function. */
static void test_never_changes(void **state)
{
	static const struct {
		uint64_t seed, period, index, time;
	} known[] = {
		{ 0, 1000000, 0, 305050 },
		{ 42, 1000000, 0, 280659 },
		{ 42, 1000000, 1, 1643652 },
		{ 42, 1000000, 1000000, 1000000767962 },
		{ UINT64_MAX, 333333, 123456789, 41152221941344 },
		{ 7, 1, 5, 5 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		assert_int_equal(tick_time(known[i].seed, known[i].period, known[i].index), known[i].time);
}

static void test_one_in_each_period(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 4; seed++)
		for (uint64_t i = 0; i < 10000; i++) {
			uint64_t time = tick_time(seed, 1000, i);
			assert_true(time >= i * 1000 && time < (i + 1) * 1000);
		}
	uint64_t last = tick_index_max(3);
	assert_true(tick_time(1, 3, last) > tick_time(1, 3, last - 1));
}

/* A target that is busy for the first 30 % of its cycle; the share that 20,000 ticks find. */
static double busy_share(uint64_t seed, double cycle)
{
	enum { TICKS = 20000 };
	int busy = 0;
	for (uint64_t i = 0; i < TICKS; i++)
		busy += fmod((double)tick_time(seed, 1000000, i), cycle) < 0.3 * cycle;
	return (double)busy / TICKS;
}

static void test_sees_periodic_targets_right(void **state)
{
	static const double cycles[] = { 1, 0.5, 2, 3, 0.2, 0.9, 1.1, 1.001, 0.999, 10, 0.31830988 };
	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++)
		for (size_t i = 0; i < sizeof cycles / sizeof cycles[0]; i++) {
			double share = busy_share(seed, cycles[i] * 1e6);
			/* Four standard errors of independent samples. */
			if (fabs(share - 0.3) > 4 * sqrt(0.3 * 0.7 / 20000))
				fail_msg("cycle %g of a period, seed %d: %g", cycles[i], (int)seed, share);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_never_changes),
		cmocka_unit_test(test_one_in_each_period),
		cmocka_unit_test(test_sees_periodic_targets_right),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
