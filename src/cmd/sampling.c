/* sampling.c: see sampling.h. */
#include "cmd/sampling.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "cmd/about.h"
#include "cmd/progress.h"
#include "cmd/signals.h"
#include "os/spawn.h"
#include "sample/doctor.h"

/* ---- before ---- */

/* What is no Python, or not yet, may become one, or has memory all the same; what is not there, or may not be read, has
 * nothing for us. */
static struct error *check_attach(const struct sampling *s)
{
	struct target *target;
	struct error *error = target_open(s->target->pid, &target);
	if (!error) {
		target_destroy(target);
		return NULL;
	}
	bool has_memory = s->how.memory_every && error->kind == ERROR_UNSUPPORTED;
	if (error->kind != ERROR_NOT_READY && !has_memory)
		return doctor_explain(s->target->pid, error);
	error_free(error);
	return NULL;
}

static struct error *start_target(struct sampling *s)
{
	_cleanup_program_ struct program program = { 0 };
	TRY(program_resolve(&s->target->program, s->invocation->words, getenv("PATH"), &program));
	TRY(outputs_check_folder(&s->outputs));
	TRY(spawn_program(program.executable, program.argv, &s->pid));
	return outputs_open_default(&s->outputs, program.name, s->pid);
}

static struct error *attach_target(struct sampling *s)
{
	s->pid = s->target->pid;
	return outputs_open_default(&s->outputs, NULL, s->pid);
}

static struct error *create_sampler(struct sampling *s)
{
	_cleanup_about_ struct about about;
	struct sampler_options options = s->how;
	options.duration = s->target->duration;
	options.follow = s->target->follow;
	about_init(&about, s->invocation);
	about_fill_info(&about, &options.info);
	return sampler_create(&options, outputs_sink(&s->outputs), &s->sampler);
}

/* ---- while it runs ---- */

static bool is_child(const struct sampling *s)
{
	return s->pid && !s->target->pid;
}

static bool go_on(void *context, const struct recording_end *so_far)
{
	struct sampling *s = context;
	if (is_child(s) && !s->ended)
		s->ended = spawn_has_ended(s->pid, &s->status);
	if (is_child(s) && !s->ended)
		signals_pass_on(s->pid);
	progress_show(&s->progress, so_far);
	return !s->ended && !signals_asked_to_end();
}

static struct error *tend(void *context, uint64_t now)
{
	struct sampling *s = context;
	return outputs_flush(&s->outputs, now);
}

static struct error *run_sampler(struct sampling *s)
{
	TRY(create_sampler(s));
	TRY(sampler_add(s->sampler, s->pid, is_child(s)));
	progress_init(&s->progress, s->target->duration, s->target->quiet);
	struct error *error = sampler_run(s->sampler, &(const struct sampler_watch){ go_on, tend, s });
	progress_clear(&s->progress);
	struct error *end = sampler_finish(s->sampler, s->ended, s->status);
	if (!error)
		return end;
	error_free(end);
	return error;
}

/* ---- after ---- */

static struct error *check_result(struct sampling *s)
{
	char process[sizeof "process " + 3 * sizeof s->pid];
	if (sampler_processes(s->sampler))
		return NULL;
	s->outputs.discard = true;
	snprintf(process, sizeof process, "process %d", s->pid);
	return s->explain(s, is_child(s) ? program_what(&s->target->program, s->invocation->words) : process);
}

/* A target that we started ends before us; its status is ours. */
static void await_child(struct sampling *s, int *ret_status)
{
	if (!is_child(s))
		return;
	if (!s->ended)
		s->ended = signals_await_end(s->pid, NULL, NULL, &s->status);
	if (s->ended)
		*ret_status = spawn_exit_status(s->status);
}

static struct error *run(struct sampling *s)
{
	const struct target_options *target = s->target;
	if (target->pid)
		TRY(check_attach(s));
	TRY(outputs_open(&s->outputs, &target->outputs, target->format));
	signals_catch();
	TRY(target->pid ? attach_target(s) : start_target(s));
	TRY(run_sampler(s));
	TRY(check_result(s));
	return outputs_finish(&s->outputs);
}

struct error *sampling_run(struct sampling *s, int *ret_status)
{
	s->outputs.report.full_paths = s->target->full_paths;
	s->outputs.quiet = s->target->quiet;
	struct error *error = run(s);
	await_child(s, ret_status);
	sampler_destroy(s->sampler);
	outputs_deinit(&s->outputs);
	return error;
}
