/* Putting together the stack of a thread that called or returned while it was read.
 *
 * What is reported is the stack at one moment, that of the first pointer, whatever it was then: to take the moment that
 * is easiest to read would prefer slow states. The pointer says which frame was the leaf; the two copies after it say
 * what that frame and those below it held. Each copy gives a chain of its own, and each step of it must be one that was
 * proven before. A caller that has moved on since its callee returned is put back to the call. The chain that needs
 * less of that is taken, the earlier where they are equal. */
#include "sample/steps.h"

/* One chain, root first. */
struct chain {
	struct seen_list *frames; /* as far as the steps hold */
	unsigned moved;		  /* callers that had to be put back to their call, and steps that are new */
	bool sound;		  /* up to the leaf */
	size_t shared;		  /* so many at the root were not looked at again: they are those of the last sample */
};

/* ---- the frames of one copy, dead ones too ---- */

/* Whether stacks begin with the code of this frame. */
static struct error *is_root(struct stack_context *c, const struct frame *frame, bool *ret_root)
{
	const struct code_entry *entry;
	*ret_root = frame->kind != FRAME_PYTHON && !map_get(c->links, frame->address);
	if (frame->kind != FRAME_PYTHON)
		return NULL;
	TRY(codes_get(c->codes, frame->code, &entry));
	*ret_root = entry && evidence_is_root(c->evidence, entry->id);
	return NULL;
}

/* A frame that is alive in a torn copy has its true caller, and may never be met in a sound one. */
static struct error *remember_link(struct stack_context *c, const struct frame *frame)
{
	bool loses_it = c->layout->pyframe.back != LAYOUT_NONE;
	const uint64_t *known = loses_it ? map_get(c->links, frame->address) : NULL;
	if (!loses_it || (known && *known == frame->previous))
		return NULL;
	return map_put(c->links, frame->address, frame->previous) ? NULL : &error_no_memory;
}

/* A frame that was left has lost its link until 3.10, and its code from 3.14 on; both are remembered. */
static struct error *revive(struct stack_context *c, struct frame *frame, bool *ret_ok)
{
	bool root = false;
	*ret_ok = true;
	if (frame->kind == FRAME_PYTHON && !frame->code) {
		frame->code = codes_find_instruction(c->codes, (uint64_t)frame->instruction);
		frame->revived = true;
	}
	if (frame->previous)
		return remember_link(c, frame);
	TRY(is_root(c, frame, &root));
	const uint64_t *link = root ? NULL : map_get(c->links, frame->address);
	*ret_ok = root || link;
	if (link) {
		frame->previous = *link;
		frame->revived = true;
	}
	return NULL;
}

/* Up to where a copy holds what that of the last sample did. */
static uint64_t unchanged_until(struct thread *thread, enum region_copy copy)
{
	uint64_t until = thread->seen_copied ? regions_unchanged_until(&thread->regions) : 0;
	uint64_t agreed = until && copy == COPY_SECOND ? regions_agree_until(&thread->regions) : until;
	return agreed < until ? agreed : until;
}

/* Leaf first. *ret_ok is false when the chain does not lead to a root. */
static struct error *walk_loosely(
	struct stack_context *c, struct thread *thread, enum region_copy copy, struct frame_list *list, bool *ret_ok)
{
	*ret_ok = thread->tops[0];
	list->frames.count = 0;
	list->shared = 0;
	uint64_t until = unchanged_until(thread, copy);
	for (uint64_t address = thread->tops[0]; address;) {
		if (list->frames.count && (list->shared = frames_find_unchanged(thread, c->layout, until, address)))
			return NULL;
		const unsigned char *bytes = address & 7 ? NULL : frames_find(thread, c->layout, copy, address);
		*ret_ok = bytes && list->frames.count < THREAD_FRAMES_MAX;
		if (!*ret_ok)
			return NULL;
		struct frame frame = frame_parse(c->layout, address, bytes);
		TRY(revive(c, &frame, ret_ok));
		if (!*ret_ok)
			return NULL;
		if (!vec_push(&list->frames, frame))
			return &error_no_memory;
		address = frame.previous;
	}
	return NULL;
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
	if (evidence_place_votes(c->evidence, caller->code_id, caller->offset) >= EVIDENCE_ENOUGH)
		return false;
	struct call_site site = sites_look_again(c->sites, c->codes, caller->code, caller->code_id, caller->offset);
	return site.calls && site.pushes;
}

