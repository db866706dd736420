/* filter.h: which functions are counted: those that an order `only` matches (all, when there is none; the program's
 * own, when there is an order `own`), less those that an order `exclude` matches. Asked once for each code object, when
 * it is first seen. */
#pragma once
#include "agent/orders.h"
#include "agent/segment/recorder.h"

enum { FILTER_PATTERNS_MAX = 64 };

/* With the segment open, so that it says which patterns matched. A sentence when it cannot be done, or NULL. */
const char *filter_begin(const struct orders *orders, uint32_t python_version);
void filter_end(void);
/* Whether anything may be left out. */
bool filter_is_on(void);

/* From now on only what `only` names. Whether that is new, and without an order `only`. */
bool filter_mark(void);

/* While it is on for a thread, all that it is first to see is counted: that of calibration. */
void filter_exempt(bool on);
/* The same of what a program has marked; patterns that match it have matched. */
void filter_choose(bool on);
bool filter_wants(const struct recorder_code *code);
