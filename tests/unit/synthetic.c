/* synthetic.c: see synthetic.h. */
#include "synthetic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"

enum { LINES_OF_A_FUNCTION = 250 };
enum { FUTEX = 202, EPOLL_WAIT = 232 }; /* x86-64's */

/* A folder that no machine has: a golden file must not depend on what stands there. */
#define LIB "/nowhere/lib"

static void must(struct error *error)
{
	if (!error)
		return;
	fprintf(stderr, "synthetic recording: %s\n", error_message(error));
	abort();
}

struct text feed_text(const char *string)
{
	return (struct text){ string, strlen(string) };
}

void feed_begin(struct feed *feed, struct sink *sink, uint32_t rate)
{
	*feed = (struct feed){ .sink = sink, .period = NS_PER_S / rate, .time = NS_PER_S / rate };
	struct recording_info info = {
		.start_unix_ns = 1700000000u * (uint64_t)NS_PER_S,
		.rate_millihertz = rate * 1000ull,
		.mode = RECORDING_SAMPLES,
		.command = feed_text("pyrometer record -o shop.pyro app.py --port 8000"),
		.host = feed_text("furnace"),
		.tool = feed_text("pyrometer 0.1.0"),
		.system = feed_text("Linux 6.1.0 x86_64"),
	};
	must(sink->ops->begin(sink, &info));
}

uint32_t feed_process(struct feed *feed, uint32_t pid, const char *command, const char *search_path)
{
	char words[1024];
	size_t length = (size_t)snprintf(words, sizeof words, "%s", command);
	for (size_t i = 0; i < length && i < sizeof words; i++)
		words[i] = words[i] == ' ' ? '\0' : words[i];
	struct process_def def = {
		.id = ++feed->processes,
		.pid = pid,
		.parent = feed->processes > 1,
		.python_version = 0x030b07f0,
		.command = { words, length },
		.executable = feed_text("/usr/bin/python3.11"),
		.search_path = feed_text(search_path),
	};
	must(feed->sink->ops->process(feed->sink, &def));
	return def.id;
}

uint32_t feed_thread(struct feed *feed, uint32_t process, uint32_t tid, const char *name)
{
	struct thread_def def = {
		.id = ++feed->threads,
		.process = process,
		.tid = tid,
		.flags = strcmp(name, "MainThread") == 0,
		.ident = 0x7f0000000000u + tid,
		.name = feed_text(name),
	};
	must(feed->sink->ops->thread(feed->sink, &def));
	return def.id;
}

void feed_begin_calls(struct feed *feed, struct sink *sink)
{
	*feed = (struct feed){ .sink = sink, .period = NS_PER_MS, .time = NS_PER_S };
	struct recording_info info = {
		.start_unix_ns = 1700000000u * (uint64_t)NS_PER_S,
		.mode = RECORDING_CALLS,
		.command = feed_text("pyrometer calls -o bakery.pyro bake.py"),
		.host = feed_text("furnace"),
		.tool = feed_text("pyrometer 0.1.0"),
		.system = feed_text("Linux 6.1.0 x86_64"),
	};
	must(sink->ops->begin(sink, &info));
}

void feed_begin_lines(struct feed *feed, struct sink *sink, uint64_t start_unix_s)
{
	*feed = (struct feed){ .sink = sink, .period = NS_PER_MS, .time = NS_PER_S };
	struct recording_info info = {
		.start_unix_ns = start_unix_s * NS_PER_S,
		.mode = RECORDING_LINES,
		.command = feed_text("pyrometer lines -o mill.pyro mill.py"),
		.host = feed_text("furnace"),
		.tool = feed_text("pyrometer 0.1.0"),
		.system = feed_text("Linux 6.1.0 x86_64"),
	};
	must(sink->ops->begin(sink, &info));
}

void feed_begin_memory(struct feed *feed, struct sink *sink)
{
	*feed = (struct feed){ .sink = sink, .period = NS_PER_MS, .time = NS_PER_S };
	struct recording_info info = {
		.start_unix_ns = 9000000000 * NS_PER_S,
		.mode = RECORDING_MEMORY,
		.command = feed_text("pyrometer memory --lines -o cellar.pyro cellar.py"),
		.host = feed_text("furnace"),
		.tool = feed_text("pyrometer 0.1.0"),
		.system = feed_text("Linux 6.1.0 x86_64"),
	};
	must(sink->ops->begin(sink, &info));
}

static uint32_t define_code(struct feed *feed, struct code_def *def)
{
	def->id = ++feed->codes;
	must(feed->sink->ops->code(feed->sink, def));
	return def->id;
}

