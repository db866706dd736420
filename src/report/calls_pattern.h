/* calls_pattern.h: the patterns of --callers and --callees. People know them from pstats, so they are Python's regular
 * expressions as far as POSIX has the same. */
#pragma once
#include <regex.h>

#include "base/buffer.h"
#include "base/error.h"

/* The caller regfree()s it. ERROR_USAGE: it is no regular expression. */
struct error *calls_pattern_compile(const char *pattern, regex_t *ret_regex);
/* As Python's repr() writes it. */
void calls_pattern_add(struct buffer *out, const char *pattern);
