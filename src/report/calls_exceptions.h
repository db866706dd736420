/* calls_exceptions.h: exceptions of a recording of calls, by line: where they were raised, and where they were handled
 * at last. Equal places of several threads and processes are one. */
#pragma once
#include "report/calls.h"

/* A line of a function; the texts are numbers of the profile's strings. */
struct exception_place {
	uint32_t file, name, line; /* line 0: not known */
};

struct exception_row {
	uint32_t type; /* string number: as a traceback names it */
	struct exception_place raised, handled;
	bool is_handled; /* else `count` is of all that were raised there */
	uint64_t count;
};

struct exception_list {
	VEC(struct exception_row) rows; /* each place where they were raised, followed by where these were handled */
	uint32_t *groups;		/* the rows of the former, most exceptions first */
	size_t group_count;
};

struct error *exception_list_init(const struct profile *profile, struct exception_list *ret_list);
void exception_list_deinit(struct exception_list *list);
#define _cleanup_exception_list_ __attribute__((cleanup(exception_list_deinit)))

/* The row after the last one of the group that begins there. */
size_t exception_group_end(const struct exception_list *list, size_t group);

struct error *calls_exceptions_write(const struct calls *calls, const struct call_names *names,
	const struct report_options *options, struct buffer *out);
struct error *calls_exceptions_write_json(
	const struct calls *calls, const struct call_names *names, struct buffer *out);