uint32_t feed_code(struct feed *feed, struct text name, struct text file, uint32_t first_line)
{
	static char table[2 * LINES_OF_A_FUNCTION];
	for (size_t i = 0; i < LINES_OF_A_FUNCTION; i++) {
		table[2 * i] = 2;
		table[2 * i + 1] = 1;
	}
	return define_code(feed, &(struct code_def){
					 .first_line = first_line,
					 .line_table_kind = LINES_KIND_LNOTAB_UNSIGNED,
					 .file = file,
					 .name = name,
					 .line_table = { table, sizeof table },
				 });
}

uint32_t feed_function(struct feed *feed, const char *name, const char *file, uint32_t first_line)
{
	return feed_code(feed, feed_text(name), feed_text(file), first_line);
}

uint32_t feed_synthetic(struct feed *feed, const char *word)
{
	return define_code(feed, &(struct code_def){ .flags = CODE_SYNTHETIC, .name = feed_text(word) });
}

uint32_t feed_stack(struct feed *feed, uint32_t parent, uint32_t code, uint32_t line)
{
	struct stack_def def = { ++feed->stacks, parent, code, (int32_t)(2 * line) };
	must(feed->sink->ops->stack(feed->sink, &def));
	return def.id;
}

uint32_t feed_callable(
	struct feed *feed, const char *name, const char *qualname, const char *file, uint32_t line, uint32_t flags)
{
	return define_code(feed, &(struct code_def){
					 .first_line = line,
					 .flags = flags,
					 .file = feed_text(file),
					 .name = feed_text(name),
					 .qualname = feed_text(qualname),
				 });
}

uint32_t feed_lined(struct feed *feed, const char *name, const char *qualname, const char *file, uint32_t first_line)
{
	return define_code(feed, &(struct code_def){
					 .first_line = first_line,
					 .line_table_kind = LINES_KIND_PLAIN,
					 .file = feed_text(file),
					 .name = feed_text(name),
					 .qualname = feed_text(qualname),
				 });
}

uint32_t feed_place(struct feed *feed, uint32_t code, int32_t line)
{
	struct stack_def def = { ++feed->stacks, 0, code, line };
	must(feed->sink->ops->stack(feed->sink, &def));
	return def.id;
}

uint32_t feed_builtin(struct feed *feed, const char *name)
{
	return feed_callable(feed, name, "", "~", 0, CODE_BUILTIN);
}

uint32_t feed_path(struct feed *feed, uint32_t parent, uint32_t code)
{
	struct stack_def def = { ++feed->stacks, parent, code, -1 };
	must(feed->sink->ops->stack(feed->sink, &def));
	return def.id;
}

void feed_event(struct feed *feed, const struct event *event)
{
	must(feed->sink->ops->events(feed->sink, event, 1));
}

void feed_samples(
	struct feed *feed, uint32_t thread, uint32_t stack, unsigned state, enum quality quality, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct event event = {
			.time = feed->time,
			.weight = { [WEIGHT_WALL] = feed->period },
			.thread = thread,
			.stack = stack,
			.state = (uint16_t)state,
			.syscall = state & STATE_IN_SYSCALL ? thread == 1 ? EPOLL_WAIT : FUTEX : 0,
			.kind = EVENT_SAMPLE,
			.quality = (uint8_t)quality,
			.waits_for = state & STATE_WAITS_GIL ? (thread == 1 ? 2 : 1) : 0,
		};
		feed_event(feed, &event);
		feed->time += feed->period;
	}
	feed->samples[quality] += count;
}

void feed_counter(
	struct feed *feed, uint32_t process, uint32_t thread, enum subject subject, uint64_t time, uint64_t value)
{
	struct event event = {
		.time = time,
		.weight = { [WEIGHT_COUNT] = value },
		.process = process,
		.thread = thread,
		.kind = EVENT_COUNTER,
		.subject = (uint8_t)subject,
	};
	feed_event(feed, &event);
}

void feed_tally(struct feed *feed, uint32_t thread, uint32_t stack, enum subject subject, uint64_t count, uint64_t wall,
	uint64_t cpu)
{
	feed_event(feed, &(struct event){
				 .time = feed->time,
				 .weight = { [WEIGHT_COUNT] = count, [WEIGHT_WALL] = wall, [WEIGHT_CPU] = cpu },
				 .process = 1,
				 .thread = thread,
				 .stack = stack,
				 .kind = EVENT_TALLY,
				 .subject = (uint8_t)subject,
			 });
}

