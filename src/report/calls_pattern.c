/* calls_pattern.c: see calls_pattern.h. What differs between Python's expressions and POSIX's and is likely to be typed
 * is translated: a brace that begins no count, as in {built-in method time.sleep}; digits, \d; groups that capture
 * nothing. */
#include "report/calls_pattern.h"

#include <string.h>

#include "report/print.h"
#include "report/report.h"

/* {2} {2,} {2,3} {,3} */
static bool is_count(const char *brace)
{
	const char *at = brace + 1 + strspn(brace + 1, "0123456789,");
	return *at == '}' && at > brace + 1;
}

/* From a bracket to its end, or to the end of the pattern. */
static const char *add_set(struct buffer *out, const char *at)
{
	const char *first = at + 1 + (at[1] == '^');
	for (bool end = false; *at && !end; at++) {
		end = *at == ']' && at > first;
		if (strncmp(at, "\\d", 2) == 0) {
			buffer_add_string(out, "0-9");
			at++;
		} else {
			buffer_add_char(out, *at);
		}
	}
	return at;
}

static void translate(struct buffer *out, const char *at)
{
	while (*at) {
		if (*at == '[') {
			at = add_set(out, at);
		} else if (strncmp(at, "\\d", 2) == 0) {
			buffer_add_string(out, "[0-9]");
			at += 2;
		} else if (*at == '\\' && at[1]) {
			buffer_add(out, at, 2);
			at += 2;
		} else if (strncmp(at, "(?:", 3) == 0) {
			buffer_add_char(out, '(');
			at += 3;
		} else {
			buffer_add_string(out, *at == '{' && !is_count(at) ? "\\" : "");
			buffer_add_char(out, *at++);
		}
	}
}

struct error *calls_pattern_compile(const char *pattern, regex_t *ret_regex)
{
	_cleanup_buffer_ struct buffer posix = { 0 };
	char why[256];
	translate(&posix, pattern);
	int failed = regcomp(ret_regex, buffer_string(&posix), REG_EXTENDED | REG_NOSUB);
	if (posix.failed)
		return &error_no_memory;
	if (!failed)
		return NULL;
	regerror(failed, ret_regex, why, sizeof why);
	return error_new(ERROR_USAGE, "'%s' is no regular expression: %s", pattern, why);
}

void calls_pattern_add(struct buffer *out, const char *pattern)
{
	char quote = strchr(pattern, '\'') && !strchr(pattern, '"') ? '"' : '\'';
	buffer_add_char(out, quote);
	for (const char *at = pattern; *at; at++) {
		if (*at == '\\' || *at == quote) {
			buffer_add_char(out, '\\');
			buffer_add_char(out, *at);
			continue;
		}
		const char *end = at + 1 + strcspn(at + 1, "\\'\"");
		print_add_text(out, (struct text){ at, (size_t)(end - at) });
		at = end - 1;
	}
	buffer_add_char(out, quote);
}

struct error *report_check_pattern(const char *pattern)
{
	regex_t regex;
	TRY(calls_pattern_compile(pattern, &regex));
	regfree(&regex);
	return NULL;
}
