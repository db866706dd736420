/* moments.c: a recording with single calls: random trees of them in three threads of two processes, by functions whose
 * names are not easy to write down. Chance has a fixed seed. */
#include "base/clock.h"
#include "synthetic.h"

enum { CALLS_OF_A_THREAD = 2000, DEEPEST = 40, FUNCTIONS = 6, THREADS = 3, NODES = 1 << 14 };

struct walk {
	struct feed *feed;
	const uint32_t *codes;
	uint32_t process, thread;
	uint64_t time;
	unsigned left;
	uint64_t state;			 /* of chance */
	uint32_t (*children)[FUNCTIONS]; /* by stack: the stack of a callee */
};

static unsigned chance(struct walk *walk, unsigned below)
{
	walk->state = walk->state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(walk->state >> 33) % below;
}

static uint32_t callee(struct walk *walk, uint32_t stack, unsigned function)
{
	uint32_t *child = &walk->children[stack][function];
	if (!*child)
		*child = feed_path(walk->feed, stack, walk->codes[function]);
	return *child;
}

static void call(struct walk *walk, uint32_t caller, unsigned depth)
{
	uint32_t stack = callee(walk, caller, chance(walk, FUNCTIONS));
	uint64_t begun = walk->time;
	walk->left--;
	walk->time += 1 + chance(walk, 5000);
	while (walk->left && depth < DEEPEST && walk->feed->stacks < NODES - 1 && chance(walk, 3)) {
		call(walk, stack, depth + 1);
		walk->time += 1 + chance(walk, 500);
	}
	feed_event(walk->feed,
		&(struct event){ .kind = EVENT_CALL,
			.time = walk->time,
			.process = walk->process,
			.thread = walk->thread,
			.stack = stack,
			.weight = { [WEIGHT_WALL] = walk->time - begun, [WEIGHT_COUNT] = chance(walk, 4) } });
	walk->time += 1 + chance(walk, 2000);
}

void feed_moments(struct sink *sink)
{
	static uint32_t children[THREADS][NODES][FUNCTIONS];
	struct feed feed;
	feed_begin_calls(&feed, sink);
	uint32_t shop = feed_process(&feed, 4242, "python3 shop.py --say \"hello\"", ""),
		 other = feed_process(&feed, 4243, "", "");
	uint32_t threads[THREADS] = { feed_thread(&feed, shop, 4242, "MainThread"),
		feed_thread(&feed, shop, 4250, "a \"worker\"\n"), feed_thread(&feed, other, 4243, "") };
	const uint32_t codes[FUNCTIONS] = {
		feed_callable(&feed, "<module>", "<module>", "/srv/shop.py", 1, 0),
		feed_callable(
			&feed, "serve", "Shop.serve.<locals>.serve", "/srv/caf\xc3\xa9/\"quoted\" file.py", 30, 0),
		feed_callable(&feed, "back\\slash", "", "back\\slash.py", 40, 0),
		feed_callable(&feed, "line\nfeed; and {\"json\": 1}", "", "<string>", 7, 0),
		feed_builtin(&feed, "<built-in method builtins.len>"),
		feed_builtin(&feed, "<method 'append' of 'list' objects>"),
	};
	for (unsigned i = 0; i < THREADS; i++) {
		struct walk walk = { &feed, codes, i < 2 ? shop : other, threads[i], NS_PER_MS + i, CALLS_OF_A_THREAD,
			i + 1, children[i] };
		while (walk.left)
			call(&walk, 0, 0);
	}
	feed_end(&feed);
}
