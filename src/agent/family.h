/* family.h: what becomes of the measuring in child processes. */
#pragma once
#include "agent/orders.h"

/* In the process that was started with us: `text` is what PYROMETER_AGENT said. */
void family_begin(const struct orders *orders, const char *text);