static void move_to(struct stack_context *c, struct seen_frame *caller, int32_t site)
{
	caller->instruction += (site - caller->offset) / c->instruction_unit;
	caller->offset = site;
}

/* Whether both copies hold the same frame; `whole`: standing at the same instruction. */
static bool is_in_both(const struct stack_context *c, struct thread *thread, uint64_t address, bool whole)
{
	const unsigned char *one = frames_find(thread, c->layout, COPY_FIRST, address),
			    *two = frames_find(thread, c->layout, COPY_SECOND, address);
	if (!one || !two)
		return false;
	struct frame first = frame_parse(c->layout, address, one), second = frame_parse(c->layout, address, two);
	return first.previous == second.previous && first.code == second.code && first.kind == second.kind &&
	       (!whole || first.instruction == second.instruction);
}

/* A step that stood still from the first copy to the second is as good as in two copies that agree. */
static bool is_steady_step(struct stack_context *c, struct thread *thread, const struct seen_frame *caller,
	const struct seen_frame *callee, enum step step)
{
	return step != STEP_IMPOSSIBLE && !callee->revived && !caller->revived && caller->code &&
	       is_in_both(c, thread, callee->address, false) && is_in_both(c, thread, caller->address, true);
}

/* The caller stands where it calls this code, or did just before; *ret_ok is false when it does not. */
static struct error *settle_caller(struct stack_context *c, struct thread *thread, struct chain *chain,
	struct seen_frame *caller, const struct seen_frame *callee, bool *ret_ok)
{
	int32_t site;
	enum step step = STEP_POSSIBLE;
	*ret_ok = true;
	if (caller->code)
		TRY(steps_look(c, caller, callee, &step));
	if (evidence_trusts(c->evidence, caller->code_id, caller->offset, callee->code_id))
		return NULL;
	chain->moved++;
	bool can_be = evidence_can_be(c->evidence, caller->code_id, caller->offset, callee->code_id);
	if (can_be && is_steady_step(c, thread, caller, callee, step))
		return evidence_add(c->evidence, caller->code_id, caller->offset, callee->code_id) ? NULL
												   : &error_no_memory;
	if (can_be && is_live_step(c, caller, callee))
		return NULL;
	if (!evidence_site(c->evidence, caller->code_id, callee->code_id, &site))
		TRY(steps_find_site(c, caller, callee, &site));
	*ret_ok = site >= 0;
	if (*ret_ok)
		move_to(c, caller, site);
	return NULL;
}

static size_t last_with_code(const struct seen_list *list)
{
	size_t i = list->frames.count;
	while (i > 0 && !list->frames.data[i - 1].code_id)
		i--;
	return i;
}

/* The caller's frame is another's by now: it returned, and the next one was put in its place, before it was copied.
 * Where the program has only one caller of this code, that was it; so on down to a frame that is its caller's still.
 * When that does not come out, nothing is known of those frames. */
static bool put_back_callers(struct stack_context *c, struct chain *chain, const struct seen_frame *callee)
{
	struct seen_list *list = chain->frames;
	uint32_t code = callee->code_id;
	bool from_c = callee->from_c;
	size_t i = list->frames.count;
	while (i > 0 && !from_c) {
		struct seen_frame *frame = &list->frames.data[i - 1];
		uint32_t caller = evidence_only_caller(c->evidence, code);
		int32_t site;
		if (!frame->code_id || !caller || !evidence_site(c->evidence, caller, code, &site))
			break;
		chain->moved++;
		if (frame->code_id == caller) {
			move_to(c, frame, site);
			return true;
		}
		from_c = frame->from_c;
		code = caller;
		*frame = (struct seen_frame){
			.address = frame->address, .code_id = caller, .offset = site, .from_c = from_c, .revived = true
		};
		i--;
	}
	list->frames.count = i;
	return false;
}

/* The frame comes to the top of the chain, if its caller can be what stands there. */
static struct error *add_to_chain(struct stack_context *c, struct thread *thread, struct chain *chain,
	struct seen_frame seen, bool proven, bool *ret_ok)
{
	struct seen_list *list = chain->frames;
	size_t caller = last_with_code(list);
	*ret_ok = true;
	seen.from_c |= list->frames.count && !list->frames.data[list->frames.count - 1].code_id;
	if (!proven && seen.code_id && caller) {
		TRY(settle_caller(c, thread, chain, &list->frames.data[caller - 1], &seen, ret_ok));
		if (!*ret_ok)
			*ret_ok = put_back_callers(c, chain, &seen);
	}
	return !*ret_ok || vec_push(&list->frames, seen) ? NULL : &error_no_memory;
}

