/* calls.c: `pyrometer calls`: how often each function is called, by whom, and how long it takes: exactly. */
#include "cmd/measure.h"

struct calls_options {
	struct measure_options measure;
	bool no_builtins, exceptions, timeline;
	uint32_t timeline_calls; /* 0: as many as are usual */
};

enum { TIMELINE_CALLS = 20000000 }; /* some 150 MB of a recording at most */

static struct error *calls_run(const struct invocation *invocation, int *ret_status)
{
	const struct calls_options *options = invocation->options;
	struct measuring measuring = {
		.options = &options->measure,
		.invocation = invocation,
		.command_name = "calls",
		.what = "calls were counted",
		.mode = RECORDING_CALLS,
		.orders = { .builtins = !options->no_builtins,
			.exceptions = options->exceptions,
			.timeline = options->timeline },
		.most_kept = options->timeline_calls ? options->timeline_calls : TIMELINE_CALLS,
	};
	if (options->timeline_calls && !options->timeline)
		return error_new(ERROR_USAGE, "--timeline-calls is for --timeline");
	return measure_run(&measuring, ret_status);
}

const struct command calls_command = {
	.name = "calls",
	.question = "How often is each function called, by whom, and how long does it take?",
	.summary = "count and time every call of a program, exactly",
	.usage = (const char *const[]){ "[options] [--] PROGRAM [ARGUMENTS]", "[options] -m MODULE [ARGUMENTS]",
		"[options] -c CODE [ARGUMENTS]", "[options] -p PID", NULL },
	.description =
		"Starts a Python program (3.8 and newer) and counts every call of a function, with its callers and its time: of all "
		"threads, generators, coroutines and recursion. The answer is printed as cProfile prints it.\n\n"
		"With -p it does so in a program that runs, until -d, Ctrl-C or its end, and leaves it as it was: nothing has to be "
		"installed in it. Calls that had begun before are not counted.\n\n"
		"With -f or --exclude functions are left out, and their time is that of the nearest counted caller. A PATTERN is "
		"a name (work: every function whose last name is work; Class.method; f.*: all inside of f), a file (src/**, app.py: it "
		"has a / or ends in .py), or a module or file, a colon and names from its top (pkg.mod:Class.*; pkg.mod: is all of it). "
		"A main script is the module that its file is. Builtins are counted where counted functions call them.\n\n"
		"Exact counts have a price for each call; `pyrometer record` tells where the time goes without touching the program.",
	.options =
		(const struct option[]){
			{ 'p', "pid", "PID", "count in this running process",
				OPTION_PID(struct calls_options, measure.target.pid) },
			PROGRAM_OPTION_ROWS(struct calls_options, measure.target.program),
			{ 'd', "duration", "TIME", "with -p: end after this long (10, 500ms, 2m)",
				OPTION_DURATION(struct calls_options, measure.target.duration) },
			{ 's', "subprocesses", NULL, "follow the processes that it starts",
				OPTION_FLAG(struct calls_options, measure.target.follow) },
			CALLS_FILTER_OPTION_ROWS(struct calls_options, measure.filter),
			{ 0, "no-builtins", NULL, "leave out functions that are written in C",
				OPTION_FLAG(struct calls_options, no_builtins) },
			{ 0, "exceptions", NULL, "count exceptions, too: where raised, where handled (from 3.12 on)",
				OPTION_FLAG(struct calls_options, exceptions) },
			{ 0, "timeline", NULL, "keep every single call, too: for -o FILE.trace.json or FILE.pftrace",
				OPTION_FLAG(struct calls_options, timeline) },
			{ 0, "timeline-calls", "N", "with --timeline: at most so many (20,000,000), then only count",
				OPTION_COUNT(struct calls_options, timeline_calls) },
			{ 'o', "output", "FILE",
				"where the result goes; its name gives the format; may be given more than once; - is stdout",
				OPTION_LIST(struct calls_options, measure.target.outputs) },
			{ 0, "format", "NAME", "the format of outputs whose name does not tell",
				OPTION_TEXT(struct calls_options, measure.target.format) },
			TABLE_OPTION_ROWS(struct calls_options, measure.table),
			TABLE_CALLER_OPTION_ROWS(struct calls_options, measure.table),
			{ 0, "full-paths", NULL, "reports with whole file names",
				OPTION_FLAG(struct calls_options, measure.target.full_paths) },
			{ 'q', "quiet", NULL, "no report at the end",
				OPTION_FLAG(struct calls_options, measure.target.quiet) },
			{ 0 },
		},
	.rule = OPTIONS_BEFORE_WORD,
	.options_size = sizeof(struct calls_options),
	.examples =
		(const struct example[]){
			{ "calls app.py", "count the calls of a script" },
			{ "calls --sort time -n 10 app.py", "the ten functions with the most time of their own" },
			{ "calls -p 4242 -d 5", "five seconds of a running process" },
			{ "calls -f 'shop.cart:Cart.*' app.py", "one class; the rest costs next to nothing" },
			{ "calls --callers put app.py", "who called put, and how often" },
			{ "calls --timeline -o app.pftrace app.py", "every call with its time, for ui.perfetto.dev" },
			{ "calls --exceptions app.py", "which lines raise, and which swallow it" },
			{ NULL, NULL },
		},
	.run = calls_run,
};
