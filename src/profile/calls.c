/* calls.c: tallies to tables.
 *
 * Three passes over the paths, each linear. From the leaves to the roots, which is from the last stack to the first, a
 * path's time is taken from its caller's own time, and what measuring cost is handed up; this is done thread by thread,
 * since a thread may have been caught amid a path that another one called. Then codes become functions. At last a walk
 * in the order of calls keeps, for each function and pair, how often it stands on the path: what is outermost counts as
 * primitive and for the total. The walk follows links, so its depth costs no stack. */
#include "profile/calls.h"

#include "base/cleanup.h"
#include "profile/calls_functions.h"
#include "profile/tallies.h"
#include "profile/saturating.h"

struct calls_builder {
	const struct profile *profile;
	struct calls *calls;
	uint32_t *first, *next; /* by stack: its children, linked; 0: none */
	uint32_t *function_depth;
	VEC(uint32_t) pair_depth;
	struct map pair_index;
};

static int64_t minus(int64_t value)
{
	return value == INT64_MIN ? INT64_MAX : -value;
}

/* ---- from the leaves to the roots ---- */

/* `costs`: by tally, what measuring cost below it, in picoseconds. */
static void add_tally(struct calls_builder *b, uint32_t number, int64_t *costs)
{
	const struct profile *profile = b->profile;
	const struct profile_tally *tally = &profile->tallies.data[number];
	const struct profile_call_cost *cost = profile_cost_of(profile, tally);
	uint32_t parent = profile->stacks.data[tally->stack].parent;
	uint32_t above = profile_find_tally(profile, tally->process, tally->thread, parent);
	struct calls_node *node = &b->calls->nodes[tally->stack];
	int64_t inside = saturating_times(tally->calls + tally->resumed, cost->inside),
		beside = saturating_times(tally->calls + tally->resumed, cost->beside);
	node->function = 0;
	saturating_add(&costs[number], inside);
	node->sum.calls += tally->calls;
	node->sum.resumed += tally->resumed;
	node->unwound += tally->unwound;
	saturating_add(&node->suspended, (int64_t)tally->suspended);
	saturating_add(&node->sum.self, saturating_limit(tally->wall));
	saturating_add(&node->sum.total, saturating_limit(tally->wall));
	saturating_add(&node->sum.self_cpu, saturating_limit(tally->cpu));
	saturating_add(&node->sum.total_cpu, saturating_limit(tally->cpu));
	saturating_add(&node->sum.self_cost, inside);
	saturating_add(&node->sum.total_cost, costs[number]);
	b->calls->has_cost |= inside || beside;
	b->calls->has_cpu |= tally->cpu > 0;
	if (above == PROFILE_NONE)
		return;
	struct calls_node *caller = &b->calls->nodes[parent];
	saturating_add(&caller->sum.self, minus(saturating_limit(tally->wall)));
	saturating_add(&caller->sum.self_cpu, minus(saturating_limit(tally->cpu)));
	saturating_add(&caller->sum.self_cost, beside);
	saturating_add(&costs[above], costs[number]);
	saturating_add(&costs[above], beside);
}

static struct error *add_tallies(struct calls_builder *b)
{
	const struct profile *profile = b->profile;
	size_t count = profile->tallies.count, stacks = profile->stacks.count;
	_cleanup_free_ int64_t *costs = calloc(count + 1, sizeof *costs);
	_cleanup_free_ uint32_t *last = calloc(stacks, sizeof *last), *before = malloc((count + 1) * sizeof *before);
	if (!costs || !last || !before)
		return &error_no_memory;
	/* The tallies of each stack, as a list of numbers one higher: 0 ends it. */
	for (uint32_t i = 0; i < count; i++) {
		uint32_t *head = &last[profile->tallies.data[i].stack];
		before[i] = *head;
		*head = i + 1;
	}
	for (size_t stack = stacks; stack-- > 1;)
		for (uint32_t i = last[stack]; i; i = before[i - 1])
			add_tally(b, i - 1, costs);
	return NULL;
}

/* Samples: a function has as many calls as samples saw it. */
static void add_samples(struct calls_builder *b)
{
	const struct profile *profile = b->profile;
	struct calls_node *nodes = b->calls->nodes;
	for (size_t i = 0; i < profile->rows.count; i++) {
		const struct profile_row *row = &profile->rows.data[i];
		if (!row->timed || !row->stack || !(row->state & STATE_BUSY_MASK))
			continue;
		nodes[row->stack].sum.calls += row->samples;
		saturating_add(&nodes[row->stack].sum.self, saturating_limit(row->wall));
		saturating_add(&nodes[row->stack].sum.total, saturating_limit(row->wall));
	}
	for (size_t stack = profile->stacks.count; stack-- > 1;) {
		uint32_t parent = profile->stacks.data[stack].parent;
		nodes[parent].sum.calls += nodes[stack].sum.calls;
		saturating_add(&nodes[parent].sum.total, nodes[stack].sum.total);
		nodes[stack].function = nodes[stack].sum.calls ? 0 : PROFILE_NONE;
	}
}

