/* record.c: `pyrometer record`: starts a program or looks at a running one, samples it, and says where the time went.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cmd/about.h"
#include "cmd/cmd.h"
#include "cmd/outputs.h"
#include "cmd/program.h"
#include "cmd/progress.h"
#include "cmd/signals.h"
#include "os/spawn.h"
#include "sample/doctor.h"
#include "sample/sampler.h"

struct record_options {
	struct program_options program;
	pid_t pid;
	uint64_t duration;
	uint64_t rate;
	struct option_list outputs;
	const char *format;
	bool follow, blocking, quiet, idle, threads, full_paths;
};

/* One run of the command. */
struct recording {
	const struct record_options *options;
	const struct invocation *invocation;
	struct outputs outputs;
	struct sampler *sampler;
	struct progress progress;
	pid_t pid;
	bool started, ended; /* by us; and how */
	int status;
};

/* ---- what the file says about itself ---- */

static uint64_t period_of(uint64_t millihertz)
{
	return millihertz ? 1000ull * NS_PER_S / millihertz : 0;
}

static struct error *create_sampler(struct recording *r)
{
	_cleanup_about_ struct about about;
	struct sampler_options options = {
		.period_ns = period_of(r->options->rate),
		.duration = r->options->duration,
		.blocking = r->options->blocking,
		.follow = r->options->follow,
		.info.rate_millihertz = r->options->rate,
	};
	about_init(&about, r->invocation);
	about_fill_info(&about, &options.info);
	return sampler_create(&options, outputs_sink(&r->outputs), &r->sampler);
}

/* ---- while it runs ---- */

static bool go_on(void *context, const struct recording_end *so_far)
{
	struct recording *r = context;
	if (r->started && !r->ended && spawn_has_ended(r->pid, &r->status))
		r->ended = true;
	if (r->started && !r->ended)
		signals_pass_on(r->pid);
	progress_show(&r->progress, so_far);
	return !r->ended && !signals_asked_to_end();
}

static struct error *tend(void *context, uint64_t now)
{
	struct recording *r = context;
	return outputs_flush(&r->outputs, now);
}

/* ---- before and after ---- */

static struct error *start_target(struct recording *r)
{
	_cleanup_program_ struct program program = { 0 };
	if (r->options->pid)
		return outputs_open_default(&r->outputs, NULL, r->pid);
	TRY(program_resolve(&r->options->program, r->invocation->words, getenv("PATH"), &program));
	TRY(outputs_check_folder(&r->outputs));
	TRY(spawn_program(program.executable, program.argv, &r->pid));
	r->started = true;
	return outputs_open_default(&r->outputs, program.name, r->pid);
}

/* Attaching fails at once and with the reason; a started program has time to become a Python. */
static struct error *check_attach(const struct recording *r)
{
	struct target *target;
	if (!r->options->pid)
		return NULL;
	struct error *error = target_open(r->pid, &target);
	if (!error) {
		target_destroy(target);
		return NULL;
	}
	if (error->kind != ERROR_NOT_READY)
		return doctor_explain(r->pid, error);
	error_free(error);
	return NULL;
}

static struct error *check_words(const struct record_options *options, const struct invocation *invocation)
{
	bool program = program_is_given(&options->program, invocation->words);
	if (options->pid && program)
		return error_new(ERROR_USAGE, "give either a program to start or -p PID, not both");
	if (!options->pid && !program)
		return error_new(ERROR_USAGE, "nothing to record: give a program to start, or -p PID");
	return NULL;
}

static struct error *run_sampler(struct recording *r)
{
	TRY(create_sampler(r));
	TRY(sampler_add(r->sampler, r->pid, r->started));
	const struct sampler_watch watch = { go_on, tend, r };
	struct error *error = sampler_run(r->sampler, &watch);
	progress_clear(&r->progress);
	struct error *end = sampler_finish(r->sampler, r->ended, r->status);
	if (!error)
		return end;
	error_free(end);
	return error;
}

static struct error *check_result(struct recording *r)
{
	if (sampler_processes(r->sampler))
		return NULL;
	const char *problem = sampler_problem(r->sampler);
	r->outputs.discard = true;
	const char *why = problem ? problem : "no Python ran in it";
	if (r->options->pid)
		return error_new(ERROR_UNSUPPORTED, "nothing was recorded of process %d: %s", r->options->pid, why);
	return error_new(ERROR_UNSUPPORTED, "nothing was recorded of %s: %s",
		program_what(&r->options->program, r->invocation->words), why);
}

/* A target that we started ends before us; its status is ours. */
static void await_target(struct recording *r, int *ret_status)
{
	if (!r->started)
		return;
	if (!r->ended)
		r->ended = signals_await_end(r->pid, NULL, NULL, &r->status);
	if (r->ended)
		*ret_status = spawn_exit_status(r->status);
}

static struct error *record(struct recording *r)
{
	const struct record_options *o = r->options;
	r->pid = o->pid;
	TRY(check_words(o, r->invocation));
	TRY(check_attach(r));
	TRY(outputs_open(&r->outputs, &o->outputs, o->format));
	signals_catch();
	TRY(start_target(r));
	progress_init(&r->progress, o->duration, o->quiet);
	TRY(run_sampler(r));
	TRY(check_result(r));
	return outputs_finish(&r->outputs);
}

static struct error *record_run(const struct invocation *invocation, int *ret_status)
{
	const struct record_options *options = invocation->options;
	struct recording r = { .options = options, .invocation = invocation };
	struct report_options *report = &r.outputs.report;
	*report = report_options_default();
	report->view.idle = options->idle;
	report->threads = options->threads;
	report->full_paths = options->full_paths;
	r.outputs.quiet = options->quiet;
	struct error *error = record(&r);
	await_target(&r, ret_status);
	sampler_destroy(r.sampler);
	outputs_deinit(&r.outputs);
	return error;
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
			{ 'p', "pid", "PID", "look at this running process", OPTION_PID(struct record_options, pid) },
			PROGRAM_OPTION_ROWS(struct record_options, program),
			{ 'd', "duration", "TIME", "end after this long (10, 500ms, 2m)",
				OPTION_DURATION(struct record_options, duration) },
			{ 'r', "rate", "RATE",
				"samples a second (default 1000; 10khz, an interval such as 100us, or max)",
				OPTION_RATE(struct record_options, rate) },
			{ 's', "subprocesses", NULL, "follow the processes that it starts",
				OPTION_FLAG(struct record_options, follow) },
			{ 0, "blocking", NULL,
				"stop the thread that holds the GIL while it is read: exact, but it costs the program some 40 us "
				"a sample",
				OPTION_FLAG(struct record_options, blocking) },
			{ 'o', "output", "FILE",
				"where the result goes; its name gives the format: .pyro, .svg, .collapsed, .speedscope.json, "
				".pb.gz, .json, .txt; may be given more than once; - is stdout",
				OPTION_LIST(struct record_options, outputs) },
			{ 0, "format", "NAME", "the format of outputs whose name does not tell",
				OPTION_TEXT(struct record_options, format) },
			{ 0, "idle", NULL, "reports with idle time", OPTION_FLAG(struct record_options, idle) },
			{ 0, "threads", NULL, "reports with a root frame for each thread",
				OPTION_FLAG(struct record_options, threads) },
			{ 0, "full-paths", NULL, "reports with whole file names",
				OPTION_FLAG(struct record_options, full_paths) },
			{ 'q', "quiet", NULL, "no progress and no report at the end",
				OPTION_FLAG(struct record_options, quiet) },
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
