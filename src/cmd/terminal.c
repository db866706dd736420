/* terminal.c: see terminal.h. */
#include "cmd/terminal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmd/value.h"

enum { WIDTH_DEFAULT = 80, WIDTH_LEAST = 40 };

unsigned terminal_width(int fd)
{
	struct winsize size = { 0 };
	uint32_t width = WIDTH_DEFAULT;
	const char *columns = getenv("COLUMNS");
	if (!columns || !value_parse_count(columns, &width))
		if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col)
			width = size.ws_col;
	return width < WIDTH_LEAST ? WIDTH_LEAST : width;
}

static bool is_set(const char *name)
{
	const char *value = getenv(name);
	return value && *value;
}

bool terminal_has_colour(int fd)
{
	if (is_set("NO_COLOR"))
		return false;
	if (is_set("FORCE_COLOR"))
		return true;
	const char *term = getenv("TERM");
	return isatty(fd) && term && strcmp(term, "dumb") != 0;
}

struct error *terminal_print(struct buffer *text)
{
	const char *at = buffer_string(text);
	if (text->failed)
		return &error_no_memory;
	if (fwrite(at, 1, text->size, stdout) != text->size || fflush(stdout) != 0)
		return error_os(errno, "stdout");
	return NULL;
}
