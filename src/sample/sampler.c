#include "sample/sampler.h"

#include <sys/prctl.h>
#include <sys/random.h>

#include "base/clock.h"
#include "os/task.h"
#include "recording/ticks.h"
#include "sample/states.h"

enum {
	WATCH_EVERY = 50 * NS_PER_MS,
	TIMES_EVERY = 100 * NS_PER_MS,
	TEND_EVERY = NS_PER_MS / 2,
	NAMED_AT_ONCE = 64, /* with more threads, names of new ones wait for the next round */
};

struct sampler {
	struct sampler_options options;
	struct sink *sink;
	struct registry registry;
	struct family family;
	struct stopper stopper;
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
	sampler->cpu_at_start = clock_read(CLOCK_PROCESS_CPUTIME_ID);
	prctl(PR_SET_TIMERSLACK, 1);
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
	family_deinit(&sampler->family);
	registry_deinit(&sampler->registry);
	vec_free(&sampler->events);
	free(sampler);
}

struct error *sampler_add(struct sampler *sampler, pid_t pid, bool started)
{
	return family_add(&sampler->family, pid, 0, started);
}

/* ---- threads ---- */

static struct error *define_thread(struct sampler *sampler, struct member *member, struct thread *thread)
{
	_cleanup_buffer_ struct buffer name = { 0 };
	char kernel_name[16];
	if (!target_thread_name(member->target, thread, &name) || !name.size) {
		buffer_deinit(&name);
		if (thread->tid && task_read_name(member->pid, (pid_t)thread->tid, kernel_name))
			buffer_add_string(&name, kernel_name);
	}
	struct thread_def def = {
		.id = thread->id ? thread->id : sampler->registry.thread_count + 1,
		.process = member->id,
		.tid = thread->tid,
		.flags = thread->tid == (uint32_t)member->pid,
		.ident = thread->ident,
		.name = { name.data, name.size },
	};
	TRY(sampler->sink->ops->thread(sampler->sink, &def));
	if (!thread->id)
		sampler->registry.thread_count++;
	thread->id = def.id;
	return NULL;
}

static bool push_event(struct sampler *sampler, const struct event *event)
{
	return vec_push(&sampler->events, *event);
}

static bool push_counter(struct sampler *sampler, const struct member *member, uint32_t thread, enum subject subject,
	uint64_t now, uint64_t value)
{
	return push_event(sampler, &(struct event){ .kind = EVENT_COUNTER,
					   .subject = (uint8_t)subject,
					   .time = now,
					   .process = member->id,
					   .thread = thread,
					   .weight[WEIGHT_COUNT] = value });
}

/* ---- one process at one tick ---- */

static struct thread *holder_thread(const struct target *target)
{
	for (size_t i = 0; i < target->threads.count; i++)
		if (target->threads.data[i]->tstate == target->held_by)
			return target->threads.data[i];
	return NULL;
}

/* With --blocking the thread that held the GIL at the last sample stands still while this one is taken. */
static struct error *stop_holder(struct sampler *sampler, struct target *target, pid_t *ret_stopped)
{
	struct thread *holder = sampler->options.blocking ? holder_thread(target) : NULL;
	bool stopped = false;
	*ret_stopped = 0;
	if (!holder || !holder->tid)
		return NULL;
	if (holder->proc_fd < 0)
		holder->proc_fd = task_open(target->pid, (pid_t)holder->tid);
	TRY(stop_thread(&sampler->stopper, (pid_t)holder->tid, holder->proc_fd, &stopped));
	*ret_stopped = stopped ? (pid_t)holder->tid : 0;
	return NULL;
}

/* A thread state is made by the thread that starts another, and has its creator's ident until that one runs. */
static bool has_own_ident(const struct target *target, size_t index)
{
	for (size_t i = 0; i < target->threads.count; i++)
		if (i != index && target->threads.data[i]->ident == target->threads.data[index]->ident)
			return false;
	return true;
}

static struct error *emit_samples(struct sampler *sampler, struct member *member, uint64_t now)
{
	struct target *target = member->target;
	struct thread *holder = holder_thread(target);
	bool indexed = false;
	/* A sample stands for the time since the tick before; the first for one period. */
	uint64_t wall = member->sampled_at ? now - member->sampled_at : sampler->options.period_ns;
	member->sampled_at = now;
	for (size_t i = 0; i < target->threads.count; i++) {
		struct thread *thread = target->threads.data[i];
		if (!thread->id && !has_own_ident(target, i))
			continue;
		if (!thread->id) {
			if (!indexed && target->threads.count <= NAMED_AT_ONCE)
				target_index_names(target);
			indexed = true;
			TRY(define_thread(sampler, member, thread));
		}
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
		if (!push_event(sampler, &event))
			return &error_no_memory;
		sampler->totals.samples[thread->quality]++;
	}
	return NULL;
}

