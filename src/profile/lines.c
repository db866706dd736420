/* lines.c: tallies of lines to a table: codes become functions, then lines are sorted by function and number, and equal
 * ones added up. */
#include "profile/lines.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "profile/line_tallies.h"
#include "profile/saturating.h"

enum { PARTS = 1000 }; /* costs are in thousandths of a unit: picoseconds */

static uint64_t shown(int64_t time, int64_t cost)
{
	saturating_add(&time, -(cost / PARTS));
	return time > 0 ? (uint64_t)time : 0;
}

/* ---- functions ---- */

struct naming {
	const struct profile *profile;
	struct map first_of_file; /* number of the file's string + 1 to the first code of it */
};

static uint32_t name_of(const struct profile_code *code)
{
	return code->qualname ? code->qualname : code->name;
}

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_functions(const struct naming *n, uint32_t left, uint32_t right)
{
	const struct profile_code *a = &n->profile->codes.data[left], *b = &n->profile->codes.data[right];
	int order = compare(
		*map_get(&n->first_of_file, (uint64_t)a->file + 1), *map_get(&n->first_of_file, (uint64_t)b->file + 1));
	order = order ? order : compare(a->first_line, b->first_line);
	return order ? order : compare(name_of(a), name_of(b));
}

static int by_function(const void *left, const void *right, void *naming)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
	int order = compare_functions(naming, a, b);
	return order ? order : compare(a, b);
}

/* The codes that lines were measured of, each once, in rising order. */
static struct error *list_codes(struct naming *n, uint32_t *ret_codes, size_t *ret_count)
{
	const struct profile *profile = n->profile;
	_cleanup_free_ bool *used = calloc(profile->codes.count, sizeof *used);
	size_t count = 0;
	if (!used)
		return &error_no_memory;
	for (size_t i = 0; i < profile->lines.count; i++)
		used[profile->stacks.data[profile->lines.data[i].stack].code] = true;
	for (uint32_t code = 1; code < profile->codes.count; code++) {
		uint64_t file = (uint64_t)profile->codes.data[code].file + 1;
		if (!used[code])
			continue;
		ret_codes[count++] = code;
		if (!map_get(&n->first_of_file, file) && !map_put(&n->first_of_file, file, code))
			return &error_no_memory;
	}
	*ret_count = count;
	return NULL;
}

/* What somebody else measured is told apart as it is there: each code is a function. */
static struct error *find_functions(struct lines *lines, struct naming *n, uint32_t *function_of)
{
	const struct profile *profile = n->profile;
	_cleanup_free_ uint32_t *codes = malloc(profile->codes.count * sizeof *codes);
	size_t count;
	if (!codes)
		return &error_no_memory;
	TRY(list_codes(n, codes, &count));
	if (profile->given_unit == 0)
		qsort_r(codes, count, sizeof *codes, by_function, n);
	for (size_t i = 0; i < count; i++) {
		bool same = i && profile->given_unit == 0 && compare_functions(n, codes[i - 1], codes[i]) == 0;
		if (!same && !vec_push(&lines->functions, (struct lines_function){ .code = codes[i] }))
			return &error_no_memory;
		function_of[codes[i]] = (uint32_t)lines->functions.count - 1;
	}
	return NULL;
}

/* ---- lines ---- */

struct entry {
	uint32_t function, line; /* line 0: of the function */
	const struct profile_line *measured;
};

static int by_line(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int order = compare(a->function, b->function);
	return order ? order : compare(a->line, b->line);
}

static void add_measured(struct lines *lines, struct lines_sum *sum, const struct profile_line *line, bool is_function)
{
	const struct profile_call_cost *cost = &lines->profile->processes.data[line->process].line_cost;
	uint64_t both;
	if (__builtin_add_overflow(cost->inside, cost->beside, &both))
		both = UINT64_MAX;
	int64_t called_cost = saturating_times(line->hits_inside, both);
	if (__builtin_add_overflow(sum->hits, line->hits, &sum->hits))
		sum->hits = UINT64_MAX;
	saturating_add(&sum->wall, saturating_limit(line->wall));
	saturating_add(&sum->called, saturating_limit(line->called));
	saturating_add(&sum->cpu, saturating_limit(line->cpu));
	saturating_add(&sum->called_cost, called_cost);
	saturating_add(&sum->cost, called_cost);
	if (!is_function)
		saturating_add(&sum->cost, saturating_times(line->hits, cost->inside));
	sum->increment = (int64_t)((uint64_t)sum->increment + line->increment);
	profile_add_line_usage(&sum->usage, line->usage, is_function);
	lines->has_cost |= cost->inside || cost->beside;
	lines->has_called |= line->called > 0;
	lines->has_cpu |= line->cpu > 0;
}

