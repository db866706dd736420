#include "agent/orders.h"

#include <string.h>

bool orders_read(struct orders *orders, const char *text)
{
	size_t size = text ? strlen(text) : 0;
	bool lines = text && strncmp(text, "lines\n", 6) == 0;
	bool known = text && (lines || strncmp(text, "calls\n", 6) == 0 || strncmp(text, "memory\n", 7) == 0);
	if (!known || size + 2 > sizeof orders->text)
		return false;
	orders->lines = lines;
	for (size_t i = 0; i < size; i++)
		orders->text[i] = text[i] == '\n' ? '\0' : text[i];
	orders->text[size] = orders->text[size + 1] = '\0';
	return true;
}

const char *orders_next(const struct orders *orders, const char *key, const char *after)
{
	size_t size = strlen(key);
	const char *line = after ? after : orders->text;
	for (line += strlen(line) + 1; *line; line += strlen(line) + 1)
		if (strncmp(line, key, size) == 0 && line[size] == '=')
			return line + size + 1;
	return NULL;
}
