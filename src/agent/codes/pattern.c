#include "agent/codes/pattern.h"

#include <stdint.h>
#include <string.h>

/* What is left of a text, part by part. */
struct parts {
	const char *at, *end;
	char separator;
	bool of_names;	/* `<locals>` is no part; a last `*` is all that is left */
	bool of_module; /* a file: without what follows its name, and without `__init__` */
};

static bool is(struct pattern_text text, const char *word)
{
	return text.size == strlen(word) && memcmp(text.data, word, text.size) == 0;
}

static bool ends_with(struct pattern_text text, const char *end)
{
	size_t size = strlen(end);
	return text.size >= size && memcmp(text.data + text.size - size, end, size) == 0;
}

static bool next_part(struct parts *parts, struct pattern_text *ret_part)
{
	while (parts->at < parts->end) {
		const char *end = memchr(parts->at, parts->separator, (size_t)(parts->end - parts->at));
		end = end ? end : parts->end;
		struct pattern_text part = { parts->at, (size_t)(end - parts->at) };
		parts->at = end < parts->end ? end + 1 : end;
		if (parts->of_module && parts->at == parts->end) {
			const char *dot = memchr(part.data, '.', part.size);
			part.size = dot ? (size_t)(dot - part.data) : part.size;
			part.size = is(part, "__init__") ? 0 : part.size;
		}
		if (!part.size || (parts->of_names && is(part, "<locals>")))
			continue;
		*ret_part = part;
		return true;
	}
	return false;
}

/* Letters of one part; `*` goes back to where it may take one more. */
static bool part_matches(struct pattern_text wanted, struct pattern_text part)
{
	size_t i = 0, j = 0, star = SIZE_MAX, from = 0;
	while (j < part.size) {
		if (i < wanted.size && wanted.data[i] == '*') {
			star = ++i;
			from = j;
		} else if (i < wanted.size && (wanted.data[i] == '?' || wanted.data[i] == part.data[j])) {
			i++;
			j++;
		} else if (star != SIZE_MAX) {
			i = star;
			j = ++from;
		} else {
			return false;
		}
	}
	while (i < wanted.size && wanted.data[i] == '*')
		i++;
	return i == wanted.size;
}

/* As deep as the pattern has parts. */
static bool parts_match(struct parts wanted, struct parts found)
{
	struct pattern_text want, part;
	if (!next_part(&wanted, &want))
		return !next_part(&found, &part);
	bool last = wanted.at == wanted.end;
	if (is(want, "**")) {
		do
			if (last || parts_match(wanted, found))
				return true;
		while (next_part(&found, &part));
		return false;
	}
	if (!next_part(&found, &part) || !part_matches(want, part))
		return false;
	return (last && wanted.of_names && is(want, "*")) || parts_match(wanted, found);
}

static bool parts_match_anywhere(struct parts wanted, struct parts found)
{
	struct pattern_text part;
	do
		if (parts_match(wanted, found))
			return true;
	while (next_part(&found, &part));
	return false;
}

static struct parts parts_of(struct pattern_text text, char separator)
{
	const char *at = text.size ? text.data : ""; /* nothing may be added to NULL, not even 0 */
	return (struct parts){ .at = at, .end = at + text.size, .separator = separator };
}

static bool module_matches(struct pattern_text wanted, struct pattern_text file)
{
	static const char frozen[] = "<frozen ";
	enum { SIZE = sizeof frozen - 1 };
	struct parts found = parts_of(file, '/');
	found.of_module = true;
	if (file.size > SIZE + 1 && memcmp(file.data, frozen, SIZE) == 0)
		found = parts_of((struct pattern_text){ file.data + SIZE, file.size - SIZE - 1 }, '.');
	return parts_match_anywhere(parts_of(wanted, '.'), found);
}

static bool place_matches(const struct pattern *pattern, struct pattern_text file)
{
	if (!pattern->place.size)
		return true;
	if (pattern->of_module)
		return module_matches(pattern->place, file);
	struct parts wanted = parts_of(pattern->place, '/'), found = parts_of(file, '/');
	return *wanted.at == '/' ? parts_match(wanted, found) : parts_match_anywhere(wanted, found);
}

static bool name_matches(const struct pattern *pattern, struct pattern_text name)
{
	struct parts wanted = parts_of(pattern->name, '.'), found = parts_of(name, '.');
	wanted.of_names = found.of_names = true;
	return !pattern->name.size ||
	       (pattern->from_top ? parts_match(wanted, found) : parts_match_anywhere(wanted, found));
}

bool pattern_matches(const struct pattern *pattern, struct pattern_text file, struct pattern_text name)
{
	return place_matches(pattern, file) && name_matches(pattern, name);
}

static bool is_file(struct pattern_text text)
{
	return text.size && (memchr(text.data, '/', text.size) || ends_with(text, ".py") || is(text, "**"));
}

bool pattern_parse(const char *text, size_t size, struct pattern *ret_pattern)
{
	struct pattern_text whole = { text, size };
	const char *colon = memrchr(text, ':', size);
	struct pattern pattern = { .from_top = colon != NULL };
	if (colon) {
		pattern.place = (struct pattern_text){ text, (size_t)(colon - text) };
		pattern.name = (struct pattern_text){ colon + 1, size - pattern.place.size - 1 };
	} else if (is_file(whole)) {
		pattern.place = whole;
	} else {
		pattern.name = whole;
	}
	pattern.of_module = !is_file(pattern.place);
	*ret_pattern = pattern;
	return pattern.place.size || pattern.name.size;
}

bool pattern_needs_qualified(const struct pattern *pattern)
{
	return pattern->name.size && memchr(pattern->name.data, '.', pattern->name.size);
}

bool pattern_is_comprehension(struct pattern_text name)
{
	static const char *const names[] = { "<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>" };
	if (!name.size)
		return false;
	const char *dot = memrchr(name.data, '.', name.size), *last = dot ? dot + 1 : name.data;
	size_t size = (size_t)(name.data + name.size - last);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (size == strlen(names[i]) && memcmp(last, names[i], size) == 0)
			return true;
	return false;
}