static struct error *add_entry(struct lines *lines, const struct entry *entry)
{
	struct lines_function *function = &lines->functions.data[entry->function];
	if (!entry->line) {
		add_measured(lines, &function->sum, entry->measured, /* is_function */ true);
		return NULL;
	}
	bool known = function->count && lines->lines.data[lines->lines.count - 1].line == entry->line;
	if (!function->count)
		function->first = (uint32_t)lines->lines.count;
	if (!known && !vec_push(&lines->lines, (struct lines_line){ .line = entry->line }))
		return &error_no_memory;
	function->count += !known;
	add_measured(lines, &lines->lines.data[lines->lines.count - 1].sum, entry->measured, /* is_function */ false);
	if (__builtin_add_overflow(function->hits, entry->measured->hits, &function->hits))
		function->hits = UINT64_MAX;
	return NULL;
}

static struct error *add_lines(struct lines *lines, const uint32_t *function_of)
{
	const struct profile *profile = lines->profile;
	size_t count = profile->lines.count;
	_cleanup_free_ struct entry *entries = malloc((count + 1) * sizeof *entries);
	if (!entries)
		return &error_no_memory;
	for (size_t i = 0; i < count; i++) {
		const struct profile_stack *stack = &profile->stacks.data[profile->lines.data[i].stack];
		entries[i] = (struct entry){ function_of[stack->code],
			stack->instruction > 0 ? (uint32_t)stack->instruction : 0, &profile->lines.data[i] };
	}
	qsort(entries, count, sizeof *entries, by_line);
	for (size_t i = 0; i < count; i++)
		TRY(add_entry(lines, &entries[i]));
	return NULL;
}

struct error *lines_init(const struct profile *profile, struct lines *ret_lines)
{
	_cleanup_lines_ struct lines lines = { .profile = profile,
		.unit = profile->given_unit > 0 ? profile->given_unit : 1e-9 };
	struct naming naming = { .profile = profile };
	_cleanup_free_ uint32_t *function_of = calloc(profile->codes.count, sizeof *function_of);
	struct error *error = function_of ? find_functions(&lines, &naming, function_of) : &error_no_memory;
	if (!error)
		error = add_lines(&lines, function_of);
	map_deinit(&naming.first_of_file);
	TRY(error);
	*ret_lines = lines;
	lines = (struct lines){ 0 };
	return NULL;
}

void lines_deinit(struct lines *lines)
{
	vec_free(&lines->functions);
	vec_free(&lines->lines);
}

static void use_cpu(struct lines_sum *sum)
{
	sum->wall = sum->cpu;
	sum->called = 0;
}

/* Functions as a whole have no CPU time: theirs is that of their lines. */
void lines_use_cpu(struct lines *lines)
{
	if (!lines->has_cpu)
		return;
	for (size_t i = 0; i < lines->functions.count; i++)
		use_cpu(&lines->functions.data[i].sum);
	for (size_t i = 0; i < lines->lines.count; i++)
		use_cpu(&lines->lines.data[i].sum);
	lines->has_called = false;
}

/* ---- what can be shown ---- */

const struct lines_line *lines_of_function(const struct lines *lines, const struct lines_function *function)
{
	return function->count ? &lines->lines.data[function->first] : NULL;
}

struct text lines_function_name(const struct lines *lines, const struct lines_function *function)
{
	return profile_strings_get(&lines->profile->strings, name_of(&lines->profile->codes.data[function->code]));
}

struct text lines_function_file(const struct lines *lines, const struct lines_function *function)
{
	return profile_strings_get(&lines->profile->strings, lines->profile->codes.data[function->code].file);
}

