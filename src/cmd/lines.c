/* lines.c: `pyrometer lines`: how often each line runs, and how long it takes: exactly. */
#include "cmd/measure.h"

struct lines_options {
	struct measure_options measure;
};

static struct error *lines_run(const struct invocation *invocation, int *ret_status)
{
	const struct lines_options *options = invocation->options;
	struct measuring measuring = {
		.options = &options->measure,
		.invocation = invocation,
		.command_name = "lines",
		.what = "lines were measured",
		.mode = RECORDING_LINES,
		.orders = { .lines = true,
			.callees = options->measure.table.self,
			.own = !options->measure.filter.only.items.count,
			.profile = !options->measure.target.pid },
	};
	return measure_run(&measuring, ret_status);
}

const struct command lines_command = {
	.name = "lines",
	.question = "How often does each line of a function run, and how long does it take?",
	.summary = "count and time every line of chosen functions, exactly",
	.usage = (const char *const[]){ "[options] [--] PROGRAM [ARGUMENTS]", "[options] -m MODULE [ARGUMENTS]",
		"[options] -c CODE [ARGUMENTS]", "[options] -p PID", NULL },
	.description =
		"Starts a Python program (3.12 and newer) and measures every line of the functions that -f names; without -f, of all of the program's own code: "
		"not the standard library's, and nothing from site-packages. The answer is printed as line_profiler prints it.\n\n"
		"A line's time is that of all that happens until the next line of the same call: what it calls is in it. While it recurses "
		"into itself it counts once. Code that was not chosen runs as fast as without.\n\n"
		"With -p it does so in a program that runs, until -d, Ctrl-C or its end, and leaves it as it was.\n\n"
		"A PATTERN is a name (work: every function whose last name is work; Class.method; f.*: all inside of f), a file (src/**, "
		"app.py: it has a / or ends in .py), or a module or file, a colon and names from its top (pkg.mod:Class.*; pkg.mod: is all of "
		"it). A main script is the module that its file is.",
	.options =
		(const struct option[]){
			{ 'p', "pid", "PID", "measure in this running process",
				OPTION_PID(struct lines_options, measure.target.pid) },
			PROGRAM_OPTION_ROWS(struct lines_options, measure.target.program),
			{ 'd', "duration", "TIME", "with -p: end after this long (10, 500ms, 2m)",
				OPTION_DURATION(struct lines_options, measure.target.duration) },
			{ 's', "subprocesses", NULL, "follow the processes that it starts",
				OPTION_FLAG(struct lines_options, measure.target.follow) },
			CALLS_FILTER_OPTION_ROWS(struct lines_options, measure.filter),
			{ 'o', "output", "FILE",
				"where the result goes; its name gives the format; may be given more than once; - is stdout",
				OPTION_LIST(struct lines_options, measure.target.outputs) },
			{ 0, "format", "NAME", "the format of outputs whose name does not tell",
				OPTION_TEXT(struct lines_options, measure.target.format) },
			{ 0, "full-paths", NULL, "reports with whole file names",
				OPTION_FLAG(struct lines_options, measure.target.full_paths) },
			TABLE_OPTION_ROWS(struct lines_options, measure.table),
			TABLE_LINE_OPTION_ROWS(struct lines_options, measure.table),
			TABLE_TIME_OPTION_ROWS(struct lines_options, measure.table),
			{ 'q', "quiet", NULL, "no report at the end",
				OPTION_FLAG(struct lines_options, measure.target.quiet) },
			{ 0 },
		},
	.rule = OPTIONS_BEFORE_WORD,
	.options_size = sizeof(struct lines_options),
	.examples =
		(const struct example[]){
			{ "lines -f work app.py", "each line of every function that is called work" },
			{ "lines app.py", "of all functions that are the program's own" },
			{ "lines -p 4242 -d 5 -f 'app.views:*'", "five seconds of a running process" },
			{ NULL, NULL },
		},
	.run = lines_run,
};
