/* terminal.h: where our text goes: how wide that is, and whether it arrived. */
#pragma once
#include <stdbool.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/error.h"

/* Columns to fill of stdout or stderr, as reports do it (report_options_for_terminal), but at least 40. */
unsigned terminal_width(int fd);

/* Whether to colour what goes there. */
bool terminal_has_colour(int fd);

/* Writes all of the text to stdout. ERROR_NO_MEMORY when it could not be made. */
struct error *terminal_print(struct buffer *text);
