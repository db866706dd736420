/* tally.h: what a segment has counted of one place, as an event of the recording, at the end of the measuring. */
#pragma once
#include "inject/drain.h"
#include "inject/segment_view.h"

/* `thread`, `stack`: ids; 0: the process as a whole. */
static inline struct error *tally_emit(struct drain *drain, const struct segment_view *view, uint32_t thread,
	uint32_t stack, enum subject subject, const uint64_t weight[WEIGHT_END])
{
	struct event event = { .kind = EVENT_TALLY,
		.subject = (uint8_t)subject,
		.time = segment_view_time(view, view->end_ticks),
		.process = view->process,
		.thread = thread,
		.stack = stack };
	for (size_t i = 0; i < WEIGHT_END; i++)
		event.weight[i] = weight[i];
	return drain->sink->ops->events(drain->sink, &event, 1);
}