struct lines_times lines_times(const struct lines_sum *sum, bool measured)
{
	int64_t self = sum->wall, own_cost = sum->cost;
	saturating_add(&self, -sum->called);
	saturating_add(&own_cost, -sum->called_cost);
	struct lines_times times = { .total = shown(sum->wall, measured ? 0 : sum->cost) };
	times.self = at_most(shown(self, measured ? 0 : own_cost), times.total);
	times.cpu = at_most(shown(sum->cpu, measured ? 0 : sum->cost), times.total);
	return times;
}

static uint64_t sum_lines(const struct lines *lines, const struct lines_function *function, bool measured)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < function->count; i++) {
		uint64_t time = lines_times(&lines->lines.data[function->first + i].sum, measured).total;
		if (__builtin_add_overflow(sum, time, &sum))
			return UINT64_MAX;
	}
	return sum;
}

/* A function that calls itself, as it was measured as a whole. How many hits there were within it may not be known: at
 * least those of its own lines, each of them once, and at least those that its longest line knows of. */
static uint64_t correct_whole(const struct lines *lines, const struct lines_function *function)
{
	const struct lines_line *of = lines_of_function(lines, function);
	int64_t own = 0, most = 0;
	uint64_t longest = 0;
	for (uint32_t i = 0; i < function->count; i++) {
		uint64_t time = lines_times(&of[i].sum, /* measured */ false).total;
		saturating_add(&own, of[i].sum.cost);
		saturating_add(&own, -of[i].sum.called_cost);
		most = of[i].sum.cost > most ? of[i].sum.cost : most;
		longest = time > longest ? time : longest;
	}
	most = own > most ? own : most;
	uint64_t time = shown(function->sum.wall, function->sum.cost ? function->sum.cost : most);
	return at_most(time > longest ? time : longest, shown(function->sum.wall, 0));
}

uint64_t lines_function_time(const struct lines *lines, const struct lines_function *function, bool measured)
{
	uint64_t together = sum_lines(lines, function, /* measured */ true), whole = shown(function->sum.wall, 0);
	if (!whole || whole >= together)
		return measured ? together : sum_lines(lines, function, /* measured */ false);
	return measured ? whole : correct_whole(lines, function);
}

uint64_t lines_function_got(const struct lines *lines, const struct lines_function *function)
{
	uint64_t got = 0;
	for (uint32_t i = 0; i < function->count; i++) {
		int64_t increment = lines->lines.data[function->first + i].sum.increment;
		if (increment > 0 && __builtin_add_overflow(got, (uint64_t)increment, &got))
			return UINT64_MAX;
	}
	return got;
}

uint64_t lines_to_ns(const struct lines *lines, uint64_t time)
{
	double ns = (double)time * (lines->unit * (double)NS_PER_S);
	if (lines->profile->given_unit == 0)
		return time;
	return ns < 1e18 ? (uint64_t)(ns + 0.5) : (uint64_t)1e18;
}

/* ---- rows ---- */

static void add_row(struct profile *profile, const struct lines *lines, const struct profile_line *line)
{
	/* So that no sum of them overflows, whatever the recording says. */
	uint64_t most = UINT64_MAX / (2 * profile->lines.count + 1);
	struct lines scratch = { .profile = profile };
	struct lines_sum sum = { 0 };
	add_measured(&scratch, &sum, line, /* is_function */ false);
	struct lines_times times = lines_times(&sum, /* measured */ false);
	uint64_t hits = at_most(line->hits, most), wall = at_most(lines_to_ns(lines, times.self), most),
		 cpu = line->cpu ? at_most(lines_to_ns(lines, times.cpu), wall) : wall;
	struct profile_row row = { .process = line->process,
		.stack = line->stack,
		.state = STATE_ON_CPU,
		.samples = hits,
		.count = hits,
		.wall = cpu };
	vec_push(&profile->rows, row);
	if (cpu == wall)
		return;
	row.state = 0;
	row.samples = row.count = 0;
	row.wall = wall - cpu;
	vec_push(&profile->rows, row);
}

struct error *lines_make_rows(struct profile *profile)
{
	struct lines lines = { .profile = profile, .unit = profile->given_unit };
	if (!vec_reserve(&profile->rows, 2 * profile->lines.count))
		return &error_no_memory;
	profile_clear_rows(profile);
	for (size_t i = 0; i < profile->lines.count; i++)
		if (profile->stacks.data[profile->lines.data[i].stack].instruction > 0)
			add_row(profile, &lines, &profile->lines.data[i]);
	return NULL;
}
