/* report_kit.h: what tests of reports share: a synthetic recording as a format's bytes, and small readers of the
 * formats that know nothing of how they are written. */
#pragma once
#include <stdbool.h>

#include "report/report.h"

typedef void feed_scene(struct sink *sink);

/* The recording in the format, NUL-terminated in out->data. The caller deinits. */
struct buffer kit_write(feed_scene *scene, const char *format, const struct report_options *options);

/* Fails unless this is what the file of tests/golden holds; PYROMETER_UPDATE_GOLDEN=1 writes it anew. */
void kit_expect_golden(const struct buffer *out, const char *name);

/* The scenes of synthetic.h as one takes them here. */
void kit_shop(struct sink *sink);
void kit_hostile(struct sink *sink);
void kit_nothing(struct sink *sink);
void kit_one(struct sink *sink);

/* Whether these bytes are one JSON value, strictly, in UTF-8. */
bool kit_is_json(const struct buffer *json);
/* The sum of the numbers in all arrays of this name, which hold numbers only. */
uint64_t kit_sum_json_arrays(const struct buffer *json, const char *name);
/* The number behind the first "name": of the text. */
uint64_t kit_find_json_number(const struct buffer *json, const char *name);
/* The sum of the numbers that end the lines; *ret_lines of them, -1 if a line is not `something number`. */
uint64_t kit_sum_collapsed(const struct buffer *text, long *ret_lines);
/* The sums of the first three values of all samples of a gzipped pprof file; false if it is none. */
bool kit_sum_pprof(const struct buffer *gzipped, uint64_t ret_sums[3]);
/* What the format makes of the scene is what stands in that golden file. */
void kit_expect_file(feed_scene *scene, const char *format, const struct report_options *options, const char *name);
