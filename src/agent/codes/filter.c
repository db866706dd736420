#include "agent/codes/filter.h"

#include <string.h>

#include "agent/codes/pattern.h"
#include "agent/python/python.h"

static struct {
	struct orders orders; /* what the patterns point into */
	struct pattern patterns[FILTER_PATTERNS_MAX];
	unsigned count, only; /* the first ones are `only` */
	bool own, marked;
	char library[1024]; /* the standard library's folder, with a slash behind; empty: not known */
} filter;
static __thread enum { AS_ASKED, EXEMPT, CHOSEN } first_seen __attribute__((tls_model("initial-exec")));

static const char *add(const char *key, uint32_t python_version)
{
	enum { FIRST_WITH_QUALIFIED_NAMES = 0x030b0000 };
	for (const char *text = NULL; (text = orders_next(&filter.orders, key, text));) {
		struct pattern pattern;
		if (!pattern_parse(text, strlen(text), &pattern))
			continue;
		if (filter.count == FILTER_PATTERNS_MAX)
			return "more than 64 patterns were given";
		if (python_version < FIRST_WITH_QUALIFIED_NAMES && pattern_needs_qualified(&pattern))
			return "before Python 3.11 code does not say within which class or function it is: "
			       "give patterns without a dot in the function's name";
		filter.patterns[filter.count++] = pattern;
	}
	return NULL;
}

/* `os` is part of it, and was imported long ago. */
static void find_library(void)
{
	enum { INPUT_EXPRESSION = 258 };
	object *names = python.new_dict();
	object *file = names ? python.evaluate("__import__('os').__file__", INPUT_EXPRESSION, names, names) : NULL;
	ptrdiff_t size = 0;
	const char *path = file ? python.text(file, &size) : NULL, *slash = path ? strrchr(path, '/') : NULL;
	filter.library[0] = '\0';
	if (slash && (size_t)(slash - path) + 2 < sizeof filter.library) {
		memcpy(filter.library, path, (size_t)(slash - path) + 1);
		filter.library[slash - path + 1] = '\0';
	}
	python.clear_error();
	if (file)
		python.forget(file);
	if (names)
		python.forget(names);
}

static bool contains(struct recorder_text text, const char *part)
{
	return memmem(text.data, text.size, part, strlen(part));
}

/* Functions and the main program's body, of a file that is of no library; what was made at run time has no file, but
 * for
 * `-c` and cells of notebooks. */
static bool is_own(const struct recorder_code *code)
{
	static const char cell[] = "<ipython-input";
	struct recorder_text file = code->file;
	size_t library = strlen(filter.library);
	if (code->body == BODY_MAIN)
		return true;
	if (!file.size || code->body != BODY_FUNCTION)
		return false;
	if (file.data[0] == '<')
		return file.size >= sizeof cell - 1 && memcmp(file.data, cell, sizeof cell - 1) == 0;
	return !contains(file, "/site-packages/") && !contains(file, "/dist-packages/") &&
	       !(library && file.size > library && memcmp(file.data, filter.library, library) == 0);
}

const char *filter_begin(const struct orders *orders, uint32_t python_version)
{
	filter.orders = *orders;
	filter.count = 0;
	filter.marked = orders_get(orders, "marked") != NULL;
	filter.own = orders_get(orders, "own") != NULL;
	if (filter.own)
		find_library();
	const char *why = add("only", python_version);
	filter.only = filter.count;
	why = why ? why : add("exclude", python_version);
	if (why)
		filter_end();
	return why;
}

void filter_end(void)
{
	filter.count = filter.only = 0;
	filter.own = filter.marked = false;
}

bool filter_is_on(void)
{
	return filter.count || filter.own || filter.marked;
}

bool filter_mark(void)
{
	bool new = !filter.marked && !filter.only;
	filter.marked = true;
	return new;
}

void filter_exempt(bool on)
{
	first_seen = on ? EXEMPT : AS_ASKED;
}

void filter_choose(bool on)
{
	first_seen = on ? CHOSEN : AS_ASKED;
}

/* Of a comprehension's qualified name, what is behind the function that it stands in; else 0. */
static size_t comprehension_tail(struct pattern_text name)
{
	static const char within[] = ".<locals>.";
	size_t in_it = sizeof within - 1;
	if (!pattern_is_comprehension(name))
		return 0;
	const char *last = memrchr(name.data, '.', name.size);
	if (!last || (size_t)(last + 1 - name.data) < in_it || memcmp(last + 1 - in_it, within, in_it) != 0)
		return 0;
	return in_it + (size_t)(name.data + name.size - (last + 1));
}

/* Of lines, those go with the function. */
static struct pattern_text function_of(struct pattern_text name)
{
	for (size_t tail; filter.orders.lines && (tail = comprehension_tail(name));)
		name.size -= tail;
	return name;
}

bool filter_wants(const struct recorder_code *code)
{
	struct pattern_text file = { code->file.data, code->file.size }, name = { code->name.data, code->name.size };
	if (code->qualname.size)
		name = function_of((struct pattern_text){ code->qualname.data, code->qualname.size });
	if (first_seen == EXEMPT || !filter_is_on())
		return true;
	uint64_t matched = 0;
	for (unsigned i = 0; i < filter.count; i++)
		matched |= (uint64_t)pattern_matches(&filter.patterns[i], file, name) << i;
	uint64_t only = filter.only == 64 ? UINT64_MAX : (1ull << filter.only) - 1;
	struct segment_head *head = recorder.head;
	if (matched && head)
		atomic_fetch_or(&head->matched, matched);
	bool wanted = filter.only ? matched & only : !filter.marked && (!filter.own || is_own(code));
	return first_seen == CHOSEN || (wanted && !(matched & ~only));
}
