/* record.c: `pyrometer record`: starts a program or looks at a running one, samples it, and says where the time went.
 */
#include "base/clock.h"
#include "cmd/sampling.h"

struct record_options {
	struct target_options target;
	uint64_t rate;
	bool blocking, idle, threads;
};

static struct error *explain(const struct sampling *sampling, const char *what)
{
	const char *problem = sampler_problem(sampling->sampler);
	return error_new(
		ERROR_UNSUPPORTED, "nothing was recorded of %s: %s", what, problem ? problem : "no Python ran in it");
}

static struct error *record_run(const struct invocation *invocation, int *ret_status)
{
	const struct record_options *options = invocation->options;
	struct sampling sampling = {
		.target = &options->target,
		.invocation = invocation,
		.how = { .period_ns = options->rate ? 1000ull * NS_PER_S / options->rate : 0,
			.blocking = options->blocking,
			.info.rate_millihertz = options->rate },
		.explain = explain,
		.outputs.report = report_options_default(),
	};
	sampling.outputs.report.view.idle = options->idle;
	sampling.outputs.report.threads = options->threads;
	TRY(target_options_check(&options->target, invocation->words, "record"));
	return sampling_run(&sampling, ret_status);
}

const struct command record_command = {
	.name = "record",
	.question = "Where does the time go, without touching the program?",
	.summary = "sample a program that is started, or one that runs",
	.usage = (const char *const[]){ "[options] [--] PROGRAM [ARGUMENTS]", "[options] -m MODULE [ARGUMENTS]",
		"[options] -c CODE [ARGUMENTS]", "[options] -p PID", NULL },
	.description =
		"Looks at every thread of a Python program so many times a second, from outside: nothing is loaded into it, and it "
		"is not stopped. At the end the answer is printed: where the time went, by function.\n\n"
		"A .py file, a folder or zip file with __main__.py, -m and -c are run by Python; any other command is executed as it "
		"stands. The program keeps its terminal, its signals and its exit status. Ctrl-C ends the recording and reports.\n\n"
		"Without -o the recording is NAME-PID.pyro in the current folder; `pyrometer report` reads it.",
	.options =
		(const struct option[]){
			{ 'p', "pid", "PID", "look at this running process",
				OPTION_PID(struct record_options, target.pid) },
			PROGRAM_OPTION_ROWS(struct record_options, target.program),
			{ 'd', "duration", "TIME", "end after this long (10, 500ms, 2m)",
				OPTION_DURATION(struct record_options, target.duration) },
			{ 'r', "rate", "RATE",
				"samples a second (default 1000; 10khz, an interval such as 100us, or max)",
				OPTION_RATE(struct record_options, rate) },
			{ 's', "subprocesses", NULL, "follow the processes that it starts",
				OPTION_FLAG(struct record_options, target.follow) },
			{ 0, "blocking", NULL,
				"stop the thread that holds the GIL while it is read: exact, but it costs the program some 40 us "
				"a sample",
				OPTION_FLAG(struct record_options, blocking) },
			{ 'o', "output", "FILE",
				"where the result goes; its name gives the format: .pyro, .svg, .collapsed, .speedscope.json, "
				".pb.gz, .json, .txt; may be given more than once; - is stdout",
				OPTION_LIST(struct record_options, target.outputs) },
			{ 0, "format", "NAME", "the format of outputs whose name does not tell",
				OPTION_TEXT(struct record_options, target.format) },
			{ 0, "idle", NULL, "reports with idle time", OPTION_FLAG(struct record_options, idle) },
			{ 0, "threads", NULL, "reports with a root frame for each thread",
				OPTION_FLAG(struct record_options, threads) },
			{ 0, "full-paths", NULL, "reports with whole file names",
				OPTION_FLAG(struct record_options, target.full_paths) },
			{ 'q', "quiet", NULL, "no progress and no report at the end",
				OPTION_FLAG(struct record_options, target.quiet) },
			{ 0 },
		},
	.rule = OPTIONS_BEFORE_WORD,
	.defaults = &(const struct record_options){ .rate = 1000000 },
	.options_size = sizeof(struct record_options),
	.examples =
		(const struct example[]){
			{ "record app.py arg1", "start a script, record to its end" },
			{ "record -p 4242 -d 60 -o profile.svg", "a minute of a running process, as a flame graph" },
			{ "record -s -r 10khz -- gunicorn app:app",
				"a command and its workers, ten thousand times a second" },
			{ NULL, NULL },
		},
	.run = record_run,
};
