/* definitions.h: what of a segment goes into the recording once, when something first refers to it: the process, its
 * threads, its codes. */
#pragma once
#include "inject/drain.h"
#include "inject/segment_view.h"

/* `def`: all but what the segment knows. */
struct error *define_process(struct drain *drain, struct segment_view *view, const struct process_def *def);
/* The process must be. The id is 0 when there is no thread at that place. */
struct error *define_thread(struct drain *drain, struct segment_view *view, uint32_t unit, uint32_t *ret_id);
/* The id is 0 when there is no code at that place. */
struct error *define_code(struct drain *drain, struct segment_view *view, uint32_t unit, uint32_t *ret_id);
