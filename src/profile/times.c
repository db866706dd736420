/* times.c: adds up times of threads and processes.
 *
 * CPU time is the kernel's own, last reading minus first, where the readings cover the time in which the thread was
 * sampled; the kernel's figures move in scheduler ticks, so that for less than seconds the samples know better. */
#include "profile/times.h"

#include "base/cleanup.h"

/* The one part of the time of its thread that a sample with this state is. */
static uint64_t *part_of(struct profile_times *times, uint16_t state)
{
	return state & STATE_ON_CPU	       ? &times->on_cpu
	       : state & STATE_WAITS_GIL       ? &times->gil_wait
	       : state & STATE_UNINTERRUPTIBLE ? &times->disk_wait
	       : state & STATE_RUNNABLE	       ? &times->runnable
					       : &times->idle;
}

static void add_row(struct profile_times *times, const struct profile_row *row)
{
	uint16_t state = row->state;
	times->samples += row->samples;
	times->quality[row->quality] += row->samples;
	times->wall += row->wall;
	*part_of(times, state) += row->wall;
	times->gil_held += state & STATE_HOLDS_GIL ? row->wall : 0;
	times->gc += state & STATE_GC ? row->wall : 0;
	times->in_c += (state & (STATE_IN_C | STATE_GC)) == STATE_IN_C ? row->wall : 0;
}

/* Whether the counter was read over at least nine tenths of the time that the samples of its thread stand for. */
static bool covers(const struct profile *profile, const struct profile_thread *thread, uint64_t wall)
{
	const struct profile_counter *cpu = &thread->cpu;
	if (!cpu->seen || profile->window.from || profile->window.to)
		return false;
	return cpu->last_time > cpu->first_time && (cpu->last_time - cpu->first_time) / 9 >= wall / 10;
}

static void add_cpu(const struct profile *profile, struct profile_time_table *table, uint32_t id)
{
	const struct profile_thread *thread = &profile->threads.data[id];
	struct profile_times *times = &table->threads[id], *process = &table->processes[thread->process];
	if (!times->samples)
		return;
	times->cpu_exact = covers(profile, thread, times->wall);
	times->cpu = times->cpu_exact ? profile_counter_change(&thread->cpu) : times->on_cpu;
	times->core_wait = times->cpu_exact && thread->runqueue.seen ? profile_counter_change(&thread->runqueue)
								     : times->runnable;
	times->threads = 1;
	process->cpu += times->cpu;
	process->core_wait += times->core_wait;
	process->cpu_exact = process->threads ? process->cpu_exact && times->cpu_exact : times->cpu_exact;
	process->threads++;
}

/* Samples of no thread have only what was sampled. */
static void add_threadless(const struct profile *profile, struct profile_time_table *table)
{
	for (size_t i = 0; i < profile->rows.count; i++) {
		const struct profile_row *row = &profile->rows.data[i];
		struct profile_times *process = &table->processes[row->process], part = { 0 };
		if (!row->timed || row->thread)
			continue;
		*part_of(&part, row->state) += row->wall;
		process->cpu += part.on_cpu;
		process->core_wait += part.runnable;
		process->cpu_exact = process->cpu_exact && !part.on_cpu && !part.runnable;
	}
}

static void add_up(struct profile_time_table *table, size_t processes)
{
	table->all.cpu_exact = true;
	for (size_t i = 0; i < processes; i++) {
		const struct profile_times *process = &table->processes[i];
		table->all.cpu += process->cpu;
		table->all.core_wait += process->core_wait;
		table->all.threads += process->threads;
		if (process->samples && !process->cpu_exact)
			table->all.cpu_exact = false;
	}
	if (!table->all.samples)
		table->all.cpu_exact = false;
}

struct error *profile_time_table_init(const struct profile *profile, struct profile_time_table *ret_table)
{
	_cleanup_profile_time_table_ struct profile_time_table table = {
		.processes = calloc(profile->processes.count, sizeof *table.processes),
		.threads = calloc(profile->threads.count, sizeof *table.threads),
	};
	if (!table.processes || !table.threads)
		return &error_no_memory;
	for (size_t i = 0; i < profile->rows.count; i++) {
		const struct profile_row *row = &profile->rows.data[i];
		if (!row->timed)
			continue;
		add_row(&table.all, row);
		add_row(&table.processes[row->process], row);
		if (row->thread)
			add_row(&table.threads[row->thread], row);
	}
	for (uint32_t i = 1; i < profile->threads.count; i++)
		add_cpu(profile, &table, i);
	add_threadless(profile, &table);
	add_up(&table, profile->processes.count);
	*ret_table = table;
	table = (struct profile_time_table){ 0 };
	return NULL;
}

void profile_time_table_deinit(struct profile_time_table *table)
{
	free(table->processes);
	free(table->threads);
}
