/* memory.c: `pyrometer memory`: how the memory of a program moves. */
#include "cmd/cmd.h"
#include "cmd/memory_rss.h"

struct memory_options {
	struct program_options program;
	struct option_list outputs;
	pid_t pid;
	uint64_t duration, interval, rate;
	const char *format;
	bool rss, follow, quiet, full_paths;
};

static struct error *memory_run(const struct invocation *invocation, int *ret_status)
{
	const struct memory_options *o = invocation->options;
	if (!o->rss)
		return error_new(ERROR_USAGE, "say what to look at: --rss is resident memory over time");
	const struct memory_rss_options rss = {
		.program = &o->program,
		.outputs = &o->outputs,
		.pid = o->pid,
		.duration = o->duration,
		.interval = o->interval,
		.rate = o->rate,
		.format = o->format,
		.follow = o->follow,
		.quiet = o->quiet,
		.full_paths = o->full_paths,
	};
	return memory_rss_run(&rss, invocation, ret_status);
}

const struct command memory_command = {
	.name = "memory",
	.question = "How does the process's memory move, over time?",
	.summary = "resident memory over time, of a program that is started or of one that runs",
	.usage = (const char *const[]){ "--rss [options] [--] PROGRAM [ARGUMENTS]",
		"--rss [options] -m MODULE [ARGUMENTS]", "--rss [options] -c CODE [ARGUMENTS]",
		"--rss [options] -p PID", NULL },
	.description =
		"Reads every 10 ms how much memory the program has, from outside, with -s that of the processes that it starts, "
		"too; and which functions were on meanwhile. At the end the curve is drawn, with the peaks and the lines that "
		"made it move. Shared pages (PSS, USS) are looked at only as often as that takes less than a thousandth of the "
		"time.\n\n"
		"Without -o the recording is NAME-PID.pyro in the current folder; `pyrometer report` reads it, and draws several "
		"in one picture. -o FILE.dat is a file for mprof.",
	.options =
		(const struct option[]){
			{ 0, "rss", NULL, "resident memory over time", OPTION_FLAG(struct memory_options, rss) },
			{ 'i', "interval", "TIME", "between two readings (default 10ms)",
				OPTION_DURATION(struct memory_options, interval) },
			{ 'p', "pid", "PID", "look at this running process", OPTION_PID(struct memory_options, pid) },
			PROGRAM_OPTION_ROWS(struct memory_options, program),
			{ 'd', "duration", "TIME", "end after this long (10, 500ms, 2m)",
				OPTION_DURATION(struct memory_options, duration) },
			{ 'r', "rate", "RATE",
				"samples a second of the functions that are on (default 1000; 10khz, an interval such as 100us, or max)",
				OPTION_RATE(struct memory_options, rate) },
			{ 's', "subprocesses", NULL, "follow the processes that it starts",
				OPTION_FLAG(struct memory_options, follow) },
			{ 'o', "output", "FILE",
				"where the result goes; its name gives the format: .pyro, .svg, .json, .dat, .txt; may be given "
				"more than once; - is stdout",
				OPTION_LIST(struct memory_options, outputs) },
			{ 0, "format", "NAME", "the format of outputs whose name does not tell",
				OPTION_TEXT(struct memory_options, format) },
			{ 0, "full-paths", NULL, "reports with whole file names",
				OPTION_FLAG(struct memory_options, full_paths) },
			{ 'q', "quiet", NULL, "no progress and no report at the end",
				OPTION_FLAG(struct memory_options, quiet) },
			{ 0 },
		},
	.rule = OPTIONS_BEFORE_WORD,
	.defaults = &(const struct memory_options){ .rate = 1000000 },
	.options_size = sizeof(struct memory_options),
	.examples =
		(const struct example[]){
			{ "memory --rss app.py", "the curve of a script, to its end" },
			{ "memory --rss -s -o run.svg -- gunicorn app:app", "a command and its workers, as a picture" },
			{ "memory --rss -p 4242 -d 60", "a minute of a running process" },
			{ NULL, NULL },
		},
	.run = memory_run,
};
