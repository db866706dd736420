/* calls_imports.c: see calls_imports.h. A path stems from an import when a function of the import system is on it:
 * that function, the body of a module that it runs, and what these call. */
#include "report/calls_imports.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "profile/decode.h"

enum path_kind { PATH_OTHER = 0, PATH_UNCOUNTED, PATH_IMPORT }; /* uncounted: an import of which no call was measured */

/* A damaged recording may have any numbers. */
static void add(int64_t *sum, int64_t value)
{
	if (__builtin_add_overflow(*sum, value, sum))
		*sum = value < 0 ? INT64_MIN : INT64_MAX;
}

static bool is_import_system(const struct profile *profile, uint32_t code)
{
	struct text package;
	struct text file = profile_strings_get(&profile->strings, profile->codes.data[code].file);
	return profile_find_origin(file, &package) == ORIGIN_IMPORT;
}

static uint8_t kind_of(const struct calls *calls, const uint8_t *system, const uint8_t *kinds, uint32_t stack)
{
	const struct profile_stack *at = &calls->profile->stacks.data[stack];
	if (kinds[at->parent] == PATH_IMPORT)
		return PATH_IMPORT;
	if (kinds[at->parent] == PATH_OTHER && !system[at->code])
		return PATH_OTHER;
	return calls->nodes[stack].function == PROFILE_NONE ? PATH_UNCOUNTED : PATH_IMPORT;
}

/* Callers come before what they call. */
static void walk(const struct calls *calls, const uint8_t *system, uint8_t *kinds, struct calls_imports *imports)
{
	for (uint32_t i = 1; i < calls->profile->stacks.count; i++) {
		const struct calls_node *node = &calls->nodes[i];
		kinds[i] = kind_of(calls, system, kinds, i);
		if (node->function == PROFILE_NONE)
			continue;
		if (kinds[i] == PATH_OTHER) {
			imports->folded[node->function] = 0;
		} else if (kinds[calls->profile->stacks.data[i].parent] != PATH_IMPORT) {
			add(&imports->sum.total, node->sum.total);
			add(&imports->sum.total_cost, node->sum.total_cost);
		}
	}
}

static void add_functions(const struct calls *calls, struct calls_imports *imports)
{
	struct calls_sum *sum = &imports->sum;
	for (size_t i = 0; i < calls->functions.count; i++) {
		const struct calls_sum *one = &calls->functions.data[i].sum;
		if (!imports->folded[i])
			continue;
		imports->count++;
		sum->calls += one->calls;
		sum->primitive += one->primitive;
		add(&sum->self, one->self);
		add(&sum->self_cost, one->self_cost);
	}
	snprintf(imports->label, sizeof imports->label, "imports (%zu functions)", imports->count);
}

struct error *calls_imports_find(const struct calls *calls, struct calls_imports *ret_imports)
{
	const struct profile *profile = calls->profile;
	size_t functions = calls->functions.count;
	/* A table that somebody else made has no paths. */
	if (profile->info.mode != RECORDING_CALLS || profile->given_functions.count)
		return NULL;
	_cleanup_free_ uint8_t *system = calloc(profile->codes.count + 1, 1),
			       *kinds = calloc(profile->stacks.count + 1, 1);
	ret_imports->folded = malloc(functions + 1);
	if (!system || !kinds || !ret_imports->folded)
		return &error_no_memory;
	for (uint32_t i = 1; i < profile->codes.count; i++)
		system[i] = is_import_system(profile, i);
	for (size_t i = 0; i < functions; i++)
		ret_imports->folded[i] = 1;
	walk(calls, system, kinds, ret_imports);
	add_functions(calls, ret_imports);
	return NULL;
}

void calls_imports_deinit(struct calls_imports *imports)
{
	free(imports->folded);
	imports->folded = NULL;
}

/* By what the list is sorted, where that is a number. */
static bool value_of(const struct calls_sum *sum, const struct report_options *options, uint64_t *ret_value)
{
	struct calls_times times = calls_times(sum, options->measured);
	switch (options->call_sort) {
	case CALL_SORT_CALLS:
		*ret_value = sum->calls;
		return true;
	case CALL_SORT_PRIMITIVE:
		*ret_value = sum->primitive;
		return true;
	case CALL_SORT_INTERNAL:
		*ret_value = times.self;
		return true;
	case CALL_SORT_CUMULATIVE:
		*ret_value = times.total;
		return true;
	default:
		return false;
	}
}

size_t calls_imports_fold(const struct calls_imports *imports, const struct calls *calls,
	const struct report_options *options, uint32_t *order, size_t count)
{
	uint64_t ours = 0, other = 0;
	size_t kept = 0, place;
	if (!imports->folded || imports->count < 2)
		return count;
	for (size_t i = 0; i < count; i++)
		if (!imports->folded[order[i]])
			order[kept++] = order[i];
	bool numbers = value_of(&imports->sum, options, &ours);
	for (place = 0; place < kept; place++)
		if (numbers && value_of(&calls->functions.data[order[place]].sum, options, &other) && other < ours)
			break;
	for (size_t i = kept; i > place; i--)
		order[i] = order[i - 1];
	order[place] = CALLS_IMPORTS_ROW;
	return kept + 1;
}
