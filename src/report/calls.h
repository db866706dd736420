/* calls.h: what the reports of exact calls share: what functions are called there, and in which order they stand. */
#pragma once
#include "profile/calls.h"
#include "report/report.h"

/* As in pstats: file, line of the definition and name tell functions apart, and all that differ have different ones. */
struct call_name {
	struct text file, name;
	uint32_t line;
	bool builtin;
};

struct call_names {
	struct call_name *items; /* by function */
	VEC(char *) made;	 /* names that had to be made up */
	const struct calls *calls;
};

/* Names without folders, as many folders as it takes where two files have the same name; `full_paths`: as the target
 * has them. Functions that are still the same have their qualified name, then a number: f, f#2. */
struct error *call_names_init(const struct calls *calls, bool full_paths, struct call_names *ret_names);
void call_names_deinit(struct call_names *names);
#define _cleanup_call_names_ __attribute__((cleanup(call_names_deinit)))

/* `file:line(name)`, of builtins `{name}`; printable. */
void call_name_add(struct buffer *out, const struct call_name *name);
/* By file, line and name, as Python compares tuples. */
int call_name_compare(const struct call_name *a, const struct call_name *b);

/* All functions in the order asked for; the caller frees it. NULL: no memory. */
uint32_t *calls_rows_sort(
	const struct calls *calls, const struct call_names *names, const struct report_options *options);
/* "cumulative time" and so on. */
const char *calls_sort_title(enum report_call_sort sort);

/* What is to be said below the tables of a recording. */
void calls_notes_add(struct buffer *out, const struct calls *calls, const struct report_options *options);

/* How much of the time was spent on a core, and where most of the rest was waited. */
struct error *calls_waiting_write(const struct calls *calls, const struct call_names *names,
	const struct report_options *options, struct buffer *out);

struct error *calls_text_write(struct profile *profile, const struct report_options *options, struct buffer *out);
struct error *calls_json_write(struct profile *profile, const struct report_options *options, struct buffer *out);
