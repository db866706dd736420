#include "sample/stack.h"

#include "sample/frames.h"
#include "sample/steps.h"

/* ---- are the two copies the same stack? ---- */

enum agreement {
	TORN,
	SAME_FRAMES, /* all is equal but the leaf's instruction */
	SAME,
};

/* The frames that were not looked at again because the first copy holds what the last sample did: so must the second.
 */
static bool shared_agrees(struct thread *thread, const struct layout *l, const struct frame_list *list)
{
	if (!list->shared)
		return true;
	uint64_t until = regions_agree_until(&thread->regions);
	return thread->seen.frames.data[list->shared - 1].address + frame_bytes_size(l) <= until;
}

static enum agreement compare_copies(struct thread *thread, const struct layout *l, const struct frame_list *list)
{
	enum agreement agreement = SAME;
	if (thread->tops[0] != thread->tops[1] || thread->tops[0] != thread->tops[2] || !shared_agrees(thread, l, list))
		return TORN;
	for (size_t i = 0; i < list->frames.count; i++) {
		const struct frame *one = &list->frames.data[i];
		const unsigned char *bytes = frames_find(thread, l, COPY_SECOND, one->address);
		if (!bytes)
			return TORN;
		struct frame two = frame_parse(l, one->address, bytes);
		if (two.previous != one->previous || two.code != one->code || two.kind != one->kind)
			return TORN;
		if (two.instruction != one->instruction) {
			if (i > 0)
				return TORN;
			agreement = SAME_FRAMES;
		}
	}
	return agreement;
}

/* ---- evidence ---- */

enum trust {
	TRUST_IMPOSSIBLE, /* some step cannot be */
	TRUST_CHANCE,	  /* some step has another name than is called there, or is seldom seen where it stands */
	TRUST_ODD,	  /* some step is new where others are known, or where names speak for none; of a thread's
			   * first sample, of which nothing is known but itself, that is not asked */
	TRUST_NEW,	  /* some step is the first that is seen of its place, or nearly */
	TRUST_PROVEN,
};

static bool is_new_place(const struct stack_context *c, const struct seen_frame *caller)
{
	return evidence_place_votes(c->evidence, caller->code_id, caller->offset) <= EVIDENCE_ENOUGH;
}

/* Votes for the step to frame `i` and says how far it is to be trusted. */
static struct error *weigh_step(struct stack_context *c, const struct thread *thread, size_t i, enum trust *ret_trust)
{
	const struct seen_frame *frame = &thread->seen.frames.data[i], *caller = frames_caller(thread, i);
	enum step step;
	*ret_trust = TRUST_PROVEN;
	if (!caller || !frame->code_id)
		return NULL;
	TRY(steps_look(c, caller, frame, &step));
	if (step == STEP_IMPOSSIBLE) {
		*ret_trust = TRUST_IMPOSSIBLE;
		return NULL;
	}
	if (!evidence_add(c->evidence, caller->code_id, caller->offset, frame->code_id))
		return &error_no_memory;
	if (evidence_is_chance(c->evidence, caller->code_id, caller->offset, frame->code_id))
		*ret_trust = TRUST_CHANCE;
	else if (!evidence_trusts(c->evidence, caller->code_id, caller->offset, frame->code_id))
		*ret_trust = is_new_place(c, caller) && (step == STEP_POSSIBLE || !thread->sampled) ? TRUST_NEW
												    : TRUST_ODD;
	return NULL;
}

/* Until 3.10 a frame that was left has lost its caller: a chain may seem to end there. */
static struct error *weigh_root(struct stack_context *c, const struct thread *thread, size_t same, bool *ret_sound)
{
	uint32_t root = thread->seen.frames.count ? thread->seen.frames.data[0].code_id : 0;
	if (same || !root)
		return NULL;
	if (!evidence_add_root(c->evidence, root))
		return &error_no_memory;
	if (c->layout->pyframe.back != LAYOUT_NONE)
		*ret_sound = evidence_is_root(c->evidence, root);
	return NULL;
}

/* The least that any step of a sound stack is to be trusted. `same`: frames that stood there at the last sample; those
 * of them that are proven are not looked at again. */
static struct error *weigh(struct stack_context *c, struct thread *thread, size_t same, enum trust *ret_trust)
{
	size_t i = thread->proven < same ? thread->proven : same;
	*ret_trust = TRUST_PROVEN;
	thread->proven = i;
	for (; i < thread->seen.frames.count && *ret_trust != TRUST_IMPOSSIBLE; i++) {
		enum trust trust;
		TRY(weigh_step(c, thread, i, &trust));
		*ret_trust = trust < *ret_trust ? trust : *ret_trust;
		if (*ret_trust == TRUST_PROVEN)
			thread->proven = i + 1;
	}
	return NULL;
}

