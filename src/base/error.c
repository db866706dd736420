#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct error error_no_memory = { .kind = ERROR_NO_MEMORY };

static struct error *make(enum error_kind kind, int errnum, const char *format, va_list args)
{
	char text[2048];
	int length = vsnprintf(text, sizeof text, format, args);
	if (length < 0)
		return &error_no_memory;
	if ((size_t)length >= sizeof text)
		length = sizeof text - 1;
	if (errnum) {
		int more = snprintf(text + length, sizeof text - (size_t)length, ": %s", strerror(errnum));
		if (more > 0)
			length += more;
		if ((size_t)length >= sizeof text)
			length = sizeof text - 1;
	}
	struct error *error = malloc(sizeof *error + (size_t)length + 1);
	if (!error)
		return &error_no_memory;
	error->kind = kind;
	error->errnum = errnum;
	memcpy(error->message, text, (size_t)length + 1);
	return error;
}

struct error *error_new(enum error_kind kind, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct error *error = make(kind, 0, format, args);
	va_end(args);
	return error;
}

struct error *error_os(int errnum, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct error *error = make(ERROR_FAILED, errnum, format, args);
	va_end(args);
	return error;
}

void error_free(struct error *error)
{
	if (error && error != &error_no_memory)
		free(error);
}

const char *error_message(const struct error *error)
{
	return error == &error_no_memory ? "out of memory" : error->message;
}

int error_status(const struct error *error)
{
	if (!error)
		return 0;
	switch (error->kind) {
	case ERROR_USAGE:
		return 2;
	case ERROR_NOT_EXECUTABLE:
		return 126;
	case ERROR_NOT_FOUND:
		return 127;
	default:
		return 125;
	}
}
