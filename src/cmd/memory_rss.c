/* memory_rss.c: see memory_rss.h. The sampler reads memory beside its samples; the recording is one of samples.
 *
 * Unlike `record` this works with any program: of one without Python there are no functions, but there is memory. */
#include "cmd/memory_rss.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cmd/about.h"
#include "cmd/outputs.h"
#include "cmd/progress.h"
#include "cmd/signals.h"
#include "os/process.h"
#include "os/spawn.h"
#include "sample/doctor.h"
#include "sample/sampler.h"

static const uint64_t usual_interval = 10 * NS_PER_MS;

/* One run of the command. */
struct watching {
	const struct memory_rss_options *options;
	const struct invocation *invocation;
	struct outputs outputs;
	struct sampler *sampler;
	struct progress progress;
	pid_t pid;
	bool started, ended; /* by us; and how */
	int status;
};

static struct error *create_sampler(struct watching *w)
{
	_cleanup_about_ struct about about;
	uint64_t interval = w->options->interval ? w->options->interval : usual_interval;
	uint64_t rate = w->options->rate, period = rate ? 1000ull * NS_PER_S / rate : 0;
	if (period > interval) { /* memory is read when samples are taken */
		period = interval;
		rate = 1000ull * NS_PER_S / period;
	}
	struct sampler_options options = {
		.period_ns = period,
		.duration = w->options->duration,
		.follow = w->options->follow,
		.memory_every = interval,
		.info.rate_millihertz = rate,
	};
	about_init(&about, w->invocation);
	about_fill_info(&about, &options.info);
	return sampler_create(&options, outputs_sink(&w->outputs), &w->sampler);
}

static bool go_on(void *context, const struct recording_end *so_far)
{
	struct watching *w = context;
	if (w->started && !w->ended && spawn_has_ended(w->pid, &w->status))
		w->ended = true;
	if (w->started && !w->ended)
		signals_pass_on(w->pid);
	progress_show(&w->progress, so_far);
	return !w->ended && !signals_asked_to_end();
}

static struct error *tend(void *context, uint64_t now)
{
	struct watching *w = context;
	return outputs_flush(&w->outputs, now);
}

static struct error *start_target(struct watching *w)
{
	_cleanup_program_ struct program program = { 0 };
	if (w->options->pid)
		return outputs_open_default(&w->outputs, NULL, w->pid);
	TRY(program_resolve(w->options->program, w->invocation->words, getenv("PATH"), &program));
	TRY(outputs_check_folder(&w->outputs));
	TRY(spawn_program(program.executable, program.argv, &w->pid));
	w->started = true;
	return outputs_open_default(&w->outputs, program.name, w->pid);
}

/* What is no Python, or not yet, has memory all the same; what is not there, or may not be read, has none for us. */
static struct error *check_attach(const struct watching *w)
{
	struct target *target;
	if (!w->options->pid)
		return NULL;
	struct error *error = target_open(w->pid, &target);
	if (!error) {
		target_destroy(target);
		return NULL;
	}
	if (error->kind != ERROR_NOT_READY && error->kind != ERROR_UNSUPPORTED)
		return doctor_explain(w->pid, error);
	error_free(error);
	return NULL;
}

static struct error *check_words(const struct watching *w)
{
	const struct memory_rss_options *o = w->options;
	bool program = program_is_given(o->program, w->invocation->words);
	if (o->pid && program)
		return error_new(ERROR_USAGE, "give either a program to start or -p PID, not both");
	if (!o->pid && !program)
		return error_new(ERROR_USAGE, "nothing to look at: give a program to start, or -p PID");
	return NULL;
}

static struct error *run_sampler(struct watching *w)
{
	TRY(create_sampler(w));
	TRY(sampler_add(w->sampler, w->pid, w->started));
	const struct sampler_watch watch = { go_on, tend, w };
	struct error *error = sampler_run(w->sampler, &watch);
	progress_clear(&w->progress);
	struct error *end = sampler_finish(w->sampler, w->ended, w->status);
	if (!error)
		return end;
	error_free(end);
	return error;
}

static struct error *check_result(struct watching *w)
{
	if (sampler_processes(w->sampler))
		return NULL;
	w->outputs.discard = true;
	if (w->options->pid)
		return error_new(
			ERROR_FAILED, "nothing was read of process %d: it ended before the first reading", w->pid);
	return error_new(ERROR_FAILED,
		"nothing was read of %s: it ended before the first reading; -i makes them closer",
		program_what(w->options->program, w->invocation->words));
}

/* A target that we started ends before us; its status is ours. */
static void await_target(struct watching *w, int *ret_status)
{
	if (!w->started)
		return;
	if (!w->ended)
		w->ended = signals_await_end(w->pid, NULL, NULL, &w->status);
	if (w->ended)
		*ret_status = spawn_exit_status(w->status);
}

static struct error *watch_memory(struct watching *w)
{
	w->pid = w->options->pid;
	TRY(check_words(w));
	TRY(check_attach(w));
	TRY(outputs_open(&w->outputs, w->options->outputs, w->options->format));
	signals_catch();
	TRY(start_target(w));
	progress_init(&w->progress, w->options->duration, w->options->quiet);
	TRY(run_sampler(w));
	TRY(check_result(w));
	return outputs_finish(&w->outputs);
}

struct error *memory_rss_run(
	const struct memory_rss_options *options, const struct invocation *invocation, int *ret_status)
{
	struct watching w = { .options = options, .invocation = invocation };
	w.outputs.report = report_options_default();
	w.outputs.report.full_paths = options->full_paths;
	w.outputs.quiet = options->quiet;
	struct error *error = watch_memory(&w);
	await_target(&w, ret_status);
	sampler_destroy(w.sampler);
	outputs_deinit(&w.outputs);
	return error;
}
