/* rss_dat.c: see rss_dat.h.
 *
 *     CMDLINE python3 app.py
 *     MEM 15.105469 1795193663.9433                        MiB, seconds since 1970
 *     CHLD 4242 31.250000 1795193664.0439                  the same of a child, which is told by a number
 *     FUNC app.f 49.5 1795193664.3 57.1 1795193664.5 0     memory and time at its begin and its end; how deep, or
 * nothing
 *
 * in any order: mprof appends what the program itself has written. Other words at the start of a line are passed over.
 * Whatever writes such a file may be killed amid a line: what follows the last line end does not count. */
#include "profile/rss_dat.h"

#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/map.h"

enum { NUMBER_MAX = 63, FIRST_CHILD = 2, MOST_FIELDS = 7 };
static const double mib = 1 << 20, ns = 1e9, longest = 4e9; /* seconds: the year 2096 */

/* One line, split at its blanks. */
struct fields {
	struct text words[MOST_FIELDS];
	size_t count;
};

struct reading {
	struct profile *profile;
	struct map children; /* number -> process of the recording */
	size_t line;
	double start; /* of all readings: seconds since 1970 */
};

static bool is_word(struct text text, const char *word)
{
	return text.size == strlen(word) && memcmp(text.data, word, text.size) == 0;
}

bool rss_dat_is_it(const void *data, size_t size)
{
	static const char *const words[] = { "CMDLINE ", "MEM ", "CHLD ", "FUNC " };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (size >= strlen(words[i]) && memcmp(data, words[i], strlen(words[i])) == 0)
			return true;
	return false;
}

static struct fields split(struct text line)
{
	struct fields fields = { 0 };
	const char *at = line.data, *end = line.data + line.size;
	while (at < end && fields.count < MOST_FIELDS) {
		const char *blank = memchr(at, ' ', (size_t)(end - at));
		size_t length = (size_t)((blank ? blank : end) - at);
		if (length)
			fields.words[fields.count++] = (struct text){ at, length };
		at += length + 1;
	}
	return fields;
}

static bool read_number(struct text text, double *ret_number)
{
	char word[NUMBER_MAX + 1], *end;
	if (!text.size || text.size > NUMBER_MAX)
		return false;
	memcpy(word, text.data, text.size);
	word[text.size] = '\0';
	*ret_number = strtod(word, &end);
	return end == word + text.size && isfinite(*ret_number);
}

static uint64_t nearest(double number)
{
	return (uint64_t)(number + 0.5);
}

/* Memory in MiB and a time. Memory is counted in KiB: six decimals are somewhat coarser than bytes. */
static bool read_point(const struct reading *r, const struct text *words, struct rss_point *ret_point)
{
	enum { KIB = 1024 };
	double memory, time;
	if (!read_number(words[0], &memory) || !read_number(words[1], &time) || memory < 0 || memory > longest ||
		time < 0 || time > longest)
		return false;
	uint64_t bytes = nearest(memory * mib), whole = nearest(memory * mib / KIB) * KIB;
	ret_point->bytes = bytes + 1 >= whole && bytes <= whole + 1 ? whole : bytes;
	ret_point->time = time > r->start ? nearest((time - r->start) * ns) : 0;
	return true;
}

static struct error *damaged(const struct reading *r, const char *what)
{
	return error_new(ERROR_CORRUPT, "line %zu %s", r->line, what);
}

/* ---- what lines say ---- */

static struct error *define(struct reading *r, uint32_t pid, struct text command)
{
	struct process_def def = {
		.id = (uint32_t)r->profile->processes.count, .pid = pid, .parent = pid ? 1 : 0, .command = command
	};
	return r->profile->sink.ops->process(&r->profile->sink, &def);
}

static struct error *need_child(struct reading *r, double number, uint32_t *ret_process)
{
	uint32_t pid = (uint32_t)number;
	uint64_t *known = map_get(&r->children, (uint64_t)pid + 1);
	if (!known) {
		if (!map_put(&r->children, (uint64_t)pid + 1, r->profile->processes.count))
			return &error_no_memory;
		TRY(define(r, pid, (struct text){ "", 0 }));
		known = map_get(&r->children, (uint64_t)pid + 1);
	}
	*ret_process = (uint32_t)*known;
	return NULL;
}

