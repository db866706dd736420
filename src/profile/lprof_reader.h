/* lprof_reader.h: the files that line_profiler, kernprof and we write (.lprof) as a profile. */
#pragma once
#include "profile/profile.h"

enum { LPROF_HEAD = 2 };
/* Whether these first LPROF_HEAD bytes may begin such a file: a pickle of protocol 2 to 5. */
bool lprof_is_it(const void *data, size_t size);
/* Fills a new profile, which is one of lines then. ERROR_CORRUPT: it is no such file. */
struct error *lprof_read(const void *data, size_t size, struct profile *profile);
