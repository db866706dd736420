/* block.h: where a function ends in its source: the lines of a def, class or lambda, from its first decorator on. */
#pragma once
#include <stddef.h>

#include "base/text.h"

/* How many of these lines, which have no ends, are the block that begins with the first: what Python's inspect.getblock
 * says, for Cython's words, too. At least 1, unless there is no line. Any bytes will do. */
size_t block_count_lines(const struct text *lines, size_t count);
