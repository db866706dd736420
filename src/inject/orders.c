#include "inject/orders.h"

#include <string.h>

#include "agent/codes/filter.h"
#include "agent/orders.h"

static struct error *check(const char *pattern)
{
	if (!*pattern || strcmp(pattern, ":") == 0)
		return error_new(ERROR_USAGE, "an empty pattern names no function");
	if (strchr(pattern, '\n'))
		return error_new(ERROR_USAGE, "a pattern is one line");
	return NULL;
}

struct error *calls_orders_check(const struct calls_orders *orders)
{
	if (orders->only_count + orders->exclude_count > FILTER_PATTERNS_MAX)
		return error_new(ERROR_USAGE, "at most %d patterns can be given", FILTER_PATTERNS_MAX);
	for (size_t i = 0; i < orders->only_count; i++)
		TRY(check(orders->only[i]));
	for (size_t i = 0; i < orders->exclude_count; i++)
		TRY(check(orders->exclude[i]));
	return NULL;
}

bool calls_orders_write(const struct calls_orders *orders, const char *folder, struct buffer *text)
{
	buffer_printf(text, "%s\nfolder=%s\n", orders->memory ? "memory" : orders->lines ? "lines" : "calls", folder);
	if (orders->domains)
		buffer_printf(text, "domains=\n");
	if (orders->with_lines)
		buffer_printf(text, "lines=\n");
	if (orders->callees)
		buffer_printf(text, "callees=\n");
	if (orders->profile)
		buffer_printf(text, "profile=\n");
	if (orders->own)
		buffer_printf(text, "own=\n");
	if (orders->builtins)
		buffer_printf(text, "builtins=\n");
	if (orders->exceptions)
		buffer_printf(text, "exceptions=\n");
	if (orders->timeline)
		buffer_printf(text, "timeline=\n");
	if (orders->owner)
		buffer_printf(text, "owner=%d\n", orders->owner);
	if (orders->follow)
		buffer_printf(text, "follow=\n");
	for (size_t i = 0; i < orders->only_count; i++)
		buffer_printf(text, "only=%s\n", orders->only[i]);
	for (size_t i = 0; i < orders->exclude_count; i++)
		buffer_printf(text, "exclude=%s\n", orders->exclude[i]);
	buffer_string(text);
	return !text->failed && text->size < ORDERS_MAX - 2;
}
