/* line_tallies.c: see line_tallies.h. Threads are added up as they come: nothing asks for lines by thread. */
#include "profile/line_tallies.h"

bool profile_is_line(const struct event *event)
{
	return (event->subject >= SUBJECT_LINE && event->subject <= SUBJECT_LINE_COST) ||
	       (event->subject >= SUBJECT_MEMORY_LINE && event->subject <= SUBJECT_MEMORY_LINES);
}

static struct error *find_or_make(
	struct profile *profile, uint32_t process, uint32_t stack, struct profile_line **ret_line)
{
	/* Stacks start at 1, so that no key is 0. */
	uint64_t key = (uint64_t)stack << 32 | process;
	const uint64_t *found = map_get(&profile->line_index, key);
	size_t number = found ? *found : profile->lines.count;
	struct profile_line made = { .process = process, .stack = stack };
	if (!found && (!map_put(&profile->line_index, key, number) || !vec_push(&profile->lines, made)))
		return &error_no_memory;
	*ret_line = &profile->lines.data[number];
	return NULL;
}

/* A line has a number, a function has none. */
static bool is_placed(const struct profile *profile, const struct event *event)
{
	const struct profile_stack *stack = &profile->stacks.data[event->stack];
	if (!event->stack || stack->parent || !stack->instruction)
		return false;
	bool of_function = event->subject == SUBJECT_LINES || event->subject == SUBJECT_MEMORY_LINES;
	return event->subject == SUBJECT_LINE_INSIDE || of_function == (stack->instruction < 0);
}

/* Sums that no recording makes overflow. */
static void add(uint64_t *sum, uint64_t value)
{
	if (__builtin_add_overflow(*sum, value, sum))
		*sum = UINT64_MAX;
}

void profile_add_line_usage(uint64_t *usage, uint64_t more, bool is_function)
{
	if (more && more <= INT64_MAX && (!*usage || (is_function ? more < *usage : more > *usage)))
		*usage = more;
}

static void add_memory(struct profile_line *line, const struct event *event)
{
	uint64_t bytes = event->weight[WEIGHT_BYTES];
	add(&line->hits, event->weight[WEIGHT_COUNT]);
	if (event->subject == SUBJECT_MEMORY_LINE)
		line->increment += bytes;
	else
		profile_add_line_usage(&line->usage, bytes, event->subject == SUBJECT_MEMORY_LINES);
}

struct error *profile_add_line(struct profile *profile, const struct event *event)
{
	uint32_t process = event->thread ? profile->threads.data[event->thread].process : event->process;
	const uint64_t *weight = event->weight;
	struct profile_line *line;
	if (event->subject == SUBJECT_LINE_COST) {
		profile->processes.data[process].line_cost = (struct profile_call_cost){ weight[WEIGHT_WALL],
			weight[WEIGHT_CPU] };
		return NULL;
	}
	if (!is_placed(profile, event))
		return error_new(ERROR_CORRUPT, "the recording is damaged: lines of no function");
	TRY(find_or_make(profile, process, event->stack, &line));
	if (event->subject == SUBJECT_LINE_INSIDE) {
		add(&line->called, weight[WEIGHT_WALL]);
		add(&line->hits_inside, weight[WEIGHT_COUNT]);
		return NULL;
	}
	if (event->subject >= SUBJECT_MEMORY_LINE) {
		add_memory(line, event);
		return NULL;
	}
	add(&line->hits, weight[WEIGHT_COUNT]);
	add(&line->wall, weight[WEIGHT_WALL]);
	add(&line->cpu, weight[WEIGHT_CPU]);
	return NULL;
}
