#include "profile/exceptions.h"

bool profile_is_exception(const struct event *event)
{
	return event->subject == SUBJECT_RAISED || event->subject == SUBJECT_HANDLED;
}

/* How many frames it has, at most `most`. */
static unsigned depth_of(const struct profile *profile, uint32_t stack, unsigned most)
{
	unsigned depth = 0;
	for (; stack && depth < most; stack = profile->stacks.data[stack].parent)
		depth++;
	return depth;
}

struct error *profile_add_exception(struct profile *profile, const struct event *event)
{
	struct profile_exception exception = { event->stack, event->subject == SUBJECT_HANDLED,
		event->weight[WEIGHT_COUNT] };
	const unsigned steps = exception.handled ? 3 : 2;
	profile->exceptions_counted = true;
	if (!event->stack)
		return NULL;
	if (depth_of(profile, event->stack, steps + 1) != steps)
		return error_new(ERROR_CORRUPT, "the recording is damaged: exceptions at no place");
	return vec_push(&profile->exceptions, exception) ? NULL : &error_no_memory;
}
