/* line_table.h: what the reports of exact lines share (profile/lines.h). */
#pragma once
#include "profile/lines.h"
#include "report/report.h"
#include "report/source.h"

/* Functions in the order asked for, those left out that -n and --skip-zero leave out; -n keeps those with the most
 * time, of memory those whose lines got most. The caller frees it. NULL: no memory. */
uint32_t *lines_rows_sort(const struct lines *lines, const struct report_options *options, size_t *ret_count);

/* Below any table of lines: which files have changed, and that measuring ended early. */
void lines_notes_add_end(struct buffer *out, const struct lines *lines, const struct sources *sources);
/* What is to be said below the tables of a recording of our own. */
struct error *lines_notes_add(struct buffer *out, const struct lines *lines, const struct sources *sources,
	const struct report_options *options);

struct error *lines_text_write(struct profile *profile, const struct report_options *options, struct buffer *out);
struct error *lines_json_write(struct profile *profile, const struct report_options *options, struct buffer *out);
/* A format that is of calls says so. */
struct error *lines_refuse(const struct profile *profile, const char *format);
