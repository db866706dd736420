/* memory.c: `pyrometer memory`: who allocates, what leaks, what made the peak; and with --rss how the memory of the
 * whole process moves. */
#include <errno.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cmd/measure.h"
#include "cmd/memory_options.h"
#include "cmd/memory_rss.h"

struct memory_options {
	struct measure_options measure;
	struct memory_options_view view;
	struct memory_limits limits;
	enum report_by by;
	bool python_allocators, lines, rss;
	uint64_t interval, rate;
	const char *collect;
};

static struct error *run_rss(const struct invocation *invocation, int *ret_status)
{
	const struct memory_options *o = invocation->options;
	if (memory_options_given(&o->view) || o->python_allocators || o->lines || o->by || o->limits.peak ||
		o->limits.leak)
		return error_new(
			ERROR_USAGE, "--rss looks at the process as a whole: it has no allocations to choose from");
	return memory_rss_run(&o->measure.target, o->interval, o->rate, invocation, ret_status);
}

/* For the Python package: beside a process that measures itself, until it ends. It is nobody's child, so that no
 * program that waits for its children waits for us. */
static struct error *collect(const struct invocation *invocation, int *ret_status)
{
	const struct memory_options *o = invocation->options;
	_cleanup_buffer_ struct buffer path = { 0 };
	if (!o->measure.target.pid)
		return error_new(ERROR_USAGE, "--collect is for the process that -p names");
	buffer_printf(&path, "%s/memory.pyro", o->collect);
	const char *output = buffer_string(&path);
	struct measure_options options = o->measure;
	options.target.quiet = true;
	options.target.outputs = (struct option_list){ 0 };
	if (path.failed || !vec_push(&options.target.outputs.items, output))
		return &error_no_memory;
	struct measuring measuring = {
		.options = &options,
		.invocation = invocation,
		.command_name = "memory",
		.what = "allocations were measured",
		.mode = RECORDING_MEMORY,
		.orders = { .memory = true },
		.collected = o->collect,
	};
	pid_t child = fork();
	struct error *error = NULL;
	if (child < 0)
		error = error_os(errno, "cannot begin to collect");
	else if (!child && setsid() > 0)
		error = measure_run(&measuring, ret_status);
	vec_free(&options.target.outputs.items);
	return error;
}

static struct error *memory_run(const struct invocation *invocation, int *ret_status)
{
	const struct memory_options *o = invocation->options;
	if (o->rss)
		return run_rss(invocation, ret_status);
	if (o->collect)
		return collect(invocation, ret_status);
	if (o->interval)
		return error_new(ERROR_USAGE, "-i is for --rss: otherwise every allocation is taken");
	if (!o->lines && (o->measure.filter.only.items.count || o->measure.filter.exclude.items.count))
		return error_new(ERROR_USAGE, "-f and --exclude are for --lines: otherwise all allocations are taken");
	if (o->measure.target.pid)
		return error_new(
			ERROR_USAGE, "with -p there is --rss alone: allocations are taken from a program's start");
	struct measuring measuring = {
		.options = &o->measure,
		.invocation = invocation,
		.command_name = "memory",
		.what = "allocations were measured",
		.mode = RECORDING_MEMORY,
		.orders = { .memory = true,
			.domains = o->python_allocators || o->lines,
			.with_lines = o->lines,
			.own = !o->measure.filter.only.items.count,
			.profile = true },
		.by = o->by,
		.limits = o->limits,
	};
	TRY(memory_options_choose(&o->view, &measuring.outputs.memory));
	return measure_run(&measuring, ret_status);
}

