/* pstats_reader.c: a dictionary {(file, line, name): (primitive calls, calls, own s, total s, {caller: ...})} to a
 * table of calls. A caller's value is (calls, primitive, own, total), or a count alone in what the module `profile`
 * writes.
 *
 * The file may be anything. Keys that are no functions are passed over (3.15's mark of sampled profiles); callers that
 * are no functions of the file, too. */
#include "profile/pstats_reader.h"

#include <string.h>

#include "base/cleanup.h"
#include "bytecode/marshal.h"

/* References make a small file say the same again and again. */
enum { PAIRS_MOST = 1 << 24 };

struct pstats {
	struct marshal marshal;
	struct profile *profile;
	struct map functions; /* (string number of the file, of the name) and line, by two steps, to function + 1 */
	struct map names;
};

bool pstats_is_it(const void *data, size_t size)
{
	const unsigned char *first = data;
	return size && (*first & 0x7f) == '{';
}

static struct error *not_pstats(const char *what)
{
	return error_new(ERROR_CORRUPT, "this is a marshalled dictionary, but none of cProfile's: %s", what);
}

static const struct marshal_value *item(const struct pstats *p, const struct marshal_value *value, uint32_t number)
{
	static const struct marshal_value none = { .kind = MARSHAL_NONE };
	const struct marshal_value *found = marshal_item(&p->marshal, value, number);
	return found ? found : &none;
}

static uint64_t count_of(const struct marshal_value *value)
{
	return value->kind == MARSHAL_INTEGER && value->integer > 0 ? (uint64_t)value->integer : 0;
}

/* Seconds to nanoseconds. */
static int64_t time_of(const struct marshal_value *value)
{
	double seconds = value->kind == MARSHAL_REAL	  ? value->real
			 : value->kind == MARSHAL_INTEGER ? (double)value->integer
							  : 0;
	if (!(seconds > 0))
		return 0;
	return seconds < 9e9 ? (int64_t)(seconds * 1e9 + 0.5) : (int64_t)9e18;
}

static bool is_key(const struct pstats *p, const struct marshal_value *key)
{
	return key->kind == MARSHAL_TUPLE && key->items.count == 3 && item(p, key, 0)->kind == MARSHAL_TEXT &&
	       item(p, key, 1)->kind == MARSHAL_INTEGER && item(p, key, 2)->kind == MARSHAL_TEXT;
}

/* Where the function with this key stands, or is to stand: 0 if there is none yet. Keys of maps are never 0. */
static struct error *find_place(struct pstats *p, const struct marshal_value *key, uint64_t **ret_place)
{
	uint32_t file, name;
	struct profile_strings *strings = &p->profile->strings;
	if (!profile_strings_add(strings, item(p, key, 0)->text, &file) ||
		!profile_strings_add(strings, item(p, key, 2)->text, &name))
		return &error_no_memory;
	uint64_t both = ((uint64_t)file + 1) << 32 | name;
	if (!map_get(&p->names, both) && !map_put(&p->names, both, p->names.count))
		return &error_no_memory;
	uint64_t full = (*map_get(&p->names, both) + 1) << 32 | (uint32_t)item(p, key, 1)->integer;
	if (!map_get(&p->functions, full) && !map_put(&p->functions, full, 0))
		return &error_no_memory;
	*ret_place = map_get(&p->functions, full);
	return NULL;
}

static struct calls_sum sum_of(const struct pstats *p, const struct marshal_value *value, bool of_caller)
{
	if (value->kind == MARSHAL_INTEGER)
		return (struct calls_sum){ .calls = count_of(value), .primitive = count_of(value) };
	return (struct calls_sum){
		.calls = count_of(item(p, value, of_caller ? 0 : 1)),
		.primitive = count_of(item(p, value, of_caller ? 1 : 0)),
		.self = time_of(item(p, value, 2)),
		.total = time_of(item(p, value, 3)),
	};
}

static struct error *add_function(struct pstats *p, const struct marshal_value *key, const struct marshal_value *value)
{
	struct profile *profile = p->profile;
	uint64_t *place;
	if (value->kind != MARSHAL_TUPLE || value->items.count < 5 || item(p, value, 4)->kind != MARSHAL_DICT)
		return not_pstats("a function has no five numbers");
	TRY(find_place(p, key, &place));
	if (*place)
		return not_pstats("a function comes twice");
	struct text file = item(p, key, 0)->text;
	uint32_t line = (uint32_t)item(p, key, 1)->integer;
	struct code_def code = {
		.id = (uint32_t)profile->codes.count,
		.first_line = line,
		.flags = file.size == 1 && file.data[0] == '~' && !line ? CODE_BUILTIN : 0,
		.file = file,
		.name = item(p, key, 2)->text,
		.qualname = { "", 0 },
		.line_table = { "", 0 },
	};
	struct calls_function function = { .code = code.id, .sum = sum_of(p, value, /* of_caller */ false) };
	TRY(profile->sink.ops->code(&profile->sink, &code));
	if (!vec_push(&profile->given_functions, function))
		return &error_no_memory;
	*place = profile->given_functions.count;
	return NULL;
}

static struct error *add_callers(struct pstats *p, uint32_t callee, const struct marshal_value *callers)
{
	for (uint32_t i = 0; i + 1 < callers->items.count; i += 2) {
		const struct marshal_value *key = item(p, callers, i);
		uint64_t *place;
		if (!is_key(p, key))
			continue;
		TRY(find_place(p, key, &place));
		if (!*place)
			continue;
		struct calls_pair pair = { (uint32_t)(*place - 1), callee,
			sum_of(p, item(p, callers, i + 1), /* of_caller */ true) };
		if (p->profile->given_pairs.count >= PAIRS_MOST)
			return not_pstats("it has more callers than can be");
		if (!vec_push(&p->profile->given_pairs, pair))
			return &error_no_memory;
	}
	return NULL;
}

static struct error *add_all(struct pstats *p)
{
	const struct marshal_value *all = marshal_whole(&p->marshal);
	if (all->kind != MARSHAL_DICT)
		return not_pstats("it is none");
	for (uint32_t i = 0; i + 1 < all->items.count; i += 2)
		if (is_key(p, item(p, all, i)))
			TRY(add_function(p, item(p, all, i), item(p, all, i + 1)));
	if (!p->profile->given_functions.count && all->items.count)
		return not_pstats("it has no function");
	uint32_t callee = 0;
	for (uint32_t i = 0; i + 1 < all->items.count; i += 2)
		if (is_key(p, item(p, all, i)))
			TRY(add_callers(p, callee++, item(p, item(p, all, i + 1), 4)));
	return NULL;
}

struct error *pstats_read(const void *data, size_t size, struct profile *profile)
{
	struct pstats p = { .profile = profile };
	static const struct text nothing = { "", 0 };
	struct recording_info info = {
		.mode = RECORDING_CALLS, .command = nothing, .host = nothing, .tool = nothing, .system = nothing
	};
	struct error *error = profile->sink.ops->begin(&profile->sink, &info);
	if (!error)
		error = marshal_read(data, size, &p.marshal);
	if (!error)
		error = add_all(&p);
	marshal_deinit(&p.marshal);
	map_deinit(&p.functions);
	map_deinit(&p.names);
	return error;
}