static struct error *take_child(struct reading *r, const struct fields *fields)
{
	struct rss_point point;
	uint32_t process;
	double number;
	if (fields->count < 4 || !read_number(fields->words[1], &number) || number < 0 || number > INT32_MAX ||
		!read_point(r, &fields->words[2], &point))
		return damaged(r, "is no CHLD line with a number, MiB and a time");
	TRY(need_child(r, number, &process));
	return profile_rss_add_point(r->profile, process, RSS_RESIDENT, point);
}

static struct error *take_function(struct reading *r, const struct fields *fields)
{
	struct rss_given_mark mark = { 0 };
	double level = 0;
	uint32_t number;
	if (fields->count < 6 || !read_point(r, &fields->words[2], &mark.from) ||
		!read_point(r, &fields->words[4], &mark.until) || mark.until.time < mark.from.time ||
		(fields->count > 6 && !read_number(fields->words[6], &level)))
		return damaged(r, "is no FUNC line with a name, and MiB and a time at its begin and its end");
	mark.level = level > 0 && level < UINT16_MAX ? (uint32_t)level : 0;
	TRY(profile_rss_need(r->profile));
	if (!profile_strings_add(&r->profile->strings, fields->words[1], &number))
		return &error_no_memory;
	mark.name = profile_strings_get(&r->profile->strings, number);
	return vec_push(&r->profile->rss->given, mark) ? NULL : &error_no_memory;
}

static struct error *take_line(struct reading *r, struct text line)
{
	const struct fields fields = split(line);
	struct rss_point point;
	if (!fields.count)
		return damaged(r, "is empty");
	if (is_word(fields.words[0], "CHLD"))
		return take_child(r, &fields);
	if (is_word(fields.words[0], "FUNC"))
		return take_function(r, &fields);
	if (!is_word(fields.words[0], "MEM"))
		return NULL;
	if (fields.count < 3 || !read_point(r, &fields.words[1], &point))
		return damaged(r, "is no MEM line with MiB and a time");
	return profile_rss_add_point(r->profile, 1, RSS_RESIDENT, point);
}

/* ---- the file ---- */

typedef struct error *line_function(struct reading *r, struct text line);

static struct error *each_line(struct reading *r, struct text file, line_function *take)
{
	const char *at = file.data, *end = file.data + file.size;
	r->line = 0;
	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		if (!stop)
			return NULL;
		size_t size = (size_t)(stop - at);
		r->line++;
		TRY(take(r, (struct text){ at, size && at[size - 1] == '\r' ? size - 1 : size }));
		at = stop + 1;
	}
	return NULL;
}

/* The first of all times is time 0; the command line is that of process 1. */
static struct error *look_at(struct reading *r, struct text line)
{
	const struct fields fields = split(line);
	size_t place = !fields.count			  ? 0
		       : is_word(fields.words[0], "MEM")  ? 2
		       : is_word(fields.words[0], "CHLD") ? 3
		       : is_word(fields.words[0], "FUNC") ? 3
							  : 0;
	double time;
	if (place && fields.count > place && read_number(fields.words[place], &time) && time >= 0 &&
		(r->start < 0 || time < r->start))
		r->start = time;
	if (fields.count && is_word(fields.words[0], "CMDLINE") && r->profile->processes.count == 1) {
		size_t skip = strlen("CMDLINE ");
		return define(r, 0, (struct text){ line.data + skip, line.size > skip ? line.size - skip : 0 });
	}
	return NULL;
}

static struct error *begin(struct reading *r)
{
	struct recording_info info = {
		.mode = RECORDING_SAMPLES,
		.start_unix_ns = r->start > 0 && r->start < longest ? nearest(r->start * ns) : 0,
	};
	r->start = r->start > 0 ? r->start : 0;
	TRY(r->profile->sink.ops->begin(&r->profile->sink, &info));
	TRY(profile_rss_need(r->profile));
	r->profile->rss->from_dat = true;
	return r->profile->processes.count == 1 ? define(r, 0, (struct text){ "", 0 }) : NULL;
}

struct error *rss_dat_read(const void *data, size_t size, struct profile *profile)
{
	struct reading r = { .profile = profile, .start = -1 };
	struct text file = { data, size };
	TRY(each_line(&r, file, look_at));
	TRY(begin(&r));
	struct error *error = each_line(&r, file, take_line);
	map_deinit(&r.children);
	if (error)
		return error;
	profile->rss->cut = size && ((const char *)data)[size - 1] != '\n';
	for (size_t i = 0; i < profile->rss->processes.count; i++)
		if (profile->rss->processes.data[i].kinds[RSS_RESIDENT].items.count)
			return NULL;
	return error_new(ERROR_CORRUPT, "it has no reading of memory: the program ended before the first one");
}
