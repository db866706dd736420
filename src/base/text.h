/* text.h: borrowed bytes, usually UTF-8, never NUL-terminated. */
#pragma once
#include <stddef.h>

struct text {
	const char *data;
	size_t size;
};
