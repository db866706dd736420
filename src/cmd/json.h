/* json.h: writing JSON for `--json`: members in order, commas by themselves.
 *
 *     struct json json = { .out = &text };
 *     json_open(&json, NULL, '{');
 *     json_text(&json, "schema", "pyrometer.ps/1");
 *     json_open(&json, "processes", '[');
 *     ...
 *     json_close(&json, ']');
 *     json_close(&json, '}');
 *
 * `key` is NULL inside an array and at the top. One member a line, so that people can read it, too. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "recording/sink.h"

struct json {
	struct buffer *out;
	unsigned depth;
	bool filled; /* the innermost object or array has a member already */
};

void json_open(struct json *json, const char *key, char bracket);
void json_close(struct json *json, char bracket);
/* NULL gives null. */
void json_text(struct json *json, const char *key, const char *value);
void json_bytes(struct json *json, const char *key, struct text value);
void json_number(struct json *json, const char *key, int64_t value);
/* Seconds with six decimals, from nanoseconds. */
void json_seconds(struct json *json, const char *key, uint64_t ns);
void json_bool(struct json *json, const char *key, bool value);
