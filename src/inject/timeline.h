/* timeline.h: single calls, taken out of segments while the target still runs (agent/segment/timeline.h), as events of
 * the recording. */
#pragma once
#include "inject/drain.h"
#include "inject/segment_view.h"

/* What has come since the last time, of a segment that is there; of one in which nothing is measured yet: nothing.
 * `def`, `began_ns`: as for drain_segment(), which takes the rest. */
struct error *timeline_take(struct drain *drain, const char *path, const struct process_def *def, uint64_t began_ns);
/* The rest; calls that have not ended end here. */
struct error *timeline_finish(struct drain *drain, const char *path);
/* That segment, if it has been taken from; else NULL. Owned by the drain. */
struct segment_view *timeline_view(const struct drain *drain, const char *path);
void timelines_close(struct drain *drain);
