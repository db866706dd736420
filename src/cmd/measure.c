/* measure.c: see measure.h. */
#include "cmd/measure.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cmd/about.h"
#include "cmd/segment.h"
#include "cmd/signals.h"
#include "inject/memory.h"
#include "inject/timeline.h"
#include "os/process.h"
#include "os/spawn.h"

enum { LOOK_EVERY = 2 * NS_PER_MS, LOOK_SELDOM = 50 * NS_PER_MS };

static struct text text_of(const struct buffer *buffer)
{
	return (struct text){ buffer->data, buffer->size };
}

/* ---- the recording ---- */

static struct error *begin_recording(struct measuring *c)
{
	_cleanup_about_ struct about about;
	struct sink *sink = outputs_sink(&c->outputs);
	struct recording_info info = { .mode = c->mode, .start_unix_ns = clock_read(CLOCK_REALTIME) };
	about_init(&about, c->invocation);
	about_fill_info(&about, &info);
	info.start_unix_ns -= clock_read(CLOCK_MONOTONIC) - c->began;
	drain_init(&c->drain, sink);
	c->drain.most_kept = c->most_kept;
	c->drain.wants_words = c->options->filter.only.items.count + c->options->filter.exclude.items.count > 0;
	return sink->ops->begin(sink, &info);
}

static struct error *end_recording(struct measuring *c)
{
	struct sink *sink = outputs_sink(&c->outputs);
	struct recording_end end = { .duration = clock_read(CLOCK_MONOTONIC) - c->began };
	recording_end_set_target(&end, c->ended, c->status);
	return sink->ops->end(sink, &end);
}

typedef struct error *drain_function(
	struct drain *drain, const char *path, const struct process_def *def, uint64_t began_ns);

/* What the agents of this run have in the folder: one segment a process. */
static struct error *drain_folder(struct measuring *c, drain_function *drain)
{
	const char *where = c->attach.folder ? c->attach.folder : c->launch.folder;
	_cleanup_closedir_ DIR *folder = opendir(where);
	if (!folder)
		return error_os(errno, "what is measured cannot be read any more in %s", where);
	for (struct dirent *entry; (entry = readdir(folder));) {
		_cleanup_buffer_ struct buffer path = { 0 };
		const char *end = strrchr(entry->d_name, '.');
		if (!end || strcmp(end, ".segment") != 0)
			continue;
		buffer_printf(&path, "%s/%s", where, entry->d_name);
		if (path.failed)
			return &error_no_memory;
		/* The file has the number that the process knows itself by: in a container it is another one. */
		struct process_def def = { .pid = c->options->target.pid ? (uint32_t)c->pid
									 : (uint32_t)strtoul(entry->d_name, NULL, 10),
			.command = text_of(&c->command) };
		struct error *error = drain(&c->drain, path.data, &def, c->began);
		if (error && error->kind != ERROR_NOT_READY)
			return error;
		error_free(error);
	}
	return NULL;
}

/* While the target runs. */
static struct error *meanwhile(struct measuring *c)
{
	if (!c->orders.timeline && !c->orders.memory)
		return NULL;
	TRY(drain_folder(c, c->orders.memory ? memory_take : timeline_take));
	uint64_t now = clock_read(CLOCK_MONOTONIC) - c->began;
	TRY(outputs_flush(&c->outputs, now));
	if (!memories_are_asked(&c->drain))
		return NULL;
	TRY(outputs_sync(&c->outputs));
	memories_answer(&c->drain);
	return NULL;
}

static struct error *check_result(struct measuring *c)
{
	if (c->drain.registry.process_count && !(c->drain.sealed[0] && !c->drain.calls))
		return NULL;
	c->outputs.discard = true;
	if (c->options->target.pid)
		return error_new(ERROR_UNSUPPORTED, "no %s in process %d: %s", c->what, c->pid,
			c->drain.sealed[0] ? c->drain.sealed : "it ended before");
	return error_new(ERROR_UNSUPPORTED, "no %s in %s: %s", c->what,
		program_what(&c->options->target.program, c->invocation->words),
		c->drain.sealed[0] ? c->drain.sealed
		: c->gives_rights
			? "it is given rights that its user has not (setuid, setgid or capabilities), and nothing can be loaded "
			  "into such a program: start pyrometer itself with them"
			: "no Python 3.8 or newer with a dynamic loader ran its main program in it");
}

/* ---- the target ---- */

static struct error *start_target(struct measuring *c)
{
	_cleanup_program_ struct program program = { 0 };
	TRY(program_resolve(&c->options->target.program, c->invocation->words, getenv("PATH"), &program));
	TRY(outputs_check_folder(&c->outputs));
	for (char **word = program.argv; *word; word++)
		buffer_add(&c->command, *word, strlen(*word) + 1);
	TRY(calls_filter_apply(&c->options->filter, &c->orders));
	c->orders.follow = c->options->target.follow;
	c->orders.owner = getpid();
	c->gives_rights = spawn_gives_rights(program.executable);
	TRY(launch_prepare(&c->launch, &c->orders));
	struct error *error = spawn_program(program.executable, program.argv, &c->pid);
	launch_done();
	if (error)
		return error;
	TRY(outputs_open_default(&c->outputs, program.name, c->pid));
	return segment_link(c->launch.folder, &c->outputs);
}