/* What the chain shares with the stack of the last sample needs no proof. */
static struct error *build(struct stack_context *c, struct thread *thread, enum region_copy copy, struct chain *chain)
{
	struct frame_list *walked = &thread->walked;
	chain->frames->frames.count = 0;
	chain->moved = 0;
	chain->sound = false;
	bool ok;
	TRY(walk_loosely(c, thread, copy, walked, &ok));
	if (!ok)
		return NULL;
	size_t same = frames_common_root(thread, walked), count = walked->shared + walked->frames.count;
	chain->shared = walked->shared;
	for (size_t i = 0; i < count; i++) {
		struct seen_frame seen;
		if (i < same)
			seen = thread->seen.frames.data[i];
		else
			TRY(frames_resolve(c, &walked->frames.data[count - 1 - i], &seen, &ok));
		if (ok)
			TRY(add_to_chain(c, thread, chain, seen, i < same, &ok));
		if (!ok)
			return NULL;
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

/* How many frames at the root of the last sample's stack stand there still. */
static size_t count_standing(const struct stack_context *c, struct thread *thread)
{
	uint64_t below = 0;
	size_t count = 0;
	for (; count < thread->seen.frames.count; count++) {
		const struct seen_frame *seen = &thread->seen.frames.data[count];
		const unsigned char *bytes = seen->address ? frames_find(thread, c->layout, COPY_FIRST, seen->address)
							   : NULL;
		if (!bytes)
			break;
		struct frame frame = frame_parse(c->layout, seen->address, bytes);
		if (frame.previous != below || frame.code != seen->code || frame.instruction != seen->instruction)
			break;
		below = seen->address;
	}
	return count;
}

/* Until 3.10 a chain of freed frames may end anywhere: what it begins with must be what stacks begin with. */
static size_t count_rooted(const struct stack_context *c, const struct seen_list *list, size_t count)
{
	uint32_t root = count ? list->frames.data[0].code_id : 0;
	return c->layout->pyframe.back == LAYOUT_NONE || (root && evidence_is_only_root(c->evidence, root)) ? count : 0;
}

/* The longest that is known from the root, and <partial> for the rest. */
static struct error *take_partial(
	struct stack_context *c, struct thread *thread, const struct chain *first, const struct chain *second)
{
	size_t one = count_rooted(c, first->frames, first->frames->frames.count),
	       other = count_rooted(c, second->frames, second->frames->frames.count),
	       standing = count_rooted(c, &thread->seen, count_standing(c, thread));
	size_t same;
	thread->seen_copied = 0;
	if (one > standing || other > standing)
		TRY(frames_take_seen(c, thread, other > one ? second->frames : first->frames, &same));
	else
		thread->seen.frames.count = standing;
	thread->quality = QUALITY_PARTIAL;
	return frames_push_synthetic(c, thread, SYNTHETIC_PARTIAL);
}

/* What is called by its name is certain, in torn copies too; quick functions are seldom seen in others. */
static struct error *vote_for_names(struct stack_context *c, const struct chain *chain)
{
	const struct seen_list *list = chain->frames;
	for (size_t i = chain->shared ? chain->shared : 1; i < list->frames.count; i++) {
		const struct seen_frame *caller = &list->frames.data[i - 1], *frame = &list->frames.data[i];
		if (caller->code_id && frame->code_id &&
			evidence_step(c->evidence, caller->code_id, caller->offset, frame->code_id) == STEP_NAMED &&
			!evidence_add(c->evidence, caller->code_id, caller->offset, frame->code_id))
			return &error_no_memory;
	}
	return NULL;
}

struct error *repair_stack(struct stack_context *c, struct thread *thread)
{
	struct chain first = { .frames = &thread->chains[0] }, second = { .frames = &thread->chains[1] };
	TRY(build(c, thread, COPY_FIRST, &first));
	if (!first.sound || first.moved)
		TRY(build(c, thread, COPY_SECOND, &second));
	const struct chain *chosen = choose(&first, &second);
	if (!chosen)
		return take_partial(c, thread, &first, &second);
	thread->quality = QUALITY_REPAIRED;
	TRY(vote_for_names(c, chosen));
	size_t same;
	TRY(frames_take_seen(c, thread, chosen->frames, &same));
	thread->seen_copied = same < chosen->shared ? same : chosen->shared;
	return NULL;
}
