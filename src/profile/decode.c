/* decode.c: gives stacks their functions and lines.
 *
 * Many stacks share one *site*, a (code object, instruction) pair, and many sites one line. Sites that are new are
 * sorted by code object and instruction, and each line table is read once, from its start to its end, whatever its
 * size. */
#include "profile/decode.h"

#include <string.h>

#include "base/cleanup.h"
#include "bytecode/lines.h"

struct site {
	uint32_t code, frame;
	int32_t instruction;
};

struct sites {
	VEC(struct site) list;
};

static const char *find_in(struct text text, const char *part)
{
	return text.size ? memmem(text.data, text.size, part, strlen(part)) : NULL;
}

static bool starts_with(struct text text, const char *start)
{
	size_t length = strlen(start);
	return text.size >= length && memcmp(text.data, start, length) == 0;
}

/* What follows `marker` up to the next slash; empty when it is not in there. */
static struct text component_after(struct text file, const char *marker)
{
	const char *found = find_in(file, marker);
	if (!found)
		return (struct text){ "", 0 };
	const char *start = found + strlen(marker), *end = file.data + file.size;
	const char *slash = memchr(start, '/', (size_t)(end - start));
	return (struct text){ start, (size_t)((slash ? slash : end) - start) };
}

static bool digit_after(struct text file, const char *marker)
{
	struct text next = component_after(file, marker);
	return next.size && next.data[0] >= '0' && next.data[0] <= '9';
}

enum profile_origin profile_find_origin(struct text file, struct text *ret_package)
{
	*ret_package = (struct text){ "", 0 };
	if (starts_with(file, "<frozen importlib") || starts_with(file, "<frozen zipimport") ||
		find_in(file, "/importlib/_bootstrap"))
		return ORIGIN_IMPORT;
	if (starts_with(file, "<frozen "))
		return ORIGIN_STDLIB;
	struct text package = component_after(file, "/site-packages/");
	if (!package.size)
		package = component_after(file, "/dist-packages/");
	if (package.size) {
		*ret_package = package;
		return ORIGIN_SITE;
	}
	if (digit_after(file, "/lib/python") || digit_after(file, "/lib64/python"))
		return ORIGIN_STDLIB;
	return ORIGIN_OWN;
}

/* Builtins are of the standard library: what that calls of them folds into it. */
static struct error *classify(struct profile *profile, struct profile_function *function, bool is_builtin)
{
	struct text package;
	function->origin = (uint8_t)profile_find_origin(function->file, &package);
	if (is_builtin)
		function->origin = ORIGIN_STDLIB;
	if (function->origin == ORIGIN_STDLIB || function->origin == ORIGIN_IMPORT)
		package = (struct text){ "the standard library", strlen("the standard library") };
	return profile_strings_add(&profile->strings, package, &function->package) ? NULL : &error_no_memory;
}

/* A number for each (file, name). Keys of maps are never 0, hence the 1. */
static struct error *number_of_name(struct profile *profile, uint32_t file, uint32_t name, uint32_t *ret_number)
{
	uint64_t key = ((uint64_t)file + 1) << 32 | name;
	uint64_t *found = map_get(&profile->name_index, key);
	*ret_number = found ? (uint32_t)*found : (uint32_t)profile->name_index.count;
	return found || map_put(&profile->name_index, key, profile->name_index.count) ? NULL : &error_no_memory;
}

static struct error *make_function(struct profile *profile, const struct profile_code *code, uint32_t name)
{
	static const struct text unnamed = { "<unnamed>", sizeof "<unnamed>" - 1 };
	struct profile_function function = {
		.name = name ? profile_strings_get(&profile->strings, name) : unnamed,
		.file = profile_strings_get(&profile->strings, code->file),
		.file_number = code->file,
		.first_line = code->first_line,
		.origin = ORIGIN_SYNTHETIC,
	};
	if (code->flags & CODE_BUILTIN)
		function.file = (struct text){ "", 0 };
	if (!(code->flags & CODE_SYNTHETIC))
		TRY(classify(profile, &function, code->flags & CODE_BUILTIN));
	return vec_push(&profile->functions, function) ? NULL : &error_no_memory;
}

static struct error *decode_code(struct profile *profile, struct profile_code *code)
{
	uint32_t name = code->qualname ? code->qualname : code->name, pair;
	TRY(number_of_name(profile, code->file, name, &pair));
	uint64_t key = ((uint64_t)pair + 1) << 32 | code->first_line;
	uint64_t *found = map_get(&profile->function_index, key);
	if (!found) {
		if (!map_put(&profile->function_index, key, profile->functions.count))
			return &error_no_memory;
		TRY(make_function(profile, code, name));
		found = map_get(&profile->function_index, key);
	}
	code->function = (uint32_t)*found;
	return NULL;
}

