/* rss_dat.h: the files that mprof writes, and we: memory over time as lines of text (.dat). */
#pragma once
#include "profile/rss.h"

enum { DAT_HEAD = 8 };
/* Whether these first DAT_HEAD bytes, or all that there are, may begin such a file. */
bool rss_dat_is_it(const void *data, size_t size);
/* Fills a new profile. Process 1 is the one of the MEM lines; each number of a CHLD line is another. ERROR_CORRUPT
 * names the line. */
struct error *rss_dat_read(const void *data, size_t size, struct profile *profile);
