#include "cmd/calls_filter.h"

#include <string.h>

#include "agent/codes/pattern.h"
#include "base/cleanup.h"
#include "cmd/nearest.h"

struct error *calls_filter_apply(const struct calls_filter *filter, struct calls_orders *orders)
{
	orders->only = filter->only.items.data;
	orders->only_count = filter->only.items.count;
	orders->exclude = filter->exclude.items.data;
	orders->exclude_count = filter->exclude.items.count;
	return calls_orders_check(orders);
}

/* ---- what was meant ---- */

enum { SUGGESTIONS_MAX = 3 };

struct suggestions {
	const char *words[SUGGESTIONS_MAX];
	size_t count;
	bool exact; /* the first one is what was typed */
};

static bool is_taken(const struct suggestions *s, const char *word)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->words[i], word) == 0)
			return true;
	return false;
}

static void suggest(const struct buffer *words, struct pattern_text typed, struct suggestions *ret)
{
	*ret = (struct suggestions){ .count = 0 };
	while (ret->count < SUGGESTIONS_MAX) {
		struct nearest nearest;
		nearest_init(&nearest, typed.data, typed.size);
		for (const char *word = words->data; word && word < words->data + words->size; word += strlen(word) + 1)
			if (!is_taken(ret, word))
				nearest_offer(&nearest, word);
		if (!nearest.best)
			break;
		ret->exact |= nearest.distance == 0;
		ret->words[ret->count++] = nearest.best;
	}
}

/* The last part of a name, or of a place, that is no wildcard. */
static struct pattern_text last_word(struct pattern_text text, char separator)
{
	struct pattern_text found = { text.data, 0 };
	const char *end = text.data + text.size;
	for (const char *at = text.data, *next; text.size && at < end; at = next + 1) {
		next = memchr(at, separator, (size_t)(end - at));
		next = next ? next : end;
		if (next > at && !memchr(at, '*', (size_t)(next - at)))
			found = (struct pattern_text){ at, (size_t)(next - at) };
	}
	return found;
}

static struct error *say_unmatched(const char *option, const char *text, const struct buffer *words)
{
	struct pattern pattern;
	struct suggestions found = { .count = 0 };
	_cleanup_buffer_ struct buffer said = { 0 };
	if (!pattern_parse(text, strlen(text), &pattern))
		return NULL;
	struct pattern_text name = last_word(pattern.name, '.'),
			    place = last_word(pattern.place, pattern.of_module ? '.' : '/');
	if (name.size)
		suggest(words, name, &found);
	if (place.size && (!name.size || found.exact))
		suggest(words, place, &found);
	for (size_t i = 0; i < found.count; i++)
		buffer_printf(&said, "%s%s", i ? ", " : "; near it are ", found.words[i]);
	return error_new(
		ERROR_UNSUPPORTED, "%s %s: no function that was called matches%s", option, text, buffer_string(&said));
}

struct error *calls_filter_check(const struct calls_filter *filter, const struct drain *drain)
{
	size_t only = filter->only.items.count, all = only + filter->exclude.items.count;
	for (size_t i = 0; i < all; i++)
		if (!(drain->matched >> i & 1))
			return i < only ? say_unmatched("-f", filter->only.items.data[i], &drain->words)
					: say_unmatched(
						  "--exclude", filter->exclude.items.data[i - only], &drain->words);
	return NULL;
}
