/* pstats_reader.h: the files that cProfile, profile, yappi and we write (.pstats, .prof) as a profile. */
#pragma once
#include "profile/profile.h"

/* Whether bytes may be such a file: a marshalled dictionary. */
bool pstats_is_it(const void *data, size_t size);
/* Fills a new profile, which is one of calls then. ERROR_CORRUPT: it is no such file. */
struct error *pstats_read(const void *data, size_t size, struct profile *profile);
