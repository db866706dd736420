#include "sample/sampler.h"

#include <sys/random.h>

#include "base/clock.h"
#include "os/punctual.h"
#include "os/task.h"
#include "recording/ticks.h"
#include "sample/housekeeping.h"
#include "sample/looks.h"
#include "sample/rss.h"
#include "sample/states.h"
#include "sample/threads.h"

enum {
	WATCH_EVERY = 50 * NS_PER_MS,
	TEND_EVERY = NS_PER_MS / 2,
	CALM_TEND_EVERY = 10 * NS_PER_MS,
	WAKE_EARLY = 50 * NS_PER_US, /* what is done between samples ends so long before the next, */
	WORK_SHARE = 10,	     /* ... but has one part in so many of a period in any case */
};

struct sampler {
	struct sampler_options options;
	struct sink *sink;
	struct registry registry;
	struct family family;
	struct stopper stopper;
	struct rss rss;
	struct recording_end totals;
	VEC(struct event) events; /* of this tick */
	uint64_t start;		  /* CLOCK_MONOTONIC at event time 0 */
	uint64_t tick;
	uint64_t watch_at, tend_at, cpu_at_start;
};

static uint64_t now_of(const struct sampler *sampler)
{
	return clock_now() - sampler->start;
}

/* ---- creation ---- */

struct error *sampler_create(const struct sampler_options *options, struct sink *sink, struct sampler **ret_sampler)
{
	struct sampler *sampler = calloc(1, sizeof *sampler);
	if (!sampler)
		return &error_no_memory;
	sampler->options = *options;
	sampler->sink = sink;
	registry_init(&sampler->registry, sink);
	family_init(&sampler->family, &sampler->registry, options->follow);
	rss_init(&sampler->rss, &sampler->family, options->memory_every);
	sampler->cpu_at_start = clock_read(CLOCK_PROCESS_CPUTIME_ID);
	punctual_ask();
	struct recording_info *info = &sampler->options.info;
	if (getrandom(&info->tick_seed, sizeof info->tick_seed, 0) != sizeof info->tick_seed)
		info->tick_seed = clock_read(CLOCK_REALTIME);
	info->tick_period_ns = options->period_ns;
	info->start_unix_ns = clock_read(CLOCK_REALTIME);
	info->mode = RECORDING_SAMPLES;
	info->blocking = options->blocking;
	sampler->start = clock_now();
	struct error *error = sink->ops->begin(sink, info);
	if (error) {
		sampler_destroy(sampler);
		return error;
	}
	*ret_sampler = sampler;
	return NULL;
}

void sampler_destroy(struct sampler *sampler)
{
	if (!sampler)
		return;
	stopper_deinit(&sampler->stopper);
	rss_deinit(&sampler->rss);
	family_deinit(&sampler->family);
	registry_deinit(&sampler->registry);
	vec_free(&sampler->events);
	free(sampler);
}

struct error *sampler_add(struct sampler *sampler, pid_t pid, bool started)
{
	if (started)
		sampler->stopper.child = pid;
	return family_add(&sampler->family, pid, NULL, started);
}

/* ---- one process at one tick ---- */

static struct thread *holder_thread(const struct target *target)
{
	for (size_t i = 0; i < target->threads.count; i++)
		if (target->threads.data[i]->tstate == target->held_by)
			return target->threads.data[i];
	return NULL;
}

static struct error *stop_one(
	struct sampler *sampler, const struct target *target, struct thread *thread, bool *ret_stopped)
{
	if (thread->proc_fd < 0)
		thread->proc_fd = task_open(target->pid, (pid_t)thread->tid);
	return stop_thread(&sampler->stopper, (pid_t)thread->tid, thread->proc_fd, ret_stopped);
}

/* With --blocking the thread that holds the GIL stands still while the sample is taken. It may have given the GIL away
 * before it stood: then it goes on, and the next one is tried. */
