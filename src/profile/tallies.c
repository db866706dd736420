/* tallies.c: see tallies.h. A tally is what a thread did on one call path; several events may bring its parts. */
#include "profile/tallies.h"

#include <string.h>

#include "base/cleanup.h"
#include "profile/saturating.h"

/* Stacks start at 1, so that no key is 0. */
static uint64_t tally_key(uint32_t process, uint32_t thread, uint32_t stack)
{
	return (uint64_t)stack << 32 | (thread ? thread : process | 1u << 31);
}

uint32_t profile_find_tally(const struct profile *profile, uint32_t process, uint32_t thread, uint32_t stack)
{
	const uint64_t *found = stack ? map_get(&profile->tally_index, tally_key(process, thread, stack)) : NULL;
	return found ? (uint32_t)*found : PROFILE_NONE;
}

bool profile_is_tally(const struct event *event)
{
	return event->subject >= SUBJECT_CALLS && event->subject <= SUBJECT_BUILTIN_COST;
}

static struct error *find_or_make(struct profile *profile, const struct event *event, struct profile_tally **ret_tally)
{
	uint32_t process = event->thread ? profile->threads.data[event->thread].process : event->process;
	uint32_t number = profile_find_tally(profile, process, event->thread, event->stack);
	if (number == PROFILE_NONE) {
		number = (uint32_t)profile->tallies.count;
		struct profile_tally made = { .process = process, .thread = event->thread, .stack = event->stack };
		if (!map_put(&profile->tally_index, tally_key(process, event->thread, event->stack), number) ||
			!vec_push(&profile->tallies, made))
			return &error_no_memory;
	}
	*ret_tally = &profile->tallies.data[number];
	return NULL;
}

static void set_cost(struct profile *profile, const struct event *event)
{
	uint32_t id = event->thread ? profile->threads.data[event->thread].process : event->process;
	struct profile_process *process = &profile->processes.data[id];
	struct profile_call_cost cost = { event->weight[WEIGHT_WALL], event->weight[WEIGHT_CPU] };
	if (event->subject == SUBJECT_CALL_COST)
		process->call_cost = cost;
	else
		process->builtin_cost = cost;
}

struct error *profile_add_tally(struct profile *profile, const struct event *event)
{
	struct profile_tally *tally;
	if (event->subject == SUBJECT_CALL_COST || event->subject == SUBJECT_BUILTIN_COST) {
		set_cost(profile, event);
		return NULL;
	}
	if (!event->stack)
		return error_new(ERROR_CORRUPT, "the recording is damaged: calls of no function");
	TRY(find_or_make(profile, event, &tally));
	switch (event->subject) {
	case SUBJECT_CALLS:
		tally->calls += event->weight[WEIGHT_COUNT];
		tally->wall += event->weight[WEIGHT_WALL];
		tally->cpu += event->weight[WEIGHT_CPU];
		break;
	case SUBJECT_RESUMED:
		tally->resumed += event->weight[WEIGHT_COUNT];
		break;
	case SUBJECT_SUSPENDED:
		tally->suspended += event->weight[WEIGHT_WALL];
		break;
	default:
		tally->unwound += event->weight[WEIGHT_COUNT];
	}
	return NULL;
}

const struct profile_call_cost *profile_cost_of(const struct profile *profile, const struct profile_tally *tally)
{
	const struct profile_process *process = &profile->processes.data[tally->process];
	uint32_t code = profile->stacks.data[tally->stack].code;
	return profile->codes.data[code].flags & CODE_BUILTIN ? &process->builtin_cost : &process->call_cost;
}

/* Nanoseconds of its own; what a path cannot have had is 0. */
static uint64_t own_time(uint64_t wall, uint64_t below, double cost_ps)
{
	uint64_t own = wall > below ? wall - below : 0;
	double cost = cost_ps / 1000;
	uint64_t whole = cost < (double)own ? (uint64_t)cost : own;
	return whole < own ? own - whole : 0;
}

/* What lies below each tally, and what measuring it cost in its own time. */
struct below {
	uint64_t wall, cpu; /* ns of what it called */
	double cost;	    /* ps */
};

static void add_up(uint64_t *sum, uint64_t value)
{
	if (__builtin_add_overflow(*sum, value, sum))
		*sum = UINT64_MAX;
}

static void sum_below(const struct profile *profile, struct below *below)
{
	for (size_t i = 0; i < profile->tallies.count; i++) {
		const struct profile_tally *tally = &profile->tallies.data[i];
		const struct profile_call_cost *cost = profile_cost_of(profile, tally);
		uint32_t above = profile_find_tally(
			profile, tally->process, tally->thread, profile->stacks.data[tally->stack].parent);
		double calls = (double)tally->calls + (double)tally->resumed;
		below[i].cost += calls * (double)cost->inside;
		if (above == PROFILE_NONE)
			continue;
		below[above].cost += calls * (double)cost->beside;
		add_up(&below[above].wall, tally->wall);
		add_up(&below[above].cpu, tally->cpu);
	}
}

/* Two rows where there was both: on a core, and waiting. */
static void add_rows(struct profile *profile, const struct profile_tally *tally, const struct below *below)
{
	/* So that no sum of them overflows, whatever the recording says. */
	uint64_t most = UINT64_MAX / (2 * profile->tallies.count + 1);
	uint64_t calls = at_most(tally->calls + tally->resumed, most),
		 wall = at_most(own_time(tally->wall, below->wall, below->cost), most),
		 cpu = at_most(own_time(tally->cpu, below->cpu, below->cost), wall);
	struct profile_row row = { .process = tally->process,
		.thread = tally->thread,
		.stack = tally->stack,
		.state = cpu ? STATE_ON_CPU : 0,
		.samples = calls,
		.count = calls,
		.wall = cpu ? cpu : wall };
	vec_push(&profile->rows, row);
	if (!cpu || cpu == wall)
		return;
	row.state = 0;
	row.samples = row.count = 0;
	row.wall = wall - cpu;
	vec_push(&profile->rows, row);
}

struct error *profile_make_call_rows(struct profile *profile)
{
	size_t count = profile->tallies.count;
	_cleanup_free_ struct below *below = calloc(count + 1, sizeof *below);
	if (!below || !vec_reserve(&profile->rows, 2 * count))
		return &error_no_memory;
	sum_below(profile, below);
	profile_clear_rows(profile);
	for (size_t i = 0; i < count; i++)
		add_rows(profile, &profile->tallies.data[i], &below[i]);
	return NULL;
}