void feed_calls(struct feed *feed, uint32_t thread, uint32_t stack, uint64_t count, uint64_t wall)
{
	feed_tally(feed, thread, stack, SUBJECT_CALLS, count, wall, 0);
}

void feed_cost(struct feed *feed, uint32_t process, enum subject subject, uint64_t inside, uint64_t beside)
{
	feed_event(feed, &(struct event){
				 .time = feed->time,
				 .weight = { [WEIGHT_WALL] = inside, [WEIGHT_CPU] = beside },
				 .process = process,
				 .kind = EVENT_TALLY,
				 .subject = (uint8_t)subject,
			 });
}

void feed_end(struct feed *feed)
{
	struct recording_end end = {
		.duration = feed->time,
		.ticks_due = feed->time / feed->period,
		.ticks_late = 3,
		.ticks_missed = 1,
		.samples = { feed->samples[0], feed->samples[1], feed->samples[2] },
		.own_cpu_ns = feed->time / 250,
	};
	must(feed->sink->ops->end(feed->sink, &end));
}

/* The shop's stacks, by what is at their end. */
struct shop {
	uint32_t parse, render, price, query, wait, churn, import, compile, partial, worker_wait, worker_hash;
};

static void define_shop(struct feed *feed, const char *root, struct shop *shop)
{
	char app[512], prices[512];
	snprintf(app, sizeof app, "%s/app.py", root);
	snprintf(prices, sizeof prices, "%s/shop/prices.py", root);
	uint32_t module = feed_function(feed, "<module>", app, 1), main_ = feed_function(feed, "main", app, 41);
	uint32_t handle = feed_function(feed, "Handler.handle", app, 22),
		 price = feed_function(feed, "Basket.price", prices, 8);
	uint32_t rate = feed_function(feed, "Basket.price.<locals>.<genexpr>", prices, 10);
	uint32_t dispatch = feed_function(feed, "Router.dispatch", LIB "/python3/dist-packages/router/core.py", 102);
	uint32_t call = feed_function(feed, "Router._call", LIB "/python3/dist-packages/router/core.py", 140);
	uint32_t loads = feed_function(feed, "loads", LIB "/python3.11/json/__init__.py", 299);
	uint32_t decode = feed_function(feed, "JSONDecoder.decode", LIB "/python3.11/json/decoder.py", 332);
	uint32_t raw = feed_function(feed, "JSONDecoder.raw_decode", LIB "/python3.11/json/decoder.py", 343);
	uint32_t find = feed_function(feed, "_find_and_load", "<frozen importlib._bootstrap>", 1165);
	uint32_t load = feed_function(feed, "_load_unlocked", "<frozen importlib._bootstrap>", 1120);
	uint32_t prices_module = feed_function(feed, "<module>", prices, 1);
	uint32_t select = feed_function(feed, "EpollSelector.select", LIB "/python3.11/selectors.py", 451);
	uint32_t bootstrap = feed_function(feed, "Thread._bootstrap", LIB "/python3.11/threading.py", 995);
	uint32_t run = feed_function(feed, "Thread.run", LIB "/python3.11/threading.py", 963);
	uint32_t worker = feed_function(feed, "digest_worker", app, 60), partial = feed_synthetic(feed, "<partial>");

	uint32_t at_module = feed_stack(feed, 0, module, 69), at_main = feed_stack(feed, at_module, main_, 9);
	uint32_t at_dispatch = feed_stack(feed, feed_stack(feed, at_main, dispatch, 11), call, 3);
	uint32_t at_handle = feed_stack(feed, at_dispatch, handle, 4);
	uint32_t at_loads = feed_stack(feed, at_handle, loads, 47), at_decode = feed_stack(feed, at_loads, decode, 5);
	shop->parse = feed_stack(feed, at_decode, raw, 12);
	shop->render = feed_stack(feed, at_dispatch, handle, 9);
	uint32_t at_price = feed_stack(feed, feed_stack(feed, at_dispatch, handle, 6), price, 3);
	shop->price = feed_stack(feed, at_price, rate, 1);
	shop->query = feed_stack(feed, feed_stack(feed, at_dispatch, handle, 6), price, 9);
	shop->wait = feed_stack(feed, at_main, select, 17);
	shop->churn = feed_stack(feed, feed_stack(feed, at_dispatch, handle, 7), price, 14);
	uint32_t at_import = feed_stack(feed, feed_stack(feed, at_module, find, 13), load, 8);
	shop->import = feed_stack(feed, at_import, prices_module, 4);
	shop->compile = at_import;
	shop->partial = feed_stack(feed, feed_stack(feed, 0, partial, 0), price, 9);
	uint32_t at_worker = feed_stack(feed, feed_stack(feed, feed_stack(feed, 0, bootstrap, 7), run, 2), worker, 5);
	shop->worker_wait = at_worker;
	shop->worker_hash = feed_stack(feed, feed_stack(feed, feed_stack(feed, 0, bootstrap, 7), run, 2), worker, 7);
}

