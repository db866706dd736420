/* lines.h: what was spent in lines (agent/lines/lines.h), from a segment to events. Part of drain.h. */
#pragma once
#include "inject/drain.h"
#include "inject/segment_view.h"

/* The process must be defined. */
struct error *lines_take(struct drain *drain, struct segment_view *view);
