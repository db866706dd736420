/* json.c: see json.h. */
#include "cmd/json.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "report/print.h"

static void begin_member(struct json *json, const char *key)
{
	if (json->depth)
		buffer_printf(json->out, "%s\n%*s", json->filled ? "," : "", (int)json->depth * 2, "");
	json->filled = true;
	if (key) {
		print_add_json(json->out, (struct text){ key, strlen(key) });
		buffer_add_string(json->out, ": ");
	}
}

void json_open(struct json *json, const char *key, char bracket)
{
	begin_member(json, key);
	buffer_add_char(json->out, bracket);
	json->depth++;
	json->filled = false;
}

void json_close(struct json *json, char bracket)
{
	json->depth--;
	if (json->filled)
		buffer_printf(json->out, "\n%*s", (int)json->depth * 2, "");
	buffer_add_char(json->out, bracket);
	json->filled = true;
	if (!json->depth)
		buffer_add_char(json->out, '\n');
}

void json_text(struct json *json, const char *key, const char *value)
{
	if (value) {
		json_bytes(json, key, (struct text){ value, strlen(value) });
		return;
	}
	begin_member(json, key);
	buffer_add_string(json->out, "null");
}

void json_bytes(struct json *json, const char *key, struct text value)
{
	begin_member(json, key);
	print_add_json(json->out, value);
}

void json_number(struct json *json, const char *key, int64_t value)
{
	begin_member(json, key);
	buffer_printf(json->out, "%" PRId64, value);
}

void json_seconds(struct json *json, const char *key, uint64_t ns)
{
	begin_member(json, key);
	buffer_printf(json->out, "%" PRIu64 ".%06u", ns / NS_PER_S, (unsigned)(ns % NS_PER_S / NS_PER_US));
}

void json_bool(struct json *json, const char *key, bool value)
{
	begin_member(json, key);
	buffer_add_string(json->out, value ? "true" : "false");
}
