/* mill.c: a recording of lines in which every number is known: the functions of tests/golden/mill.py, and one of a file
 * that is not there. A hit costs 10 ns inside of its line and 5 beside it; in the second process 20 and 0.
 *
 *                                                          hits      time   in what it called
 *     grind: twice by one thread, once by another, and once in another process
 *          7  total = 0                                       4      4 us
 *          8  for kernel in grain                            44      8 us
 *          9      total += crush(kernel)                     40    900 us   800 us, 660 hits
 *         11  return (total, "flour")                         4      1 us
 *     crush, which calls itself: its lines contain each other
 *         16  if kernel < 2                                 240    100 us
 *         17  return kernel                                 140     50 us
 *         18  return crush(kernel - 1) + ...                100    720 us   600 us, 400 hits
 *             all of it, 40 calls                                  800 us           620 hits
 *     Mill.idle, never called
 *     lost, in another file                                          800 s
 *          3                                     20,000,000,000      500 s
 *          4                                                  1      300 s */
#include "base/clock.h"
#include "synthetic.h"

struct mill {
	struct feed feed;
	uint32_t thread, other, child;
	struct {
		uint32_t code, stack;
		int32_t line;
	} places[64];
	size_t place_count;
};

/* Each place is one stack. */
static uint32_t place(struct mill *m, uint32_t code, int32_t line)
{
	for (size_t i = 0; i < m->place_count; i++)
		if (m->places[i].code == code && m->places[i].line == line)
			return m->places[i].stack;
	m->places[m->place_count].code = code;
	m->places[m->place_count].line = line;
	m->places[m->place_count].stack = feed_place(&m->feed, code, line);
	return m->places[m->place_count++].stack;
}

static void feed_hits(struct mill *m, uint32_t thread, uint32_t code, int32_t line, uint64_t hits, uint64_t us)
{
	feed_tally(&m->feed, thread, place(m, code, line), SUBJECT_LINE, hits, us * 1000, us * 900);
}

static void feed_inside(struct mill *m, uint32_t code, int32_t line, uint64_t hits, uint64_t us)
{
	feed_tally(&m->feed, m->thread, place(m, code, line), SUBJECT_LINE_INSIDE, hits, us * 1000, 0);
}

static void feed_function_of(struct mill *m, uint32_t thread, uint32_t code, uint64_t calls, uint64_t us)
{
	feed_tally(&m->feed, thread, place(m, code, -1), SUBJECT_LINES, calls, us * 1000, 0);
}

static void feed_grind(struct mill *m)
{
	uint32_t grind = feed_lined(&m->feed, "grind", "grind", "mill.py", 5),
		 again = feed_lined(&m->feed, "grind", "grind", "mill.py", 5);
	uint32_t sum = place(m, grind, 9);
	feed_function_of(m, m->thread, grind, 2, 800);
	feed_function_of(m, m->other, grind, 1, 100);
	feed_function_of(m, m->child, again, 1, 50);
	feed_hits(m, m->thread, grind, 7, 2, 2);
	feed_hits(m, m->other, grind, 7, 1, 1);
	feed_hits(m, m->child, again, 7, 1, 1);
	feed_hits(m, m->thread, grind, 8, 43, 7);
	feed_hits(m, m->child, again, 8, 1, 1);
	/* In two parts, as a recorder may bring them. */
	feed_tally(&m->feed, m->thread, sum, SUBJECT_LINE, 30, 600 * 1000, 500 * 1000);
	feed_tally(&m->feed, m->other, sum, SUBJECT_LINE, 10, 300 * 1000, 300 * 1000);
	feed_inside(m, grind, 9, 660, 800);
	feed_hits(m, m->thread, grind, 11, 4, 1);
}

static void feed_crush(struct mill *m)
{
	uint32_t crush = feed_lined(&m->feed, "crush", "crush", "mill.py", 15);
	feed_hits(m, m->thread, crush, 18, 100, 720);
	feed_hits(m, m->thread, crush, 16, 240, 100);
	feed_hits(m, m->thread, crush, 17, 140, 50);
	feed_inside(m, crush, 18, 400, 600);
	feed_function_of(m, m->thread, crush, 40, 800);
	feed_inside(m, crush, -1, 620, 0);
}

void feed_mill(struct sink *sink, const char *folder, uint64_t start_unix_s)
{
	struct mill m = { 0 };
	feed_begin_lines(&m.feed, sink, start_unix_s);
	uint32_t process = feed_process(&m.feed, 4242, "python3 mill.py", folder),
		 child = feed_process(&m.feed, 4250, "python3 mill.py", folder);
	m.thread = feed_thread(&m.feed, process, 4242, "MainThread");
	m.other = feed_thread(&m.feed, process, 4243, "other");
	m.child = feed_thread(&m.feed, child, 4250, "MainThread");
	uint32_t lost = feed_lined(&m.feed, "lost", "", "/nowhere/lost.py", 2),
		 idle = feed_lined(&m.feed, "idle", "Mill.idle", "mill.py", 22);
	feed_function_of(&m, m.thread, idle, 0, 0);
	feed_crush(&m);
	feed_grind(&m);
	feed_function_of(&m, m.thread, lost, 1, 800000000);
	feed_hits(&m, m.thread, lost, 3, 20000000000u, 500000000);
	feed_hits(&m, m.thread, lost, 4, 1, 300000000);
	feed_cost(&m.feed, process, SUBJECT_LINE_COST, 10000, 5000);
	feed_cost(&m.feed, child, SUBJECT_LINE_COST, 20000, 0);
	m.feed.time = 900 * (uint64_t)NS_PER_S;
	feed_end(&m.feed);
}