static struct error *stop_holder(struct sampler *sampler, struct target *target, pid_t *ret_stopped)
{
	enum { TRIES = 4 };
	*ret_stopped = 0;
	for (int i = 0; i < TRIES && sampler->options.blocking && target_read_holder(target); i++) {
		struct thread *holder = holder_thread(target);
		bool stopped = false;
		if (!holder || !holder->tid)
			return NULL;
		TRY(stop_one(sampler, target, holder, &stopped));
		if (!stopped)
			return NULL;
		if (target_read_holder(target) && target->held_by == holder->tstate) {
			*ret_stopped = (pid_t)holder->tid;
			return NULL;
		}
		stop_continue(&sampler->stopper, (pid_t)holder->tid);
	}
	return NULL;
}

static struct error *emit_samples(struct sampler *sampler, struct member *member, uint64_t now)
{
	struct target *target = member->target;
	struct thread *holder = holder_thread(target);
	/* A sample stands for the time since the tick before; the first for one period. */
	uint64_t wall = member->sampled_at ? now - member->sampled_at : sampler->options.period_ns;
	member->sampled_at = now;
	for (size_t i = 0; i < target->threads.count; i++) {
		struct thread *thread = target->threads.data[i];
		if (!thread->id && !threads_has_begun(target, i))
			continue;
		if (!thread->id)
			TRY(housekeeping_define_thread(&sampler->family, member, thread));
		struct event event = { .kind = EVENT_SAMPLE,
			.time = now,
			.process = member->id,
			.thread = thread->id,
			.stack = thread->stack,
			.quality = (uint8_t)thread->quality,
			.weight[WEIGHT_WALL] = wall };
		event.state = states_of_thread(target, thread, now, &event.syscall);
		if (event.state & STATE_WAITS_GIL && holder && holder != thread)
			event.waits_for = holder->id;
		if (!vec_push(&sampler->events, event))
			return &error_no_memory;
		sampler->totals.samples[thread->quality]++;
	}
	return NULL;
}

/* All looks of one read. */
static struct error *emit_looks(struct sampler *sampler, struct member *member, uint64_t now)
{
	struct target *target = member->target;
	TRY(emit_samples(sampler, member, now + looks_delay(target)));
	while (target_has_look(target)) {
		TRY(target_next_look(target));
		TRY(emit_samples(sampler, member, now + looks_delay(target)));
	}
	return NULL;
}

static struct error *sample_member(struct sampler *sampler, struct member *member, uint64_t now)
{
	pid_t stopped;
	/* Not of several processes, whose looks would come in another order than their times. */
	member->target->several_looks = !sampler->options.period_ns && !sampler->options.blocking &&
					sampler->family.members.count == 1;
	TRY(stop_holder(sampler, member->target, &stopped));
	struct error *error = target_sample(member->target, now);
	if (stopped)
		stop_continue(&sampler->stopper, stopped);
	if (!error)
		return emit_looks(sampler, member, now);
	if (error == &error_no_memory || error->kind == ERROR_DENIED)
		return error;
	error_free(error);
	sampler->watch_at = 0; /* it may have been the last */
	TRY(family_lose(&sampler->family, member, now));
	sampler->totals.read_errors += !member->gone;
	return NULL;
}

static struct error *flush_events(struct sampler *sampler)
{
	size_t count = sampler->events.count;
	sampler->events.count = 0;
	return count ? sampler->sink->ops->events(sampler->sink, sampler->events.data, count) : NULL;
}

static struct error *sample_all(struct sampler *sampler, uint64_t now)
{
	for (size_t i = 0; i < sampler->family.members.count; i++)
		if (sampler->family.members.data[i]->target)
			TRY(sample_member(sampler, sampler->family.members.data[i], now));
	return flush_events(sampler);
}

/* Everything but samples: after those of the tick, and until the next is near. */
static struct error *tend(struct sampler *sampler, uint64_t now)
{
	uint64_t period = sampler->options.period_ns, until = clock_now() + period / WORK_SHARE;
	if (period) {
		uint64_t next = tick_time(sampler->options.info.tick_seed, period, sampler->tick) - WAKE_EARLY;
		until = sampler->start + next > until ? sampler->start + next : until;
	}
	if (now >= sampler->tend_at) {
		sampler->tend_at = now + (family_is_calm(&sampler->family) ? CALM_TEND_EVERY : TEND_EVERY);
		TRY(family_tend(&sampler->family, now, until));
	}
	return housekeeping_run(&sampler->family, now, until);
}

