#include "agent/calibrate.h"

#include "agent/codes/filter.h"
#include "agent/hooks.h"
#include "agent/lines/lines.h"
#include "agent/meter.h"

static const char source[] = "def empty(): pass\n"
			     "def loop(count):\n"
			     "    for _ in range(count): pass\n"
			     "def calls(count, function=empty):\n"
			     "    for _ in range(count): function()\n"
			     "def builtins(count, function=len, nothing=()):\n"
			     "    for _ in range(count): function(nothing)\n"
			     "def lines(count):\n"
			     "    for _ in range(count):\n"
			     "        a = 1\n"
			     "        a = 2\n"
			     "        a = 3\n"
			     "        a = 4\n";
enum { CALLS = 250, RUNS = 40, INPUT_FILE = 257 };

/* Ticks a turn of the loop, the least of several runs. */
static double measure(object *functions, const char *name)
{
	object *function = python.dict_get(functions, name), *count = python.make_long(CALLS);
	uint64_t least = UINT64_MAX;
	for (int i = 0; function && count && i < RUNS; i++) {
		uint64_t begun = ticks_now();
		object *done = python.call(function, count, NULL);
		uint64_t took = ticks_now() - begun;
		least = took < least ? took : least;
		if (!done)
			break;
		python.forget(done);
	}
	if (count)
		python.forget(count);
	return (double)least / CALLS;
}

/* What the innermost call of the measured loop was seen to take, on average: `run` called the leaf. */
static double seen_inside(const struct recorder_thread *thread)
{
	const struct segment_node *run = recorder_unit(thread->node->children);
	const struct segment_node *leaf = recorder_unit(run->children);
	return thread->node->children && run->children && leaf->calls ? (double)leaf->total / (double)leaf->calls : 0;
}

/* Of what a call takes without us, half is taken to be within it. */
static void split(double without, double with, double loop, double inside, uint64_t *inner, uint64_t *outer)
{
	double call = without > loop ? without - loop : 0, ours = with > without ? with - without : 0;
	double within = inside > call / 2 ? inside - call / 2 : 0;
	within = within < ours ? within : ours;
	*inner = (uint64_t)(within * 1024);
	*outer = (uint64_t)((ours - within) * 1024);
}

struct turn {
	double ticks, inside; /* a turn of the loop; of it, what the call was seen to take */
};

static struct turn measure_with_us(object *functions, const char *name)
{
	struct recorder_thread *thread = meter_use_spare_thread();
	double ticks = thread ? measure(functions, name) : 0;
	return (struct turn){ ticks, thread ? seen_inside(thread) : 0 };
}

static void measure_all(object *functions)
{
	struct segment_head *head = recorder.head;
	double loop = measure(functions, "loop"), call = measure(functions, "calls"),
	       builtin = measure(functions, "builtins");
	hooks_listen(true);
	meter_set_aside();
	struct turn calls = measure_with_us(functions, "calls"), builtins = measure_with_us(functions, "builtins");
	meter_take_back();
	split(call, calls.ticks, loop, calls.inside, &head->inner, &head->outer);
	split(builtin, builtins.ticks, loop, builtins.inside, &head->builtin_inner, &head->builtin_outer);
}

/* What this thread was seen to spend in a line of the function, on average. */
static double seen_in_line(object *function)
{
	object *code = python.get_attribute(function, "__code__");
	const struct segment_lines *lines = code ? lines_find(code) : NULL;
	uint64_t hits = 0, ticks = 0;
	for (uint32_t i = 0; lines && i < lines->count; i++) {
		hits += lines->lines[i].hits;
		ticks += lines->lines[i].own;
	}
	if (code)
		python.forget(code);
	return hits ? (double)ticks / (double)hits : 0;
}

static void measure_lines(object *functions)
{
	enum { LINES_OF_A_TURN = 5 };
	double without = measure(functions, "lines") / LINES_OF_A_TURN, with = 0, inside = 0;
	hooks_listen(true);
	meter_set_aside();
	if (meter_use_spare_thread()) {
		with = measure(functions, "lines") / LINES_OF_A_TURN;
		inside = seen_in_line(python.dict_get(functions, "lines"));
	}
	meter_take_back();
	double ours = with > without ? with - without : 0, within = inside > without ? inside - without : 0;
	within = within < ours ? within : ours;
	recorder.head->inner = (uint64_t)(within * 1024);
	recorder.head->outer = (uint64_t)((ours - within) * 1024);
}

void calibrate(void)
{
	object *names = python.new_dict();
	hooks_listen(false); /* what is run here is no call of the program's */
	object *done = names ? python.evaluate(source, INPUT_FILE, names, names) : NULL;
	if (done) {
		filter_exempt(true);
		(recorder.head->mode == SEGMENT_LINES ? measure_lines : measure_all)(names);
		filter_exempt(false);
		python.forget(done);
	}
	python.clear_error();
	if (names)
		python.forget(names);
	hooks_listen(true);
}
