/* memory_lines.h: the table of lines of a recording of memory. */
#pragma once
#include "report/page.h"

/* Whether it stands in place of the rows: lines were measured, and nobody asked for rows. */
bool memory_lines_are_wanted(const struct profile *profile, const struct report_options *options);
struct error *memory_lines_add(struct page *page);