/* ---- the loop ---- */

static bool has_target(const struct sampler *sampler)
{
	for (size_t i = 0; i < sampler->family.members.count; i++)
		if (sampler->family.members.data[i]->target)
			return true;
	return false;
}

/* Sleeps until the next tick. One that is past by less than a period is taken at once, late; those before are missed.
 */
static void wait_for_tick(struct sampler *sampler)
{
	uint64_t period = sampler->options.period_ns, seed = sampler->options.info.tick_seed;
	if (!period)
		return;
	uint64_t now = now_of(sampler);
	bool counts = has_target(sampler); /* before there is an interpreter nothing is missed */
	while (tick_time(seed, period, sampler->tick) + period <= now &&
		tick_time(seed, period, sampler->tick + 1) <= now) {
		sampler->tick++;
		sampler->totals.ticks_missed += counts;
		sampler->totals.ticks_due += counts;
	}
	uint64_t due = tick_time(seed, period, sampler->tick);
	if (due > now)
		clock_sleep_until(
			sampler->start + due); /* a signal ends the sleep: then the sample is early, by one tick */
	sampler->totals.ticks_due += counts;
	sampler->totals.ticks_late += counts && now_of(sampler) > due + period / 2;
	sampler->tick++;
}

static void update_totals(struct sampler *sampler, uint64_t now)
{
	sampler->totals.duration = now;
	sampler->totals.own_cpu_ns = clock_read(CLOCK_PROCESS_CPUTIME_ID) - sampler->cpu_at_start;
	sampler->totals.stopped_ns = sampler->stopper.stopped_ns;
}

static struct error *watch(struct sampler *sampler, const struct sampler_watch *watch, uint64_t now, bool *ret_go_on)
{
	*ret_go_on = !sampler->options.duration || now < sampler->options.duration;
	if (now < sampler->watch_at && *ret_go_on && sampler->family.members.count)
		return NULL;
	sampler->watch_at = now + WATCH_EVERY;
	update_totals(sampler, now);
	*ret_go_on = watch->go_on(watch->context, &sampler->totals) && *ret_go_on && sampler->family.members.count;
	return watch->tend(watch->context, now);
}

struct error *sampler_run(struct sampler *sampler, const struct sampler_watch *watch_with)
{
	bool go_on = true;
	while (go_on) {
		wait_for_tick(sampler);
		uint64_t now = now_of(sampler);
		TRY(sample_all(sampler, now));
		TRY(rss_tick(&sampler->rss, now));
		TRY(tend(sampler, now));
		TRY(watch(sampler, watch_with, now, &go_on));
	}
	return NULL;
}

/* ---- the end ---- */

struct error *sampler_finish(struct sampler *sampler, bool ended, int status)
{
	stopper_deinit(&sampler->stopper); /* the target runs on without us from here */
	update_totals(sampler, now_of(sampler));
	struct error *error = family_finish(&sampler->family, sampler->totals.duration);
	if (!error)
		error = rss_finish(&sampler->rss);
	struct family_children children = family_children(&sampler->family);
	sampler->totals.children_found = children.found;
	sampler->totals.unseen_children = children.unseen;
	sampler->totals.children_unknown = children.may_be_more;
	recording_end_set_target(&sampler->totals, ended, status);
	struct error *end = sampler->sink->ops->end(sampler->sink, &sampler->totals);
	if (!error)
		return end;
	error_free(end);
	return error;
}

const struct recording_end *sampler_totals(const struct sampler *sampler)
{
	return &sampler->totals;
}

size_t sampler_processes(const struct sampler *sampler)
{
	return sampler->registry.process_count;
}

const char *sampler_problem(const struct sampler *sampler)
{
	return sampler->family.problem;
}