/* ---- the walk ---- */

static struct error *name_functions(struct calls_builder *b)
{
	const struct profile *profile = b->profile;
	_cleanup_free_ uint32_t *function_of = NULL;
	uint32_t count;
	TRY(calls_functions_find(profile, b->calls->nodes, &function_of, &count));
	if (!vec_reserve(&b->calls->functions, count + 1))
		return &error_no_memory;
	for (uint32_t code = 1; code < profile->codes.count; code++)
		if (function_of[code] == b->calls->functions.count)
			vec_push(&b->calls->functions, (struct calls_function){ .code = code });
	for (size_t i = 1; i < profile->stacks.count; i++)
		if (b->calls->nodes[i].function != PROFILE_NONE)
			b->calls->nodes[i].function = function_of[profile->stacks.data[i].code];
	return NULL;
}

static struct error *find_pair(struct calls_builder *b, struct calls_node *node, uint32_t caller)
{
	uint64_t key = ((uint64_t)caller + 1) << 32 | node->function;
	const uint64_t *found = map_get(&b->pair_index, key);
	node->pair = found ? (uint32_t)*found : (uint32_t)b->calls->pairs.count;
	if (found)
		return NULL;
	bool added = map_put(&b->pair_index, key, node->pair) &&
		     vec_push(&b->calls->pairs, (struct calls_pair){ caller, node->function, { 0 } }) &&
		     vec_push(&b->pair_depth, 0);
	return added ? NULL : &error_no_memory;
}

static void add_sum(struct calls_sum *sum, const struct calls_sum *path, bool outermost, bool sampled)
{
	saturating_add(&sum->self, path->self);
	saturating_add(&sum->self_cost, path->self_cost);
	saturating_add(&sum->self_cpu, path->self_cpu);
	if (outermost || !sampled) {
		sum->calls += path->calls;
		sum->resumed += path->resumed;
	}
	if (!outermost)
		return;
	sum->primitive += path->calls;
	sum->resumed_primitive += path->resumed;
	saturating_add(&sum->total, path->total);
	saturating_add(&sum->total_cost, path->total_cost);
	saturating_add(&sum->total_cpu, path->total_cpu);
}

static struct error *enter(struct calls_builder *b, uint32_t at)
{
	struct calls_node *node = &b->calls->nodes[at];
	bool sampled = b->profile->info.mode != RECORDING_CALLS;
	if (node->function == PROFILE_NONE)
		return NULL;
	struct calls_function *function = &b->calls->functions.data[node->function];
	add_sum(&function->sum, &node->sum, b->function_depth[node->function]++ == 0, sampled);
	function->unwound += node->unwound;
	saturating_add(&function->suspended, node->suspended);
	uint32_t parent = b->profile->stacks.data[at].parent;
	if (!parent || b->calls->nodes[parent].function == PROFILE_NONE)
		return NULL;
	TRY(find_pair(b, node, b->calls->nodes[parent].function));
	add_sum(&b->calls->pairs.data[node->pair].sum, &node->sum, b->pair_depth.data[node->pair]++ == 0, sampled);
	return NULL;
}

static void leave(struct calls_builder *b, uint32_t at)
{
	const struct calls_node *node = &b->calls->nodes[at];
	if (node->function != PROFILE_NONE)
		b->function_depth[node->function]--;
	if (node->pair != PROFILE_NONE)
		b->pair_depth.data[node->pair]--;
}

static struct error *walk(struct calls_builder *b)
{
	const struct profile_stack *stacks = b->profile->stacks.data;
	for (uint32_t at = b->first[0]; at;) {
		TRY(enter(b, at));
		if (b->first[at]) {
			at = b->first[at];
			continue;
		}
		leave(b, at);
		while (!b->next[at] && stacks[at].parent) {
			at = stacks[at].parent;
			leave(b, at);
		}
		at = b->next[at];
	}
	return NULL;
}

static int by_callee(const void *left, const void *right)
{
	const struct calls_pair *a = left, *b = right;
	if (a->callee != b->callee)
		return a->callee < b->callee ? -1 : 1;
	return (a->caller > b->caller) - (a->caller < b->caller);
}

/* The pairs in their order; nodes still know theirs by the old one. */
static void sort_pairs(struct calls *calls)
{
	for (size_t i = 0; i < calls->profile->stacks.count; i++)
		calls->nodes[i].pair = PROFILE_NONE;
	if (calls->pairs.count)
		qsort(calls->pairs.data, calls->pairs.count, sizeof *calls->pairs.data, by_callee);
}

