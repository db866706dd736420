/* report_beside.h: several recordings of memory over time in one report. */
#pragma once
#include "cmd/cmd.h"
#include "cmd/outputs.h"

/* ERROR_USAGE where one of the outputs is in a format that shows one recording only. */
struct error *report_beside_check(const struct outputs *outputs);
/* Reads the recordings that the words name, and puts them beside the one in outputs->profile, which was read from
 * `first`. */
struct error *report_beside_read(struct outputs *outputs, const char *first, char *const *words, size_t count);
