/* lprof_reader.c: an object of line_profiler's class LineStats, {"timings": {(file, first line, name): [(line, hits,
 * time), ...]}, "unit": seconds}, to the tallies of a recording of lines.
 *
 * The file may be anything. Lists may be referred to from several places, which makes a small file say the same again
 * and again: it has no more lines than bytes. */
#include "profile/lprof_reader.h"

#include <string.h>

#include "base/cleanup.h"
#include "bytecode/pickle.h"

struct lprof {
	struct pickle pickle;
	struct profile *profile;
	uint64_t lines_left;
};

bool lprof_is_it(const void *data, size_t size)
{
	const unsigned char *first = data;
	return size >= LPROF_HEAD && first[0] == 0x80 && first[1] >= 2 && first[1] <= 5;
}

static struct error *not_lprof(const char *what)
{
	return error_new(ERROR_CORRUPT, "this is a pickle, but none of line_profiler's: %s", what);
}

static bool is_text(const struct pickle_value *value, const char *word)
{
	return value->kind == PICKLE_TEXT && value->text.size == strlen(word) &&
	       memcmp(value->text.data, word, value->text.size) == 0;
}

/* The value of a key that is a word. */
static const struct pickle_value *member(const struct lprof *l, const struct pickle_value *dict, const char *word)
{
	for (const struct pickle_item *key = pickle_first(&l->pickle, dict); key;) {
		const struct pickle_item *value = pickle_next(&l->pickle, key);
		if (value && is_text(pickle_value(&l->pickle, key), word))
			return pickle_value(&l->pickle, value);
		key = value ? pickle_next(&l->pickle, value) : NULL;
	}
	return NULL;
}

static uint64_t count_of(const struct pickle_value *value)
{
	if (value->kind == PICKLE_REAL)
		return value->real > 0 ? value->real < 9e18 ? (uint64_t)value->real : (uint64_t)9e18 : 0;
	return value->kind == PICKLE_INTEGER && value->integer > 0 ? (uint64_t)value->integer : 0;
}

/* ---- events ---- */

static struct error *add_stack(struct lprof *l, uint32_t code, int32_t line, uint32_t *ret_stack)
{
	struct sink *sink = &l->profile->sink;
	struct stack_def stack = { (uint32_t)l->profile->stacks.count, 0, code, line };
	TRY(sink->ops->stack(sink, &stack));
	*ret_stack = stack.id;
	return NULL;
}

static struct error *add_tally(
	struct lprof *l, uint32_t code, int32_t line, enum subject subject, uint64_t hits, uint64_t time)
{
	struct sink *sink = &l->profile->sink;
	struct event event = { .kind = EVENT_TALLY,
		.subject = (uint8_t)subject,
		.process = 1,
		.weight = { [WEIGHT_COUNT] = hits, [WEIGHT_WALL] = time } };
	TRY(add_stack(l, code, line, &event.stack));
	return sink->ops->events(sink, &event, 1);
}

static struct error *add_line(struct lprof *l, uint32_t code, const struct pickle_value *entry)
{
	const struct pickle_value *line = pickle_item(&l->pickle, entry, 0);
	uint64_t hits = count_of(pickle_item(&l->pickle, entry, 1)), time = count_of(pickle_item(&l->pickle, entry, 2));
	if (entry->kind != PICKLE_TUPLE || entry->items.count < 3 || line->kind != PICKLE_INTEGER)
		return not_lprof("a line has no three numbers");
	if (!l->lines_left--)
		return not_lprof("it has more lines than can be");
	if (line->integer <= 0 || line->integer > INT32_MAX || (!hits && !time))
		return NULL;
	return add_tally(l, code, (int32_t)line->integer, SUBJECT_LINE, hits, time);
}