static struct error *sample_member(struct sampler *sampler, struct member *member, uint64_t now)
{
	pid_t stopped;
	TRY(stop_holder(sampler, member->target, &stopped));
	struct error *error = target_sample(member->target, now);
	if (stopped)
		stop_continue(&sampler->stopper, stopped);
	if (!error)
		return emit_samples(sampler, member, now);
	if (error == &error_no_memory || error->kind == ERROR_DENIED)
		return error;
	error_free(error);
	sampler->watch_at = 0; /* it may have been the last */
	TRY(family_lose(&sampler->family, member, now));
	sampler->totals.read_errors += !member->gone;
	return NULL;
}

/* ---- what is read now and then ---- */

/* A process that we saw begin has used nothing before; of another the first reading is where counting starts. */
static struct error *read_times(struct sampler *sampler, struct member *member, uint64_t now)
{
	static const enum subject generations[3] = { SUBJECT_GC_GENERATION0, SUBJECT_GC_GENERATION1,
		SUBJECT_GC_GENERATION2 };
	struct target *target = member->target;
	uint64_t collections[3];
	struct task_times times;
	bool ok = true;
	if (now - member->last_cpu_at < TIMES_EVERY && member->last_cpu_at)
		return NULL;
	member->last_cpu_at = now;
	for (size_t i = 0; i < target->threads.count; i++) {
		struct thread *thread = target->threads.data[i];
		if (!thread->id || !thread->tid || !task_read_times(member->pid, (pid_t)thread->tid, &times))
			continue;
		if (!thread->counted && member->from_birth)
			ok &= push_counter(sampler, member, thread->id, SUBJECT_CPU_TIME, now, 0);
		thread->counted = true;
		ok &= push_counter(sampler, member, thread->id, SUBJECT_CPU_TIME, now, times.cpu_ns);
		ok &= push_counter(sampler, member, thread->id, SUBJECT_RUNQUEUE_TIME, now, times.runqueue_ns);
	}
	ok &= push_counter(sampler, member, 0, SUBJECT_GIL_SWITCHES, now, target->gil_last.switches);
	if (target_collections(target, collections))
		for (int i = 0; i < 3; i++)
			ok &= push_counter(sampler, member, 0, generations[i], now, collections[i]);
	return ok ? NULL : &error_no_memory;
}

/* Threads get their names after they begin, and change them. */
static struct error *read_names(struct sampler *sampler, struct member *member, uint64_t now)
{
	bool indexed = false;
	for (size_t i = 0; i < member->target->threads.count; i++) {
		struct thread *thread = member->target->threads.data[i];
		uint64_t pause = thread->name_reads < 3 ? TIMES_EVERY : 10ull * NS_PER_S;
		if (!thread->id || now - thread->named_at < pause)
			continue;
		if (!indexed)
			target_index_names(member->target);
		indexed = true;
		thread->named_at = now;
		thread->name_reads++;
		TRY(define_thread(sampler, member, thread));
	}
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
	for (size_t i = 0; i < sampler->family.members.count; i++) {
		struct member *member = sampler->family.members.data[i];
		if (!member->target)
			continue;
		TRY(sample_member(sampler, member, now));
		if (!member->target)
			continue;
		TRY(read_times(sampler, member, now));
	}
	return flush_events(sampler);
}

static struct error *tend(struct sampler *sampler, uint64_t now)
{
	if (now < sampler->tend_at)
		return NULL;
	sampler->tend_at = now + TEND_EVERY;
	TRY(family_tend(&sampler->family, now));
	for (size_t i = 0; i < sampler->family.members.count; i++)
		if (sampler->family.members.data[i]->target)
			TRY(read_names(sampler, sampler->family.members.data[i], now));
	return NULL;
}

/* ---- the loop ---- */

static bool all_gone(const struct sampler *sampler)
{
	for (size_t i = 0; i < sampler->family.members.count; i++)
		if (!sampler->family.members.data[i]->gone)
			return false;
	return true;
}

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
	if (now < sampler->watch_at && *ret_go_on)
		return NULL;
	sampler->watch_at = now + WATCH_EVERY;
	update_totals(sampler, now);
	*ret_go_on = *ret_go_on && !all_gone(sampler) && watch->go_on(watch->context, &sampler->totals);
	return watch->tend(watch->context, now);
}

struct error *sampler_run(struct sampler *sampler, const struct sampler_watch *watch_with)
{
	bool go_on = true;
	while (go_on) {
		wait_for_tick(sampler);
		uint64_t now = now_of(sampler);
		TRY(sample_all(sampler, now));
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
	sampler->totals.target_ended = ended;
	sampler->totals.target_status = (uint32_t)status;
	return sampler->sink->ops->end(sampler->sink, &sampler->totals);
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
	for (size_t i = 0; i < sampler->family.members.count; i++)
		if (sampler->family.members.data[i]->problem)
			return sampler->family.members.data[i]->problem;
	return NULL;
}
