/* housekeeping.c: see housekeeping.h. A round over the threads of a member remembers where it is when the time is up.
 */
#include "sample/housekeeping.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "os/task.h"

enum {
	TIMES_EVERY = 100 * NS_PER_MS,
	IDLE_ROUNDS_MAX =
		7, /* of times that are not read of a thread that used none, as often as it used none before */
	NAMES_EVERY = 100 * NS_PER_MS,
	NAMED_AT_ONCE = 64, /* with more threads, names of new ones wait for the next round */
	NAME_READS_SOON = 3,
	LOOK_EVERY = 10 * NS_PER_MS, /* whether anything is due, once nothing is left to do */
};
static const uint64_t name_again_late = 10ull * NS_PER_S;

/* The time for pieces of work; the first is done in any case. */
struct slice {
	uint64_t until;
	bool used;
};

static bool slice_is_over(struct slice *slice)
{
	return slice->used && clock_now() >= slice->until;
}

static struct error *emit(struct sink *sink, const struct member *member, uint32_t thread, enum subject subject,
	uint64_t now, uint64_t value)
{
	struct event event = { .kind = EVENT_COUNTER,
		.subject = (uint8_t)subject,
		.time = now,
		.process = member->id,
		.thread = thread,
		.weight[WEIGHT_COUNT] = value };
	return sink->ops->events(sink, &event, 1);
}

/* ---- times ---- */

static struct error *emit_times(
	struct sink *sink, const struct member *member, uint32_t thread, const struct task_times *times, uint64_t now)
{
	TRY(emit(sink, member, thread, SUBJECT_CPU_TIME, now, times->cpu_ns));
	return emit(sink, member, thread, SUBJECT_RUNQUEUE_TIME, now, times->runqueue_ns);
}

/* A process that we saw begin has used nothing before; of another the first reading is where counting starts. */
static struct error *read_thread_times(struct sink *sink, struct member *member, struct thread *thread, uint64_t now)
{
	struct task_times times;
	bool main_thread = thread->tid == (uint32_t)member->pid;
	if (!thread->id || !thread->tid || !task_read_times(member->pid, (pid_t)thread->tid, &times))
		return NULL;
	if (!thread->counted && member->from_birth)
		TRY(emit(sink, member, thread->id, SUBJECT_CPU_TIME, now, main_thread ? member->main_cpu_born : 0));
	thread->counted = true;
	thread->cpu_ns = times.cpu_ns;
	if (main_thread) {
		member->main_thread = thread->id;
		member->main_cpu = times.cpu_ns;
	}
	return emit_times(sink, member, thread->id, &times, now);
}

static struct error *read_counts(struct sink *sink, struct member *member, uint64_t now)
{
	static const enum subject generations[3] = { SUBJECT_GC_GENERATION0, SUBJECT_GC_GENERATION1,
		SUBJECT_GC_GENERATION2 };
	uint64_t collections[3];
	TRY(emit(sink, member, 0, SUBJECT_GIL_SWITCHES, now, member->target->gil_last.switches));
	if (target_collections(member->target, collections))
		for (int i = 0; i < 3; i++)
			TRY(emit(sink, member, 0, generations[i], now, collections[i]));
	return NULL;
}

/* A thread without the GIL that used no CPU is likely to use none: it is left out of more and more rounds. */
static struct error *visit_thread(struct sink *sink, struct member *member, struct thread *thread, uint64_t now)
{
	uint64_t before = thread->cpu_ns;
	if (thread->settled && thread->idle_rounds_left) {
		thread->idle_rounds_left--;
		return NULL;
	}
	TRY(read_thread_times(sink, member, thread, now));
	bool idle = thread->cpu_ns == before;
	thread->idle_rounds = !idle				      ? 0
			      : thread->idle_rounds < IDLE_ROUNDS_MAX ? thread->idle_rounds + 1
								      : IDLE_ROUNDS_MAX;
	thread->idle_rounds_left = thread->idle_rounds;
	return NULL;
}