static struct error *add_function(struct lprof *l, const struct pickle_value *key, const struct pickle_value *timings)
{
	const struct pickle_value *file = pickle_item(&l->pickle, key, 0), *line = pickle_item(&l->pickle, key, 1),
				  *name = pickle_item(&l->pickle, key, 2);
	struct sink *sink = &l->profile->sink;
	if (key->kind != PICKLE_TUPLE || file->kind != PICKLE_TEXT || line->kind != PICKLE_INTEGER ||
		name->kind != PICKLE_TEXT || timings->kind != PICKLE_TUPLE)
		return not_lprof("a function has no file, line and name");
	struct code_def code = {
		.id = (uint32_t)l->profile->codes.count,
		.first_line = line->integer > 0 && line->integer <= INT32_MAX ? (uint32_t)line->integer : 0,
		.line_table_kind = LINES_KIND_PLAIN,
		.file = file->text,
		.name = name->text,
		.qualname = { "", 0 },
		.line_table = { "", 0 },
	};
	TRY(sink->ops->code(sink, &code));
	TRY(add_tally(l, code.id, -1, SUBJECT_LINES, 0, 0));
	for (const struct pickle_item *item = pickle_first(&l->pickle, timings); item;
		item = pickle_next(&l->pickle, item))
		TRY(add_line(l, code.id, pickle_value(&l->pickle, item)));
	return NULL;
}

static struct error *add_functions(struct lprof *l, const struct pickle_value *timings)
{
	for (const struct pickle_item *key = pickle_first(&l->pickle, timings); key;) {
		const struct pickle_item *value = pickle_next(&l->pickle, key);
		if (!value)
			break;
		TRY(add_function(l, pickle_value(&l->pickle, key), pickle_value(&l->pickle, value)));
		key = pickle_next(&l->pickle, value);
	}
	return NULL;
}

/* ---- the object ---- */

static struct error *check_class(const struct lprof *l, const struct pickle_value *object)
{
	static const char package[] = "line_profiler";
	const struct pickle_value *class = pickle_item(&l->pickle, object, 0),
				  *module = pickle_item(&l->pickle, class, 0);
	if (object->kind != PICKLE_OBJECT || class->kind != PICKLE_CLASS || module->kind != PICKLE_TEXT ||
		module->text.size < sizeof package - 1 || memcmp(module->text.data, package, sizeof package - 1) != 0 ||
		!is_text(pickle_item(&l->pickle, class, 1), "LineStats"))
		return not_lprof("it is no LineStats");
	return NULL;
}

static struct error *add_all(struct lprof *l)
{
	const struct pickle_value *object = pickle_whole(&l->pickle);
	TRY(check_class(l, object));
	const struct pickle_value *state = pickle_item(&l->pickle, object, 2), *timings = member(l, state, "timings"),
				  *unit = member(l, state, "unit");
	if (!timings || timings->kind != PICKLE_DICT)
		return not_lprof("it has no timings");
	if (!unit || unit->kind != PICKLE_REAL || !(unit->real > 0) || unit->real > 1e9)
		return not_lprof("it has no unit of time");
	l->profile->given_unit = unit->real;
	return add_functions(l, timings);
}

static struct error *begin(struct profile *profile)
{
	static const struct text nothing = { "", 0 };
	struct sink *sink = &profile->sink;
	struct recording_info info = {
		.mode = RECORDING_LINES, .command = nothing, .host = nothing, .tool = nothing, .system = nothing
	};
	struct process_def process = { .id = 1, .command = nothing, .executable = nothing, .search_path = nothing };
	TRY(sink->ops->begin(sink, &info));
	return sink->ops->process(sink, &process);
}

struct error *lprof_read(const void *data, size_t size, struct profile *profile)
{
	struct lprof l = { .profile = profile, .lines_left = size };
	struct error *error = begin(profile);
	if (!error)
		error = pickle_read(data, size, &l.pickle);
	if (!error)
		error = add_all(&l);
	pickle_deinit(&l.pickle);
	return error;
}