/* What the process was started with, as a started one's command is kept. */
static struct error *attach_target(struct measuring *c)
{
	_cleanup_process_ struct process process = { 0 };
	TRY(calls_filter_apply(&c->options->filter, &c->orders));
	c->pid = c->options->target.pid;
	TRY(attach_begin(&c->attach, c->pid, &c->orders, signals_asked_to_end));
	struct error *error = process_read(c->pid, &process);
	if (!error && process.command.size)
		buffer_add(&c->command, process.command.data, process.command.size);
	error_free(error);
	TRY(outputs_open_default(&c->outputs, NULL, c->pid));
	return segment_link(c->attach.folder, &c->outputs);
}

/* Beside a program that measures itself we are there as long as it is: where nothing happens, we look more and more
 * seldom. */
static uint64_t next_pause(const struct measuring *c, uint64_t taken_before)
{
	if (!c->collected || c->drain.taken != taken_before)
		return LOOK_EVERY;
	return c->pause * 2 < LOOK_SELDOM ? c->pause * 2 : LOOK_SELDOM;
}

/* Until the time is over, we are asked to end, or the process ends; then out of it. */
static struct error *await_attached(struct measuring *c)
{
	const uint64_t duration = c->options->target.duration, end = clock_now() + duration;
	struct error *error = NULL;
	while (!error && !signals_asked_to_end() && !(duration && clock_now() >= end)) {
		if (process_has_ended(c->pid)) {
			c->ended = true;
			break;
		}
		uint64_t taken = c->drain.taken;
		error = meanwhile(c);
		c->pause = next_pause(c, taken);
		clock_sleep_until(clock_now() + c->pause);
	}
	if (!c->collected)
		attach_end(&c->attach);
	return error;
}

/* What cannot be written any more does not end the program: it is waited for all the same. */
static void look(void *context)
{
	struct measuring *c = context;
	if (!c->failed)
		c->failed = meanwhile(c);
}

static struct error *await_started(struct measuring *c)
{
	c->ended = signals_await_end(c->pid, look, c, &c->status);
	return c->failed;
}

/* It measures itself, in a folder that it made; we remove it. */
static struct error *join_target(struct measuring *c)
{
	_cleanup_buffer_ struct buffer path = { 0 };
	struct drain_head head;
	c->pid = c->options->target.pid;
	buffer_printf(&path, "%s/%d-1.segment", c->collected, (int)c->pid);
	c->launch.folder = strdup(c->collected);
	if (!c->launch.folder || path.failed)
		return &error_no_memory;
	TRY(drain_read_head(buffer_string(&path), &head));
	c->began = head.start_ns; /* it began before us */
	return segment_link(c->launch.folder, &c->outputs);
}

static struct error *begin_target(struct measuring *c)
{
	if (c->collected)
		return join_target(c);
	return c->options->target.pid ? attach_target(c) : start_target(c);
}

static struct error *check_words(const struct target_options *target, char *const *words)
{
	TRY(target_options_check(target, words, "run"));
	if (target->follow && target->pid)
		return error_new(ERROR_USAGE, "-s is for programs that we start, not with -p");
	if (target->duration && !target->pid)
		return error_new(ERROR_USAGE, "-d is for -p PID: a program that is started is measured to its end");
	return NULL;
}

static struct error *measure(struct measuring *c)
{
	const struct measure_options *o = c->options;
	TRY(check_words(&o->target, c->invocation->words));
	TRY(table_options_apply(&o->table, c->mode, &c->outputs.report));
	TRY(outputs_open(&c->outputs, &o->target.outputs, o->target.format));
	signals_catch();
	c->began = clock_read(CLOCK_MONOTONIC); /* before the first call */
	TRY(begin_target(c));
	struct error *error = begin_recording(c), *waited = o->target.pid ? await_attached(c) : await_started(c);
	if (error)
		error_free(waited);
	TRY(error ? error : waited);
	TRY(drain_folder(c, drain_segment));
	TRY(end_recording(c));
	TRY(check_result(c));
	if (c->drain.sealed[0])
		fprintf(stderr, "pyrometer %s: warning: not all was measured: %s\n", c->command_name, c->drain.sealed);
	struct error *unmatched = calls_filter_check(&o->filter, &c->drain);
	/* What another pattern matched is kept. */
	c->outputs.discard = unmatched && !(c->orders.with_lines ? c->drain.entries : c->drain.calls);
	error = c->outputs.discard ? NULL : outputs_finish(&c->outputs);
	if (!error)
		return unmatched;
	error_free(unmatched);
	return error;
}

static bool is_limited(const struct measuring *c)
{
	return c->limits.peak || c->limits.leak;
}

static struct error *check_limits(struct measuring *c, int *ret_status)
{
	bool exceeded;
	TRY(memory_limits_check(&c->limits, c->outputs.profile, stderr, &exceeded));
	if (exceeded && !*ret_status)
		*ret_status = MEMORY_LIMITS_STATUS;
	return NULL;
}

struct error *measure_run(struct measuring *c, int *ret_status)
{
	const struct measure_options *options = c->options;
	c->outputs.report = report_options_default();
	c->outputs.report.by = c->by;
	c->outputs.report.full_paths = options->target.full_paths;
	c->outputs.quiet = options->target.quiet;
	c->outputs.profiled = is_limited(c);
	struct error *error = measure(c);
	if (c->pid && c->ended && !options->target.pid)
		*ret_status = spawn_exit_status(c->status);
	if (!error && is_limited(c))
		error = check_limits(c, ret_status);
	drain_deinit(&c->drain);
	launch_deinit(&c->launch);
	attach_deinit(&c->attach);
	outputs_deinit(&c->outputs);
	buffer_deinit(&c->command);
	return error;
}