/* One thread after another; at the round's end what is counted of the process. */
static struct error *read_times(struct sink *sink, struct member *member, uint64_t now, struct slice *slice)
{
	while (now >= member->times_at && !slice_is_over(slice)) {
		slice->used = true;
		if (member->times_next < member->target->threads.count) {
			TRY(visit_thread(sink, member, member->target->threads.data[member->times_next++], now));
			continue;
		}
		member->times_next = 0;
		member->times_at = now + TIMES_EVERY;
		TRY(read_counts(sink, member, now));
	}
	return NULL;
}

struct error *housekeeping_read_last(struct sink *sink, struct member *member, uint64_t now)
{
	struct task_times times;
	size_t count = member->target ? member->target->threads.count : 0;
	for (size_t i = 0; i < count; i++)
		TRY(read_thread_times(sink, member, member->target->threads.data[i], now));
	/* Of a process that waits to be buried, the kernel keeps the time of its main thread. */
	if (count || !member->main_thread || !task_read_times(member->pid, member->pid, &times))
		return NULL;
	return emit_times(sink, member, member->main_thread, &times, now);
}

/* ---- names ---- */

static struct error *tell_thread(
	const struct family *family, const struct member *member, const struct thread *thread, struct text name)
{
	struct thread_def def = {
		.id = thread->id,
		.process = member->id,
		.tid = thread->tid,
		.flags = thread->tid == (uint32_t)member->pid,
		.ident = thread->ident,
		.name = name,
	};
	return family->registry->sink->ops->thread(family->registry->sink, &def);
}

struct error *housekeeping_define_thread(struct family *family, struct member *member, struct thread *thread)
{
	thread->id = ++family->registry->thread_count;
	if (member->target->threads.count <= NAMED_AT_ONCE) {
		member->names_at = member->names_next = 0;
		member->names_indexed = false;
		family->housekeeping_at = 0;
	}
	return tell_thread(family, member, thread, (struct text){ 0 });
}

static struct error *read_name(const struct family *family, const struct member *member, struct thread *thread)
{
	_cleanup_buffer_ struct buffer name = { 0 };
	char kernel_name[16];
	if (!target_thread_name(member->target, thread, &name) || !name.size) {
		name.size = 0;
		if (thread->tid && task_read_name(member->pid, (pid_t)thread->tid, kernel_name))
			buffer_add_string(&name, kernel_name);
	}
	thread->name_reads++;
	return tell_thread(family, member, thread, (struct text){ name.data, name.size });
}

/* Threads get their names after they begin, and change them. */
static bool is_name_due(const struct thread *thread, uint64_t now)
{
	uint64_t pause = thread->name_reads < NAME_READS_SOON ? NAMES_EVERY : name_again_late;
	return thread->id && (!thread->name_reads || now - thread->named_at >= pause);
}

static struct error *read_names(struct family *family, struct member *member, uint64_t now, struct slice *slice)
{
	while (now >= member->names_at && !slice_is_over(slice)) {
		if (member->names_next >= member->target->threads.count) {
			member->names_next = 0;
			member->names_at = now + NAMES_EVERY;
			member->names_indexed = false;
			return NULL;
		}
		struct thread *thread = member->target->threads.data[member->names_next];
		if (!is_name_due(thread, now)) {
			member->names_next++;
			continue;
		}
		slice->used = true;
		if (!member->names_indexed) {
			target_index_names(member->target);
			member->names_indexed = true;
			continue;
		}
		member->names_next++;
		thread->named_at = now;
		TRY(read_name(family, member, thread));
	}
	return NULL;
}

struct error *housekeeping_run(struct family *family, uint64_t now, uint64_t until)
{
	struct slice slice = { .until = until };
	size_t count = family->members.count;
	if (now < family->housekeeping_at)
		return NULL;
	for (size_t i = 0; i < count && !slice_is_over(&slice); i++) {
		struct member *member = family->members.data[family->tended++ % count];
		if (!member->target || !member->sampled_at) /* its threads are not known yet */
			continue;
		TRY(read_names(family, member, now, &slice));
		TRY(read_times(family->registry->sink, member, now, &slice));
	}
	if (!slice_is_over(&slice))
		family->housekeeping_at = now + LOOK_EVERY;
	return NULL;
}
