/* terminal.c: see terminal.h. */
#include "cmd/terminal.h"

#include <errno.h>
#include <stdio.h>

#include "report/report.h"

enum { WIDTH_LEAST = 40 };

static struct report_options look_at(int fd)
{
	struct report_options options = report_options_default();
	report_options_for_terminal(&options, fd == STDERR_FILENO ? stderr : stdout);
	return options;
}

unsigned terminal_width(int fd)
{
	unsigned width = look_at(fd).width;
	return width < WIDTH_LEAST ? WIDTH_LEAST : width;
}

bool terminal_has_colour(int fd)
{
	return look_at(fd).colour;
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
