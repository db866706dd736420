/* terminal.h: where our text goes: how wide that is, and whether it went. */
#pragma once
#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"

/* Columns to fill: $COLUMNS, else those of the terminal behind `fd`, else 80; at least 40. */
unsigned terminal_width(int fd);

/* Writes all of the text to stdout. ERROR_NO_MEMORY when it could not be made. */
struct error *terminal_print(struct buffer *text);

/* One table of rows of `columns` cells, NULL-safe strings, aligned; the first row is the heading. `right` is a bit for each
 * column that is aligned to the right. The last column is cut at `width`. */
