/* cellar.c: a recording of memory in which lines were measured, of the functions of tests/golden/cellar.py. Every
 * number is known:
 *
 *                                                     entered       increment    usage (MiB)
 *     fill: twice by one thread (resident: 20 MiB), once by another (21 MiB)
 *          7  wine = [1] * barrels                          3   24,000,168 B    43
 *          8  for barrel in wine                          303            0 B    43
 *          9      label = str(barrel)                     300      2,048 B      43.5
 *         11  del wine                                      3  −24,000,168 B    21
 *         12  return (label, barrels)                       3          −56 B    21
 *     Cellar.empty, never called
 *     the lambda, whose body is in its first line           4       52,428 B    30, resident: 24.5 MiB
 *     taste, 3 calls
 *         25  if depth                                      3            0 B    25, resident: 25 MiB
 *         26  taste(depth - 1)                              2       52,429 B    25.1
 *     lost, in a file that is not there                     1     2 GiB         3000, resident: 1 GiB
 *          4                                           1       -1 GiB         not measured */
#include "agent/memory/stream.h"
#include "synthetic.h"

enum { MIB = 1024 * 1024 };

struct cellar {
	struct feed feed;
	uint32_t thread, other;
};

static void feed_bytes(
	struct cellar *c, uint32_t thread, uint32_t stack, enum subject subject, uint64_t count, uint64_t bytes)
{
	feed_event(&c->feed, &(struct event){
				     .time = c->feed.time,
				     .weight = { [WEIGHT_COUNT] = count, [WEIGHT_BYTES] = bytes },
				     .process = 1,
				     .thread = thread,
				     .stack = stack,
				     .kind = EVENT_TALLY,
				     .subject = (uint8_t)subject,
			     });
}

static void feed_entered(struct cellar *c, uint32_t thread, uint32_t code, uint64_t calls, double resident)
{
	feed_bytes(c, thread, feed_place(&c->feed, code, -1), SUBJECT_MEMORY_LINES, calls, (uint64_t)(resident * MIB));
}

static void feed_got(
	struct cellar *c, uint32_t thread, uint32_t code, int32_t line, uint64_t count, int64_t bytes, double usage)
{
	uint32_t stack = feed_place(&c->feed, code, line);
	feed_bytes(c, thread, stack, SUBJECT_MEMORY_LINE, count, (uint64_t)bytes);
	feed_bytes(c, thread, stack, SUBJECT_MEMORY_LINE_USAGE, 0, (uint64_t)(usage * MIB));
}

static void feed_fill(struct cellar *c)
{
	uint32_t fill = feed_lined(&c->feed, "fill", "fill", "cellar.py", 4);
	feed_entered(c, c->other, fill, 1, 21);
	feed_entered(c, c->thread, fill, 2, 20);
	feed_got(c, c->thread, fill, 7, 2, 16000112, 43);
	feed_got(c, c->other, fill, 7, 1, 8000056, 29);
	feed_got(c, c->thread, fill, 8, 303, 0, 43);
	feed_got(c, c->thread, fill, 9, 300, 2048, 43.5);
	feed_got(c, c->other, fill, 11, 1, -8000056, 21);
	feed_got(c, c->thread, fill, 11, 2, -16000112, 20);
	feed_got(c, c->thread, fill, 12, 3, -56, 21);
}

/* What every recording of memory has. */
static void feed_allocations(struct cellar *c, uint32_t code)
{
	uint32_t stack = feed_path(&c->feed, 0, code);
	struct event event = { .time = c->feed.time,
		.weight = { [WEIGHT_BYTES] = 8000056, [WEIGHT_COUNT] = 1 },
		.process = 1,
		.thread = c->thread,
		.stack = stack,
		.state = ALLOCATOR_MALLOC,
		.kind = EVENT_ALLOC };
	feed_event(&c->feed, &event);
	event.kind = EVENT_TALLY;
	event.subject = SUBJECT_MEMORY_PEAK;
	feed_event(&c->feed, &event);
	event.thread = event.stack = event.state = 0;
	feed_event(&c->feed, &event);
}

void feed_cellar(struct sink *sink, const char *folder)
{
	struct cellar c = { 0 };
	feed_begin_memory(&c.feed, sink);
	uint32_t process = feed_process(&c.feed, 4242, "python3 cellar.py", folder);
	c.thread = feed_thread(&c.feed, process, 4242, "MainThread");
	c.other = feed_thread(&c.feed, process, 4243, "other");
	feed_fill(&c);
	uint32_t taste = feed_lined(&c.feed, "taste", "taste", "cellar.py", 24),
		 empty = feed_lined(&c.feed, "empty", "Cellar.empty", "cellar.py", 17),
		 press = feed_lined(&c.feed, "<lambda>", "<lambda>", "cellar.py", 21),
		 lost = feed_lined(&c.feed, "lost", "", "/nowhere/lost.py", 2);
	feed_entered(&c, 0, empty, 0, 0);
	feed_entered(&c, c.thread, press, 4, 24.5);
	feed_got(&c, c.thread, press, 21, 4, 52428, 30);
	feed_entered(&c, c.thread, taste, 3, 25);
	feed_got(&c, c.thread, taste, 25, 3, 0, 25);
	feed_got(&c, c.thread, taste, 26, 2, 52429, 25.1);
	feed_entered(&c, c.thread, lost, 1, 1024);
	feed_got(&c, c.thread, lost, 3, 1, 2048ll * MIB, 3000);
	feed_got(&c, c.thread, lost, 4, 1, -1024ll * MIB, 0);
	feed_allocations(&c, feed_function(&c.feed, "fill", "cellar.py", 4));
	feed_end(&c.feed);
}
