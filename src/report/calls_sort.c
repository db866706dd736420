/* calls_sort.c: what --sort says: of samples "self" and "total", of calls the keys of Python's pstats and their
 * abbreviations. What a person means by one kind of recording is understood for the other where there is such a thing.
 */
#include <string.h>

#include "report/calls.h"
#include "report/report.h"

/* In the order of pstats, which decides what an abbreviation means there. */
static const struct sort_key {
	const char *word;
	enum report_call_sort sort;
} sort_keys[] = {
	{ "calls", CALL_SORT_CALLS },
	{ "ncalls", CALL_SORT_CALLS },
	{ "cumtime", CALL_SORT_CUMULATIVE },
	{ "cumulative", CALL_SORT_CUMULATIVE },
	{ "filename", CALL_SORT_FILE },
	{ "line", CALL_SORT_LINE },
	{ "module", CALL_SORT_FILE },
	{ "name", CALL_SORT_NAME },
	{ "nfl", CALL_SORT_NAME_FILE_LINE },
	{ "pcalls", CALL_SORT_PRIMITIVE },
	{ "stdname", CALL_SORT_STANDARD },
	{ "time", CALL_SORT_INTERNAL },
	{ "tottime", CALL_SORT_INTERNAL },
};
enum { SORT_KEYS = sizeof sort_keys / sizeof *sort_keys };

static bool begins(const char *word, const char *start)
{
	return strncmp(word, start, strlen(start)) == 0;
}

/* An abbreviation is ambiguous where the next letter decides between two words: "c", "cum", "n" and "t", but not "cu",
 * which pstats takes, too. */
static struct error *refuse_ambiguous(const char *word)
{
	_cleanup_buffer_ struct buffer candidates = { 0 };
	char next = 0;
	bool ambiguous = false;
	for (size_t i = 0; i < SORT_KEYS; i++) {
		if (!begins(sort_keys[i].word, word))
			continue;
		char letter = sort_keys[i].word[strlen(word)];
		ambiguous |= next && letter != next;
		next = letter;
		buffer_printf(&candidates, "%s%s", candidates.size ? ", " : "", sort_keys[i].word);
	}
	if (!ambiguous)
		return NULL;
	return error_new(ERROR_USAGE, "--sort: '%s' may be any of %s", word, buffer_string(&candidates));
}

static struct error *refuse(const char *word, uint32_t mode)
{
	_cleanup_buffer_ struct buffer known = { 0 };
	if (mode == RECORDING_SAMPLES)
		return error_new(ERROR_USAGE,
			"--sort: '%s' is for recordings of calls; this one can be sorted by self or total", word);
	for (size_t i = 0; i < SORT_KEYS; i++)
		buffer_printf(&known, ", %s", sort_keys[i].word);
	return error_new(ERROR_USAGE, "--sort: '%s' is none of both, self, total%s", word, buffer_string(&known));
}

/* The words of samples, each with what comes nearest to it for calls. */
static bool parse_sample_sort(const char *word, struct report_options *options)
{
	static const struct {
		const char *word;
		enum report_sort sort;
		enum report_call_sort call_sort;
	} words[] = {
		{ "both", REPORT_SORT_BOTH, CALL_SORT_CUMULATIVE },
		{ "self", REPORT_SORT_SELF, CALL_SORT_INTERNAL },
		{ "total", REPORT_SORT_TOTAL, CALL_SORT_CUMULATIVE },
	};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i].word, word) == 0) {
			options->sort = words[i].sort;
			options->call_sort = words[i].call_sort;
			return true;
		}
	return false;
}

/* What comes nearest to it for lines. */
static enum report_line_sort line_sort_of(enum report_call_sort sort)
{
	static const enum report_line_sort nearest[CALL_SORT_END] = {
		[CALL_SORT_CUMULATIVE] = LINE_SORT_TIME,
		[CALL_SORT_CALLS] = LINE_SORT_CALLS,
		[CALL_SORT_FILE] = LINE_SORT_FILE,
		[CALL_SORT_LINE] = LINE_SORT_FILE,
		[CALL_SORT_NAME] = LINE_SORT_NAME,
		[CALL_SORT_NAME_FILE_LINE] = LINE_SORT_NAME,
		[CALL_SORT_PRIMITIVE] = LINE_SORT_CALLS,
		[CALL_SORT_STANDARD] = LINE_SORT_FILE,
		[CALL_SORT_INTERNAL] = LINE_SORT_TIME,
	};
	return nearest[sort];
}

struct error *report_parse_sort(const char *word, uint32_t mode, struct report_options *options)
{
	const struct sort_key *key = NULL;
	if (parse_sample_sort(word, options)) {
		options->line_sort = strcmp(word, "both") == 0 ? LINE_SORT_DEFAULT : LINE_SORT_TIME;
		return NULL;
	}
	for (size_t i = 0; i < SORT_KEYS; i++)
		if (strcmp(sort_keys[i].word, word) == 0)
			key = &sort_keys[i];
	if (!key && *word) {
		TRY(refuse_ambiguous(word));
		for (size_t i = SORT_KEYS; i-- > 0;)
			key = begins(sort_keys[i].word, word) ? &sort_keys[i] : key;
	}
	if (!key)
		return refuse(word, 0);
	options->call_sort = key->sort;
	options->line_sort = line_sort_of(key->sort);
	options->sort = key->sort == CALL_SORT_INTERNAL ? REPORT_SORT_SELF : REPORT_SORT_TOTAL;
	if (mode == RECORDING_SAMPLES && key->sort != CALL_SORT_INTERNAL && key->sort != CALL_SORT_CUMULATIVE)
		return refuse(word, mode);
	return NULL;
}

const char *calls_sort_title(enum report_call_sort sort)
{
	static const char *const titles[CALL_SORT_END] = { "cumulative time", "call count", "file name", "line number",
		"function name", "name/file/line", "primitive call count", "standard name", "internal time" };
	return titles[sort];
}
