/* head.h: what every output says of its recording: how it was made, and how well. */
#pragma once
#include "profile/times.h"
#include "report/report.h"

/* "3.11.7", "3.15.0b2"; empty for 0. */
void head_add_python_version(struct buffer *out, uint32_t hexversion);
/* Members of a JSON object after its first: `,"name":value`. */
void head_add_json_number(struct buffer *out, const char *name, uint64_t number);
void head_add_json_text(struct buffer *out, const char *name, struct text text);
void head_add_json_bool(struct buffer *out, const char *name, bool value);
/* `,"samples":{...}`: how many of each quality. */
void head_add_json_samples(struct buffer *out, const struct profile_times *times);
/* The words of a command line as a JSON array. */
void head_add_json_words(struct buffer *out, struct text command);
/* The members of a JSON object, from `"tool":` on, without its braces: the tool, the recording, its counts. */
void head_add_json(struct buffer *out, const struct profile *profile, const struct profile_times *all);
/* What shares are of: "samples" and the filters, in JSON: the members of an object. */
void head_add_json_view(struct buffer *out, const struct profile_view *view);

/* "samples", "wall", "cpu", "bytes", "count". */
const char *head_weight_name(enum profile_weight weight);
/* "samples", "ns", "bytes", "". */
const char *head_weight_unit(enum profile_weight weight);
/* A sentence when the program was seen to end, and not well: by a signal, or with a status. */
void head_add_status(struct buffer *out, const struct profile *profile);
/* A sentence when the recording has no end. */
void head_add_cut(struct buffer *out, const struct profile *profile);
/* A sentence when measuring ended before the program did. */
void head_add_sealed(struct buffer *out, const struct profile *profile);
