/* calls_functions.c: see calls_functions.h.
 *
 * Two code objects of a process are two functions, whatever they are called: the __init__ of every dataclass has the
 * same file, line and name. In a child process the same code objects come again; the n-th of equal ones there is taken
 * for the n-th here. */
#include "profile/calls_functions.h"

#include <string.h>

#include "base/cleanup.h"

struct finder {
	const struct profile *profile;
	uint32_t *process_of; /* by code: where it was first met */
	uint32_t *order;      /* the codes that count */
	size_t count;
};

static bool is_alike(const struct profile_code *x, const struct profile_code *y)
{
	return x->file == y->file && x->first_line == y->first_line && x->name == y->name && x->qualname == y->qualname;
}

static int by_key(const void *left, const void *right, void *data)
{
	const struct finder *f = data;
	uint32_t i = *(const uint32_t *)left, j = *(const uint32_t *)right;
	const struct profile_code *x = &f->profile->codes.data[i], *y = &f->profile->codes.data[j];
	const uint32_t keys[][2] = { { x->file, y->file }, { x->first_line, y->first_line }, { x->name, y->name },
		{ x->qualname, y->qualname }, { f->process_of[i], f->process_of[j] }, { i, j } };
	for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
		if (keys[k][0] != keys[k][1])
			return keys[k][0] < keys[k][1] ? -1 : 1;
	return 0;
}

/* `same[code]`: the code that stands for its function. Builtins and functions of samples have no identity: names are
 * all there is. */
static struct error *merge(const struct finder *f, uint32_t *same)
{
	const struct profile_code *codes = f->profile->codes.data;
	bool by_name = f->profile->info.mode != RECORDING_CALLS;
	_cleanup_free_ uint32_t *firsts = malloc((f->count + 1) * sizeof *firsts); /* of the codes that are alike */
	if (!firsts)
		return &error_no_memory;
	size_t place = 0, known = 0;
	for (size_t i = 0; i < f->count; i++) {
		uint32_t code = f->order[i];
		bool alike = i && is_alike(&codes[code], &codes[f->order[i - 1]]);
		if (!alike)
			place = known = 0;
		else if (by_name || codes[code].flags & CODE_BUILTIN ||
			 f->process_of[code] != f->process_of[f->order[i - 1]])
			place = 0;
		else
			place++;
		if (place == known)
			firsts[known++] = code;
		same[code] = firsts[place];
	}
	return NULL;
}

static uint32_t number(const struct finder *f, const uint32_t *same, uint32_t *function_of)
{
	uint32_t count = 0;
	for (uint32_t code = 1; code < f->profile->codes.count; code++) {
		if (!same[code])
			continue;
		if (function_of[same[code]] == PROFILE_NONE)
			function_of[same[code]] = count++;
		function_of[code] = function_of[same[code]];
	}
	return count;
}

static void collect(struct finder *f, const struct calls_node *nodes, uint32_t *function_of)
{
	const struct profile *profile = f->profile;
	for (size_t i = 0; i < profile->tallies.count; i++) {
		const struct profile_tally *tally = &profile->tallies.data[i];
		uint32_t *process = &f->process_of[profile->stacks.data[tally->stack].code];
		if (!*process)
			*process = tally->process;
	}
	for (size_t i = 1; i < profile->stacks.count; i++) {
		uint32_t code = profile->stacks.data[i].code;
		if (nodes[i].function == PROFILE_NONE || !function_of[code])
			continue;
		function_of[code] = 0;
		f->order[f->count++] = code;
	}
	for (size_t i = 0; i < f->count; i++)
		function_of[f->order[i]] = PROFILE_NONE;
}

struct error *calls_functions_find(
	const struct profile *profile, const struct calls_node *nodes, uint32_t **ret_function_of, uint32_t *ret_count)
{
	size_t codes = profile->codes.count;
	_cleanup_free_ uint32_t *process_of = calloc(codes, sizeof *process_of), *order = malloc(codes * sizeof *order);
	_cleanup_free_ uint32_t *same = calloc(codes, sizeof *same), *function_of = malloc(codes * sizeof *function_of);
	if (!process_of || !order || !same || !function_of)
		return &error_no_memory;
	memset(function_of, 0xff, codes * sizeof *function_of);
	struct finder f = { .profile = profile, .process_of = process_of, .order = order };
	collect(&f, nodes, function_of);
	qsort_r(order, f.count, sizeof *order, by_key, &f);
	TRY(merge(&f, same));
	*ret_count = number(&f, same, function_of);
	*ret_function_of = take_ptr(function_of);
	return NULL;
}