static void feed_shop_main(struct feed *feed, const struct shop *shop, uint32_t thread)
{
	feed_samples(feed, thread, shop->compile, FEED_BUSY | STATE_IN_C, QUALITY_EXACT, 120);
	feed_samples(feed, thread, shop->import, FEED_BUSY, QUALITY_EXACT, 60);
	feed_samples(feed, thread, shop->parse, FEED_BUSY | STATE_IN_C, QUALITY_EXACT, 1900);
	feed_samples(feed, thread, shop->parse, FEED_BUSY, QUALITY_REPAIRED, 84);
	feed_samples(feed, thread, shop->price, FEED_BUSY, QUALITY_EXACT, 1480);
	feed_samples(feed, thread, shop->query, FEED_BUSY, QUALITY_EXACT, 610);
	feed_samples(feed, thread, shop->query, STATE_RUNNABLE | STATE_WAITS_GIL, QUALITY_EXACT, 130);
	feed_samples(feed, thread, shop->churn, FEED_BUSY, QUALITY_EXACT, 240);
	feed_samples(feed, thread, shop->churn, FEED_BUSY | STATE_GC, QUALITY_EXACT, 410);
	feed_samples(feed, thread, shop->render, FEED_BUSY, QUALITY_EXACT, 95);
	feed_samples(feed, thread, shop->partial, FEED_BUSY, QUALITY_PARTIAL, 7);
	feed_samples(feed, thread, shop->wait, FEED_IDLE | STATE_IN_C, QUALITY_EXACT, 2400);
}

void feed_shop(struct sink *sink, const char *root)
{
	struct feed feed;
	struct shop shop;
	char path[1024];
	snprintf(path, sizeof path, "%s\n" LIB "/python311.zip\n" LIB "/python3.11\n" LIB "/python3/dist-packages",
		root);
	feed_begin(&feed, sink, 1000);
	uint32_t parent = feed_process(&feed, 4242, "/usr/bin/python3 app.py --port 8000", path);
	uint32_t main_thread = feed_thread(&feed, parent, 4242, "MainThread"),
		 first = feed_thread(&feed, parent, 4250, "digest-1");
	uint32_t second = feed_thread(&feed, parent, 4251, "digest-2");
	define_shop(&feed, root, &shop);
	feed_counter(&feed, parent, main_thread, SUBJECT_CPU_TIME, 0, 20 * NS_PER_MS);
	feed_counter(&feed, parent, 0, SUBJECT_GIL_SWITCHES, 0, 1000);
	for (unsigned i = 0; i < 3; i++)
		feed_counter(&feed, parent, 0, SUBJECT_GC_GENERATION0 + i, 0, 10);
	feed_shop_main(&feed, &shop, main_thread);
	uint64_t end = feed.time;
	feed_counter(&feed, parent, main_thread, SUBJECT_CPU_TIME, end, 20 * NS_PER_MS + 4980ull * NS_PER_MS);
	feed_counter(&feed, parent, 0, SUBJECT_GIL_SWITCHES, end, 6210);
	feed_counter(&feed, parent, 0, SUBJECT_GC_GENERATION0, end, 581);
	feed_counter(&feed, parent, 0, SUBJECT_GC_GENERATION1, end, 62);
	feed_counter(&feed, parent, 0, SUBJECT_GC_GENERATION2, end, 14);
	/* The others were sampled at the same times: their clock starts again. */
	feed.time = feed.period;
	feed_samples(&feed, first, shop.worker_wait, FEED_IDLE, QUALITY_EXACT, 7000);
	feed_samples(&feed, first, shop.worker_hash, STATE_RUNNABLE | STATE_WAITS_GIL, QUALITY_EXACT, 190);
	feed_samples(&feed, first, shop.worker_hash, FEED_BUSY | STATE_IN_C, QUALITY_EXACT, 340);
	feed.time = feed.period;
	feed_samples(&feed, second, shop.worker_wait, FEED_IDLE, QUALITY_EXACT, 7530);
	uint32_t child = feed_process(&feed, 4260, "/usr/bin/python3 app.py --port 8000", path),
		 child_main = feed_thread(&feed, child, 4260, "MainThread");
	uint32_t c_thread = feed_thread(&feed, child, 4262, "libuv");
	feed.time = feed.period;
	feed_samples(&feed, child_main, shop.query, FEED_BUSY, QUALITY_EXACT, 520);
	feed_samples(&feed, c_thread, 0, STATE_ON_CPU, QUALITY_EXACT, 40);
	feed.time = end;
	feed_end(&feed);
}