const struct command memory_command = {
	.name = "memory",
	.question = "Who allocates, what leaks, what made the peak?",
	.summary = "every allocation of a program, exactly; or its resident memory over time",
	.usage = (const char *const[]){ "[options] [--] PROGRAM [ARGUMENTS]", "[options] -m MODULE [ARGUMENTS]",
		"[options] -c CODE [ARGUMENTS]", "--rss [options] PROGRAM [ARGUMENTS]", "--rss [options] -p PID",
		NULL },
	.description =
		"Starts a Python program (3.8 and newer) and takes every allocation and every free, of malloc and its kin and of "
		"mmap, from the process's start to its end, with the Python call path of each. At the end it prints the peak and "
		"what was live then, line by line, in the words of tracemalloc. Bytes are those asked for of the allocators.\n\n"
		"Python takes memory for small objects in arenas; without --python-allocators the line that made it take one has "
		"it, with it each object is told apart. Calls and returns cost nothing, an allocation costs its call path.\n\n"
		"With --lines it prints what memory_profiler does, for the program's own functions, those that -f names, or those that "
		"the script marks with `profile`: what each line made of its thread's memory, exactly, what it called included; and how "
		"often it was come to from another line. Such scripts run unchanged, be memory_profiler installed or not.\n\n"
		"With --rss it reads every 10 ms how much memory the program has, from outside, with -s that of the processes that "
		"it starts, too; and which functions were on meanwhile. At the end the curve is drawn, with the peaks and the lines "
		"that made it move. Shared pages (PSS, USS) are looked at only as often as that takes less than a thousandth of the "
		"time.\n\n"
		"Without -o the recording is NAME-PID.pyro in the current folder; `pyrometer report` reads it, with --leaks, "
		"--between and all that can be asked here.",
	.options =
		(const struct option[]){
			PROGRAM_OPTION_ROWS(struct memory_options, measure.target.program),
			{ 's', "subprocesses", NULL, "follow the processes that it starts",
				OPTION_FLAG(struct memory_options, measure.target.follow) },
			{ 0, "python-allocators", NULL, "each object of Python's allocators, too",
				OPTION_FLAG(struct memory_options, python_allocators) },
			{ .help = "Line by line" },
			{ 0, "lines", NULL,
				"what each line of the program's own functions makes of its memory, as memory_profiler shows it; with Python's allocators",
				OPTION_FLAG(struct memory_options, lines) },
			{ 'f', "function", "PATTERN",
				"with --lines: only these functions: work, Class.*, pkg.mod:Class.*, src/**; may be given more than once",
				OPTION_LIST(struct memory_options, measure.filter.only) },
			{ 0, "exclude", "PATTERN", "with --lines: all functions but these; may be given more than once",
				OPTION_LIST(struct memory_options, measure.filter.exclude) },
			{ .help = "What is shown" },
			MEMORY_VIEW_OPTION_ROWS(struct memory_options, view),
			{ 0, "by", "WHAT", "what the rows are of (auto: of lines)",
				OPTION_CHOICE(struct memory_options, by, report_by_words) },
			{ 'n', "rows", "N", "rows of each table",
				OPTION_COUNT(struct memory_options, measure.table.rows) },
			{ .help = "For CI: status 100, and who it was" },
			{ 0, "limit-peak", "SIZE", "when more was live at once (200M; units are of 1024)",
				OPTION_SIZE(struct memory_options, limits.peak) },
			{ 0, "limit-leak", "SIZE",
				"when one call path of the main program, outside of imports, has more at its end",
				OPTION_SIZE(struct memory_options, limits.leak) },
			{ .help = "Resident memory over time" },
			{ 0, "rss", NULL, "resident memory over time, instead of allocations",
				OPTION_FLAG(struct memory_options, rss) },
			{ 'i', "interval", "TIME", "with --rss: between two readings (default 10ms)",
				OPTION_DURATION(struct memory_options, interval) },
			{ 'r', "rate", "RATE",
				"with --rss: samples a second of the functions that are on (default 1000; 10khz, an interval such as 100us, or max)",
				OPTION_RATE(struct memory_options, rate) },
			{ 'p', "pid", "PID", "with --rss: look at this running process",
				OPTION_PID(struct memory_options, measure.target.pid) },
			{ 'd', "duration", "TIME", "with --rss: end after this long (10, 500ms, 2m)",
				OPTION_DURATION(struct memory_options, measure.target.duration) },
			{ .help = "For the Python package" },
			{ 0, "collect", "FOLDER",
				"with -p: read what this process measures of itself in the folder, until it ends",
				OPTION_TEXT(struct memory_options, collect) },
			{ .help = "Output" },
			{ 'o', "output", "FILE",
				"where the result goes; its name gives the format: .pyro, .svg, .json, .txt, .collapsed, "
				".speedscope.json, .pb.gz, with --rss .dat; may be given more than once; - is stdout",
				OPTION_LIST(struct memory_options, measure.target.outputs) },
			{ 0, "format", "NAME", "the format of outputs whose name does not tell",
				OPTION_TEXT(struct memory_options, measure.target.format) },
			{ 0, "full-paths", NULL, "reports with whole file names",
				OPTION_FLAG(struct memory_options, measure.target.full_paths) },
			{ 'q', "quiet", NULL, "no progress and no report at the end",
				OPTION_FLAG(struct memory_options, measure.target.quiet) },
			{ 0 },
		},
	.rule = OPTIONS_BEFORE_WORD,
	.defaults = &(const struct memory_options){ .rate = 1000000 },
	.options_size = sizeof(struct memory_options),
	.examples =
		(const struct example[]){
			{ "memory app.py", "the peak of a script, line by line" },
			{ "memory --leaks --by traceback app.py", "what is never freed, with its callers" },
			{ "memory --python-allocators -o peak.svg app.py", "each object; the peak as a flame graph" },
			{ "memory --lines -f work app.py",
				"what each line of every function called work makes of its memory" },
			{ "memory --limit-peak 200M --limit-leak 1M app.py", "status 100 when it needs more" },
			{ "memory --rss app.py", "the curve of a script, to its end" },
			{ "memory --rss -s -o run.svg -- gunicorn app:app", "a command and its workers, as a picture" },
			{ "memory --rss -p 4242 -d 60", "a minute of a running process" },
			{ NULL, NULL },
		},
	.run = memory_run,
};