/* ---- the stack of one sample ---- */

/* Frames that were torn while they were read can point at each other. */
static bool is_circle(const struct frame_list *list)
{
	enum { AROUND = 64 };
	size_t last = list->frames.count - 1;
	for (size_t i = 1; i <= AROUND && i <= last; i++)
		if (list->frames.data[last - i].address == list->frames.data[last].address)
			return true;
	return false;
}

/* A stack deeper than we follow: <partial> stands for its root. */
static struct error *take_cut(struct stack_context *c, struct thread *thread, const struct frame_list *list)
{
	bool sound = true;
	thread->seen.frames.count = thread->seen_copied = 0;
	TRY(frames_push_synthetic(c, thread, SYNTHETIC_PARTIAL));
	for (size_t i = list->frames.count; i-- > 0 && sound;) {
		struct seen_frame seen;
		TRY(frames_resolve(c, &list->frames.data[i], &seen, &sound));
		if (sound)
			TRY(frames_push(c, thread, seen));
	}
	thread->quality = QUALITY_PARTIAL;
	return NULL;
}

/* A generator's frame has no caller while it is suspended, and no other time: a chain that ends in one was left just
 * now. */
static struct error *ends_in_generator(struct stack_context *c, const struct thread *thread, bool *ret_ends)
{
	const struct frame_list *list = &thread->walked;
	const struct frame *last = list->frames.count ? &list->frames.data[list->frames.count - 1] : NULL;
	const struct seen_frame *before = thread->seen.frames.count ? &thread->seen.frames.data[0] : NULL;
	const struct code_entry *entry = NULL;
	bool known = last && before && before->address == last->address && before->code == last->code;
	if (last && !known && !list->shared && last->kind == FRAME_PYTHON)
		TRY(codes_get(c->codes, last->code, &entry));
	*ret_ends = entry && code_head_is_generator(&entry->head);
	return NULL;
}

/* Two copies that agree, or a thread that stood still: *ret_sound is false when it must be repaired after all. */
static struct error *take_agreed(
	struct stack_context *c, struct thread *thread, enum agreement agreement, bool *ret_sound)
{
	size_t same;
	enum trust trust;
	TRY(frames_take_list(c, thread, &thread->walked, &same, ret_sound));
	thread->seen_copied = same < thread->seen_copied ? same : thread->seen_copied;
	if (*ret_sound)
		TRY(weigh_root(c, thread, same, ret_sound));
	if (!*ret_sound)
		return NULL;
	TRY(weigh(c, thread, same, &trust));
	*ret_sound = trust >= TRUST_ODD;
	if (*ret_sound)
		thread->seen_copied = thread->seen.frames.count;
	else
		thread->seen.frames.count = same; /* what stood there before is all that is known of it */
	thread->quality = trust == TRUST_PROVEN || (agreement == SAME && trust == TRUST_NEW) ? QUALITY_EXACT
											     : QUALITY_REPAIRED;
	return NULL;
}

struct error *stack_take(struct stack_context *c, struct thread *thread, enum walk_end end, bool moving)
{
	uint32_t before = thread->stack;
	if (end == WALK_CUT && !is_circle(&thread->walked)) {
		TRY(take_cut(c, thread, &thread->walked));
	} else {
		enum agreement agreement = end != WALK_COMPLETE ? TORN
					   : moving		? compare_copies(thread, c->layout, &thread->walked)
								: SAME;
		bool sound = agreement != TORN, ends = false;
		if (sound)
			TRY(ends_in_generator(c, thread, &ends));
		sound &= !ends;
		if (sound)
			TRY(take_agreed(c, thread, agreement, &sound));
		if (!sound)
			TRY(repair_stack(c, thread));
	}
	/* The next sample is compared with the copy of this one, and with what of its stack is what the copy holds. */
	regions_keep(&thread->regions);
	if (!layout_has_data_stack(c->layout))
		thread->seen_copied = 0; /* heap frames lie in no order that would tell which are below */
	thread->stack = thread->seen.frames.count ? thread->seen.frames.data[thread->seen.frames.count - 1].node : 0;
	thread->changed = thread->stack != before;
	thread->sampled = true;
	return NULL;
}