static const struct text hostile_names[] = {
	{ "a;b;c", 5 },
	{ "two words", 9 },
	{ "line\nbreak\r\ttab", 15 },
	{ "\"quotes\" '<&>]]>\\", 17 },
	{ "nul\0inside", 10 },
	{ "surrogate\xed\xa0\x80", 12 },
	{ "invalid\xff\xfe\xc3", 10 },
	{ "", 0 },
	{ "\xc3\xa4\xe4\xb8\xad\xf0\x9f\x94\xa5", 9 },
	{ "42", 2 },
	{ "\x1b[31mred\x7f", 9 },
	{ "noncharacter\xef\xbf\xbe", 15 },
	{ "</script><script>alert(1)</script>", 34 },
};

void feed_hostile(struct sink *sink)
{
	enum { LONG = 64 * 1024, DEEP = 10000 };
	static char longest[LONG];
	struct feed feed;
	memset(longest, 'x', sizeof longest);
	feed_begin(&feed, sink, 1000);
	uint32_t process = feed_process(&feed, 1, "weird \"command\"\n;", ""),
		 thread = feed_thread(&feed, process, 1, "a;b \"thread\"\n");
	uint32_t root = feed_stack(&feed, 0, feed_function(&feed, "<module>", "/tmp/a;b c.py", 1), 3);
	for (size_t i = 0; i < sizeof hostile_names / sizeof *hostile_names; i++) {
		uint32_t code = feed_code(&feed, hostile_names[i], hostile_names[i], (uint32_t)i);
		feed_samples(
			&feed, thread, feed_stack(&feed, root, code, 1), FEED_BUSY, QUALITY_EXACT, 10 + (unsigned)i);
	}
	uint32_t code = feed_code(
		&feed, (struct text){ longest, sizeof longest }, (struct text){ longest, sizeof longest }, 1);
	feed_samples(&feed, thread, feed_stack(&feed, root, code, 1), FEED_BUSY, QUALITY_EXACT, 30);
	uint32_t down = feed_function(&feed, "down", "/gone/deep.py", 1), stack = root;
	for (unsigned i = 0; i < DEEP; i++)
		stack = feed_stack(&feed, stack, down, 2 + i % 2);
	feed_samples(&feed, thread, stack, FEED_BUSY, QUALITY_EXACT, 50);
	feed_end(&feed);
}

void feed_many(struct sink *sink, unsigned samples, unsigned stacks)
{
	enum { FUNCTIONS = 2000 };
	struct feed feed;
	feed_begin(&feed, sink, 10000);
	uint32_t process = feed_process(&feed, 77, "python3 many.py", "/srv/many"),
		 thread = feed_thread(&feed, process, 77, "MainThread");
	for (unsigned i = 0; i < FUNCTIONS; i++) {
		char name[64], file[64];
		snprintf(name, sizeof name, "function_%u", i);
		snprintf(file, sizeof file, "/srv/many/module_%u.py", i / 20);
		feed_function(&feed, name, file, 10 + i % 20 * 30);
	}
	uint32_t *leaves = malloc(stacks * sizeof *leaves);
	if (!leaves)
		abort();
	for (unsigned i = 0; i < stacks; i++) {
		unsigned depth = 12 + (unsigned)(hash_u64(i + 1) % 49),
			 shared = i ? (unsigned)(hash_u64(i * 7 + 3) % 8) : 0;
		uint32_t stack = shared && i ? leaves[hash_u64(i * 13 + 5) % i] : 0;
		for (unsigned level = stack ? depth - 4 : 0; level < depth; level++) {
			uint64_t random = hash_u64((uint64_t)i << 32 | (level + 1));
			stack = feed_stack(
				&feed, stack, 1 + (uint32_t)(random % FUNCTIONS), (uint32_t)(random >> 32) % 25);
		}
		leaves[i] = stack;
	}
	for (unsigned i = 0; i < samples; i++)
		feed_samples(&feed, thread, leaves[hash_u64(i + 1) % stacks], FEED_BUSY, QUALITY_EXACT, 1);
	free(leaves);
	feed_end(&feed);
}
