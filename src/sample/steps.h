/* steps.h: what the code of a caller says of its callee: whether its instruction can have pushed that frame, and
 * whether it calls by the name that the callee has. Looked up in the target once for each step. */
#pragma once
#include "sample/frames.h"

/* `frame` stands on `caller`. */
struct error *steps_look(struct stack_context *context, const struct seen_frame *caller, const struct seen_frame *frame,
	enum step *ret_step);

/* Where the code of `caller` calls that of `frame` by name, or runs it on if it is a generator, as its instructions
 * say: for a caller that has moved on since. *ret_site: a byte offset; -1: nowhere. */
struct error *steps_find_site(struct stack_context *context, const struct seen_frame *caller,
	const struct seen_frame *frame, int32_t *ret_site);
