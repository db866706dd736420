/* Putting together the stack of a thread that called or returned while it was read.
 *
 * What is reported is the stack at one moment, that of the first pointer, whatever it was then: to take the moment that
 * is easiest to read would prefer slow states. The pointer says which frame was the leaf; the two copies after it say
 * what that frame and those below it held. Each copy gives a chain of its own, and each step of it must be one that was
 * proven before. A caller that has moved on since its callee returned is put back to the call. The chain that needs
 * less of that is taken, the earlier where they are equal. */
#include "cpython/call_site.h"
#include "sample/frames.h"

/* One chain, root first. */
struct chain {
	struct seen_list *frames; /* as far as the steps hold */
	unsigned moved;		  /* callers that had to be put back to their call, and steps that are new */
	bool sound;		  /* up to the leaf */
};

/* ---- the frames of one copy, dead ones too ---- */

static bool is_root(const struct thread *thread, uint64_t address)
{
	return address == thread->roots[0];
}

/* Leaf first. A frame that was left has lost its link until 3.10, and its code from 3.14 on; both are remembered. */
static bool walk_loosely(struct stack_context *c, struct thread *thread, enum region_copy copy, struct frame_list *list)
{
	list->frames.count = 0;
	list->shared = 0;
	for (uint64_t address = thread->tops[0]; address;) {
		const unsigned char *bytes = address & 7 ? NULL : frames_find(thread, c->layout, copy, address);
		if (!bytes || list->frames.count >= THREAD_FRAMES_MAX)
			return false;
		struct frame frame = frame_parse(c->layout, address, bytes);
		if (!frame.previous && !is_root(thread, address)) {
			const uint64_t *link = map_get(c->links, address);
			if (!link)
				return false;
			frame.previous = *link;
			frame.revived = true;
		}
		if (frame.kind == FRAME_PYTHON && !frame.code) {
			frame.code = codes_find_instruction(c->codes, (uint64_t)frame.instruction);
			frame.revived = true;
		}
		if (!vec_push(&list->frames, frame))
			return false;
		address = frame.previous;
	}
	return list->frames.count > 0;
}

/* ---- is the chain one that can have been? ---- */

/* Whether a step that is not proven can be taken at its word, since the callee's frame is alive and points at its
 * caller: a call from C, such as an import; or one from a place that has not been seen calling anything, code that runs
 * once. Where more has been seen, an unproven step is more likely chance. */
static bool is_live_step(struct stack_context *c, const struct seen_frame *caller, const struct seen_frame *callee)
{
	if (callee->revived)
		return false;
	if (callee->from_c)
		return true;
	return evidence_place_votes(c->evidence, caller->code_id, caller->offset) < EVIDENCE_ENOUGH &&
	       call_site_look(c->codes->memory, c->codes->runtime, caller->code, caller->offset).calls;
}

/* The caller stands where it calls this code, or did just before. */
static bool settle_caller(
	struct stack_context *c, struct seen_frame *caller, const struct seen_frame *callee, unsigned *moved)
{
	int32_t site;
	if (evidence_trusts(c->evidence, caller->code_id, caller->offset, callee->code_id))
		return true;
	++*moved;
	if (is_live_step(c, caller, callee))
		return true;
	if (!evidence_site(c->evidence, caller->code_id, callee->code_id, &site))
		return false;
	caller->instruction += (site - caller->offset) / c->instruction_unit;
	caller->offset = site;
	return true;
}

static struct seen_frame *last_with_code(struct seen_list *list)
{
	for (size_t i = list->frames.count; i-- > 0;)
		if (list->frames.data[i].code_id)
			return &list->frames.data[i];
	return NULL;
}

/* What the chain shares with the stack of the last sample needs no proof. */
static struct error *build(struct stack_context *c, struct thread *thread, enum region_copy copy, struct chain *chain)
{
	struct frame_list *walked = &thread->walked;
	chain->frames->frames.count = 0;
	chain->moved = 0;
	chain->sound = false;
	if (!walk_loosely(c, thread, copy, walked))
		return NULL;
	size_t same = frames_common_root(thread, walked);
	for (size_t i = 0; i < walked->frames.count; i++) {
		struct seen_frame seen;
		bool ok = true;
		if (i < same)
			seen = thread->seen.frames.data[i];
		else
			TRY(frames_resolve(c, &walked->frames.data[walked->frames.count - 1 - i], &seen, &ok));
		if (!ok)
			return NULL;
		const struct seen_list *below = chain->frames;
		seen.from_c |= below->frames.count && !below->frames.data[below->frames.count - 1].code_id;
		struct seen_frame *caller = seen.code_id && i >= same ? last_with_code(chain->frames) : NULL;
		if (caller && !settle_caller(c, caller, &seen, &chain->moved))
			return NULL;
		if (!vec_push(&chain->frames->frames, seen))
			return &error_no_memory;
	}
	chain->sound = true;
	return NULL;
}

static const struct chain *choose(const struct chain *a, const struct chain *b)
{
	if (!a->sound || !b->sound)
		return a->sound ? a : b->sound ? b : NULL;
	return a->moved <= b->moved ? a : b;
}

/* ---- what is left when neither chain holds ---- */

/* The longer of what the chains hold from the root, and <partial> for the rest. */
static struct error *take_partial(
	struct stack_context *c, struct thread *thread, const struct chain *first, const struct chain *second)
{
	const struct chain *longer = second->frames->frames.count > first->frames->frames.count ? second : first;
	TRY(frames_take_seen(c, thread, longer->frames));
	thread->quality = QUALITY_PARTIAL;
	return frames_push_synthetic(c, thread, SYNTHETIC_PARTIAL);
}

struct error *repair_stack(struct stack_context *c, struct thread *thread)
{
	struct chain first = { .frames = &thread->chains[0] }, second = { .frames = &thread->chains[1] };
	TRY(build(c, thread, COPY_FIRST, &first));
	TRY(build(c, thread, COPY_SECOND, &second));
	const struct chain *chosen = choose(&first, &second);
	if (!chosen)
		return take_partial(c, thread, &first, &second);
	thread->quality = QUALITY_REPAIRED;
	return frames_take_seen(c, thread, chosen->frames);
}