static struct error *copy_given(struct calls_builder *b)
{
	const struct profile *profile = b->profile;
	if (!vec_reserve(&b->calls->functions, profile->given_functions.count) ||
		!vec_reserve(&b->calls->pairs, profile->given_pairs.count))
		return &error_no_memory;
	for (size_t i = 0; i < profile->given_functions.count; i++)
		vec_push(&b->calls->functions, profile->given_functions.data[i]);
	for (size_t i = 0; i < profile->given_pairs.count; i++)
		vec_push(&b->calls->pairs, profile->given_pairs.data[i]);
	sort_pairs(b->calls);
	return NULL;
}

static struct error *build(struct calls_builder *b)
{
	const struct profile *profile = b->profile;
	size_t stacks = profile->stacks.count;
	b->calls->nodes = calloc(stacks, sizeof *b->calls->nodes);
	b->first = calloc(stacks, sizeof *b->first);
	b->next = calloc(stacks, sizeof *b->next);
	if (!b->calls->nodes || !b->first || !b->next)
		return &error_no_memory;
	for (size_t i = 0; i < stacks; i++)
		b->calls->nodes[i].function = b->calls->nodes[i].pair = PROFILE_NONE;
	for (size_t i = stacks; i-- > 1;) {
		b->next[i] = b->first[profile->stacks.data[i].parent];
		b->first[profile->stacks.data[i].parent] = (uint32_t)i;
	}
	if (profile->given_functions.count)
		return copy_given(b);
	if (profile->info.mode == RECORDING_CALLS)
		TRY(add_tallies(b));
	else
		add_samples(b);
	TRY(name_functions(b));
	b->function_depth = calloc(b->calls->functions.count + 1, sizeof *b->function_depth);
	if (!b->function_depth)
		return &error_no_memory;
	TRY(walk(b));
	sort_pairs(b->calls);
	return NULL;
}

struct error *calls_init(const struct profile *profile, struct calls *ret_calls)
{
	_cleanup_calls_ struct calls calls = { .profile = profile };
	struct calls_builder b = { .profile = profile, .calls = &calls };
	struct error *error = build(&b);
	free(b.first);
	free(b.next);
	free(b.function_depth);
	vec_free(&b.pair_depth);
	map_deinit(&b.pair_index);
	TRY(error);
	*ret_calls = calls;
	calls = (struct calls){ 0 };
	return NULL;
}

void calls_deinit(struct calls *calls)
{
	vec_free(&calls->functions);
	vec_free(&calls->pairs);
	free(calls->nodes);
	calls->nodes = NULL;
}

/* ---- what can be shown ---- */

static uint64_t shown(int64_t ns, int64_t cost, bool measured)
{
	enum { PS_PER_NS = 1000 };
	if (!measured)
		saturating_add(&ns, -(cost / PS_PER_NS));
	return ns > 0 ? (uint64_t)ns : 0;
}

struct calls_times calls_times(const struct calls_sum *sum, bool measured)
{
	struct calls_times times = {
		.self = shown(sum->self, sum->self_cost, measured),
		.total = shown(sum->total, sum->total_cost, measured),
	};
	if (times.total < times.self)
		times.total = times.self;
	times.self_cpu = at_most(shown(sum->self_cpu, sum->self_cost, measured), times.self);
	times.total_cpu = at_most(shown(sum->total_cpu, sum->total_cost, measured), times.total);
	return times;
}

static void use_cpu(struct calls_sum *sum)
{
	sum->self = sum->self_cpu;
	sum->total = sum->total_cpu;
}

void calls_use_cpu(struct calls *calls)
{
	if (!calls->has_cpu)
		return;
	for (size_t i = 0; i < calls->functions.count; i++)
		use_cpu(&calls->functions.data[i].sum);
	for (size_t i = 0; i < calls->pairs.count; i++)
		use_cpu(&calls->pairs.data[i].sum);
	for (size_t i = 0; i < calls->profile->stacks.count; i++)
		use_cpu(&calls->nodes[i].sum);
}

struct calls_whole calls_whole(const struct calls *calls, bool measured)
{
	struct calls_whole whole = { 0 };
	for (size_t i = 0; i < calls->functions.count; i++) {
		const struct calls_sum *sum = &calls->functions.data[i].sum;
		whole.calls += sum->calls + sum->resumed;
		whole.primitive += sum->primitive + sum->resumed_primitive;
		whole.time += calls_times(sum, measured).self;
		whole.cpu += calls_times(sum, measured).self_cpu;
	}
	return whole;
}
