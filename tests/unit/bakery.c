/* bakery.c: recordings of calls in which every number is known.
 *
 *     main thread                                      calls       total      own
 *     <module>                                         1           1000 ms    60
 *       import pastry's and bread's __init__ <module>  1 each      10, 20     10, 20
 *       bake                                           4           800        250
 *         knead, which calls itself                    4, 8, 8     300 ...    100, 120, 80
 *         {list.append}                                400         40         40
 *         rise, a generator                            4 + 36      160        160
 *         Loaf.__init__, Roll.__init__ (dataclasses)   4, 6        20, 30     20, 30
 *       {time.sleep}                                   2           110        110
 *     another thread, caught in serve
 *       sell, 3 of them left by an exception           5           50         30
 *         {list.append}                                100         20         20 */
#include "synthetic.h"

#include "base/clock.h"

static const char bakery[] = "/srv/bakery/bake.py";

static void feed_baking(struct feed *feed, uint32_t thread, uint32_t module, uint32_t append)
{
	uint32_t at_bake = feed_path(feed, module, feed_callable(feed, "bake", "Oven.bake", bakery, 12, 0));
	uint32_t knead = feed_callable(feed, "knead", "knead", bakery, 30, 0);
	uint32_t once = feed_path(feed, at_bake, knead), twice = feed_path(feed, once, knead),
		 thrice = feed_path(feed, twice, knead);
	uint32_t rise = feed_path(feed, at_bake, feed_callable(feed, "rise", "rise", bakery, 40, 0));
	uint32_t loaf = feed_callable(feed, "__init__", "Loaf.__init__", "<string>", 1, 0),
		 roll = feed_callable(feed, "__init__", "Roll.__init__", "<string>", 1, 0);
	feed_tally(feed, thread, at_bake, SUBJECT_CALLS, 4, 800 * NS_PER_MS, 790 * NS_PER_MS);
	feed_calls(feed, thread, once, 4, 300 * NS_PER_MS);
	feed_calls(feed, thread, twice, 8, 200 * NS_PER_MS);
	feed_calls(feed, thread, thrice, 8, 80 * NS_PER_MS);
	feed_calls(feed, thread, feed_path(feed, at_bake, append), 400, 40 * NS_PER_MS);
	/* In two parts, as a recorder may bring them. */
	feed_calls(feed, thread, rise, 3, 100 * NS_PER_MS);
	feed_calls(feed, thread, rise, 1, 60 * NS_PER_MS);
	feed_tally(feed, thread, rise, SUBJECT_RESUMED, 36, 0, 0);
	feed_tally(feed, thread, rise, SUBJECT_SUSPENDED, 0, 700 * NS_PER_MS, 0);
	feed_tally(feed, thread, rise, SUBJECT_SUSPENDED, 0, (uint64_t)0 - 200 * NS_PER_MS, 0);
	feed_calls(feed, thread, feed_path(feed, at_bake, loaf), 4, 20 * NS_PER_MS);
	feed_calls(feed, thread, feed_path(feed, at_bake, roll), 6, 30 * NS_PER_MS);
}

void feed_bakery(struct sink *sink)
{
	struct feed feed;
	feed_begin_calls(&feed, sink);
	uint32_t process = feed_process(&feed, 4242, "python3 bake.py", "/srv/bakery");
	uint32_t thread = feed_thread(&feed, process, 4242, "MainThread"),
		 other = feed_thread(&feed, process, 4243, "counter");
	uint32_t append = feed_builtin(&feed, "<method 'append' of 'list' objects>"),
		 sleep = feed_builtin(&feed, "<built-in method time.sleep>");
	uint32_t module = feed_path(&feed, 0, feed_callable(&feed, "<module>", "<module>", bakery, 1, 0));
	uint32_t pastry = feed_callable(&feed, "<module>", "<module>", "/srv/bakery/pastry/__init__.py", 1, 0),
		 bread = feed_callable(&feed, "<module>", "<module>", "/srv/bakery/bread/__init__.py", 1, 0);
	feed_calls(&feed, thread, module, 1, 1000 * NS_PER_MS);
	feed_calls(&feed, thread, feed_path(&feed, module, pastry), 1, 10 * NS_PER_MS);
	feed_calls(&feed, thread, feed_path(&feed, module, bread), 1, 20 * NS_PER_MS);
	feed_baking(&feed, thread, module, append);
	feed_calls(&feed, thread, feed_path(&feed, module, sleep), 2, 110 * NS_PER_MS);
	/* `serve` was called before anything was measured. */
	uint32_t serve = feed_path(&feed, 0, feed_callable(&feed, "serve", "serve", bakery, 60, 0));
	uint32_t sell = feed_path(&feed, serve, feed_callable(&feed, "sell", "sell", bakery, 70, 0));
	feed_calls(&feed, other, sell, 5, 50 * NS_PER_MS);
	feed_tally(&feed, other, sell, SUBJECT_UNWOUND, 3, 0, 0);
	feed_calls(&feed, other, feed_path(&feed, sell, append), 100, 20 * NS_PER_MS);
	feed_cost(&feed, process, SUBJECT_CALL_COST, 1000000, 500000); /* 1 us, 0.5 us: easy to see */
	feed_cost(&feed, process, SUBJECT_BUILTIN_COST, 100000, 50000);
	feed_end(&feed);
}

void feed_deep_calls(struct sink *sink, unsigned depth, unsigned more)
{
	enum { FUNCTIONS = 1000 };
	struct feed feed;
	feed_begin_calls(&feed, sink);
	uint32_t thread = feed_thread(&feed, feed_process(&feed, 7, "python3 deep.py", "/srv"), 7, "MainThread");
	for (unsigned i = 0; i < FUNCTIONS; i++) {
		char name[32];
		snprintf(name, sizeof name, "function_%u", i);
		feed_callable(&feed, name, name, "/srv/deep.py", 1 + i, 0);
	}
	uint32_t stack = 0;
	for (unsigned i = 0; i < depth; i++) {
		stack = feed_path(&feed, stack, 1 + i % 3);
		feed_calls(&feed, thread, stack, 1, (uint64_t)(depth - i) * 1000 + more);
	}
	for (unsigned i = 0; i < more; i++)
		feed_calls(&feed, thread,
			feed_path(&feed, 1 + (uint32_t)(i * 7919ull % depth), 4 + i % (FUNCTIONS - 3)), 2, 1);
	feed_end(&feed);
}
