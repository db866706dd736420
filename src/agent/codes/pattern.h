/* pattern.h: how functions are named by those who ask for some of them. Knows nothing of Python but its names.
 *
 *     work             every function whose last name is `work`
 *     Class.method     names within each other, at any level
 *     f.*              everything inside of f, at any depth
 *     src/ **          every function of such files (without the blank), at any folder; /whole/paths from the root
 *     pkg.mod:Class.*  names from the top of a module; `src/a.py:work` from that of a file; `pkg.mod:` is all of it
 *
 * `*` and `?` stand for letters of one name or folder, `**` for any number of them. What stands for a place is a file
 * when it has a `/` or ends in `.py`, else a module, which is the file that it would lie in: so a script or a module
 * that is run as `__main__` keeps its name. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct pattern_text {
	const char *data;
	size_t size;
};

struct pattern {
	struct pattern_text place, name; /* of no size: any */
	bool of_module;			 /* the place is one */
	bool from_top;			 /* the name's first part is the outermost name */
};

/* The text is kept. False: there is nothing in it. */
bool pattern_parse(const char *text, size_t size, struct pattern *ret_pattern);
/* `name`: the qualified one, where there is one. */
bool pattern_matches(const struct pattern *pattern, struct pattern_text file, struct pattern_text name);
/* Whether it is that of a comprehension or generator expression. */
bool pattern_is_comprehension(struct pattern_text name);
/* Whether it asks within which other a name is. */
bool pattern_needs_qualified(const struct pattern *pattern);