struct error *profile_intern_frame(struct profile *profile, uint32_t function, uint32_t line, uint32_t *ret_frame)
{
	uint64_t key = ((uint64_t)function + 1) << 32 | line;
	uint64_t *found = map_get(&profile->frame_index, key);
	if (!found) {
		if (!map_put(&profile->frame_index, key, profile->frames.count) ||
			!vec_push(&profile->frames, (struct profile_frame){ function, line }))
			return &error_no_memory;
		found = map_get(&profile->frame_index, key);
	}
	*ret_frame = (uint32_t)*found;
	return NULL;
}

/* Notes the site's number in stack->frame for the time being. */
static struct error *add_site(struct profile *profile, struct sites *sites, struct profile_stack *stack)
{
	uint64_t key = (uint64_t)stack->code << 32 | (uint32_t)stack->instruction;
	uint64_t *found = map_get(&profile->site_index, key);
	if (!found) {
		if (!map_put(&profile->site_index, key, sites->list.count) ||
			!vec_push(&sites->list, (struct site){ stack->code, PROFILE_NONE, stack->instruction }))
			return &error_no_memory;
		stack->frame = (uint32_t)sites->list.count - 1;
	} else {
		stack->frame = (uint32_t)*found;
	}
	return NULL;
}

static int by_place(const void *left, const void *right, void *data)
{
	const struct site *list = data, *a = &list[*(const uint32_t *)left], *b = &list[*(const uint32_t *)right];
	if (a->code != b->code)
		return a->code < b->code ? -1 : 1;
	return (a->instruction > b->instruction) - (a->instruction < b->instruction);
}

/* The sites order[0..count) are those of one code object, by instruction. */
static struct error *decode_lines(struct profile *profile, struct sites *sites, const uint32_t *order, size_t count)
{
	const struct profile_code *code = &profile->codes.data[sites->list.data[order[0]].code];
	struct text bytes = profile_strings_get(&profile->strings, code->line_table);
	struct line_table table = { code->line_table_kind, code->first_line, (const unsigned char *)bytes.data,
		bytes.size };
	struct lines_iterator iterator;
	struct lines_range range = { 0 };
	lines_iterator_init(&iterator, &table);
	bool more = lines_iterator_next(&iterator, &range);
	for (size_t i = 0; i < count; i++) {
		struct site *site = &sites->list.data[order[i]];
		uint32_t line = code->first_line;
		if (site->instruction >= 0 && table.kind == LINES_KIND_PLAIN) {
			line = (uint32_t)site->instruction;
		} else if (site->instruction >= 0) {
			while (more && (uint64_t)site->instruction >= range.end)
				more = lines_iterator_next(&iterator, &range);
			line = more ? range.position.line : 0;
		}
		if (line == PROFILE_WHOLE)
			line = 0;
		TRY(profile_intern_frame(profile, code->function, line, &site->frame));
	}
	return NULL;
}

static struct error *decode_sites(struct profile *profile, struct sites *sites)
{
	size_t count = sites->list.count;
	_cleanup_free_ uint32_t *order = malloc((count + 1) * sizeof *order);
	if (!order)
		return &error_no_memory;
	for (size_t i = 0; i < count; i++)
		order[i] = (uint32_t)i;
	qsort_r(order, count, sizeof *order, by_place, sites->list.data);
	for (size_t start = 0, end; start < count; start = end) {
		uint32_t code = sites->list.data[order[start]].code;
		for (end = start + 1; end < count && sites->list.data[order[end]].code == code;)
			end++;
		if (profile->codes.data[code].function == PROFILE_NONE)
			TRY(decode_code(profile, &profile->codes.data[code]));
		TRY(decode_lines(profile, sites, &order[start], end - start));
	}
	return NULL;
}

static struct error *decode_new_stacks(struct profile *profile, struct sites *sites)
{
	map_clear(&profile->site_index);
	for (size_t i = profile->decoded; i < profile->stacks.count; i++)
		TRY(add_site(profile, sites, &profile->stacks.data[i]));
	TRY(decode_sites(profile, sites));
	for (size_t i = profile->decoded; i < profile->stacks.count; i++)
		profile->stacks.data[i].frame = sites->list.data[profile->stacks.data[i].frame].frame;
	profile->decoded = profile->stacks.count;
	return NULL;
}

struct error *profile_decode(struct profile *profile)
{
	if (!profile->decoded) {
		/* Stack 0 is a thread without a Python frame. */
		TRY(profile_intern_frame(profile, FUNCTION_NO_PYTHON, PROFILE_WHOLE, &profile->stacks.data[0].frame));
		profile->decoded = 1;
	}
	if (profile->decoded == profile->stacks.count)
		return NULL;
	struct sites sites = { 0 };
	struct error *error = decode_new_stacks(profile, &sites);
	vec_free(&sites.list);
	return error;
}
