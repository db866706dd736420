#include "sample/looks.h"

#include "base/clock.h"
#include "sample/reading.h"

enum {
	PIECES_MAX = 24, /* of one call, about: it is to last for some microseconds only */
	CALL_PIECES = 3, /* the call itself lasts as long as it takes to copy so many, before the first */
};

/* Pieces of one look: the pointer, and what is not expected to stand still. */
static unsigned pieces_each(const struct thread *thread)
{
	unsigned pieces = 1;
	for (size_t i = 0; i < thread->regions.list.count; i++)
		pieces += !region_is_still(&thread->regions, &thread->regions.list.data[i]);
	return pieces;
}

/* From 3.13 on. Before, the frame pointer is behind a pointer that changes (3.11, 3.12), or each frame is a piece of
 * its own (until 3.10): a look there is as long as a call. */
static bool is_quickly_copied(const struct layout *l)
{
	return l->cframe.current_frame == LAYOUT_NONE && l->tstate.datastack_chunk != LAYOUT_NONE;
}

static bool only_one_can_move(const struct target *target, const struct thread *mover)
{
	for (size_t i = 0; i < target->threads.count; i++)
		if (target->threads.data[i] != mover && !target->threads.data[i]->settled)
			return false;
	return !target->runtime.free_threaded;
}

/* From half of `most` to all of it, at random: a program whose cycle is as long as a call and what is done between two
 * would show each call the same part of itself. */
static unsigned choose_count(struct looks *looks, unsigned most)
{
	looks->random = looks->random * 6364136223846793005u + 1442695040888963407u;
	return most - (unsigned)((looks->random >> 33) % (most / 2 + 1));
}

/* With the looks: the code objects whose check is due (codes.h). */
static void add_due_heads(struct target *target)
{
	struct codes *codes = &target->codes;
	codes_choose_due(codes);
	for (unsigned i = 0; i < codes->due_count; i++)
		batch_add(&target->batch, codes->due[i].address, codes->due[i].bytes,
			code_head_size(&target->runtime.layout), &codes->due[i].failed);
}

void looks_add(struct target *target, struct thread *mover)
{
	struct looks *looks = &target->looks;
	unsigned each = pieces_each(mover), most = PIECES_MAX / each;
	unsigned next = looks->thread == mover && looks->next ? 2 * looks->next : 1;
	looks->thread = mover;
	looks->next = next < LOOKS_MAX ? next : LOOKS_MAX;
	bool several = target->several_looks && is_quickly_copied(&target->runtime.layout) &&
		       only_one_can_move(target, mover);
	looks->count = !several || !most ? 1 : choose_count(looks, looks->next < most ? looks->next : most);
	looks->copied = looks->count;
	looks->at = 0;
	looks->each = each;
	reading_add_looks(target, mover, looks->count);
	target->codes.watches = several;
	if (several)
		add_due_heads(target);
}

struct error *looks_run(struct target *target)
{
	struct looks *looks = &target->looks;
	looks->pieces = 0;
	if (!target->codes.watches)
		return reading_run(target);
	uint64_t begun = clock_now();
	TRY(reading_run(target));
	looks->took = clock_now() - begun;
	codes_note_due(&target->codes);
	looks->pieces = (unsigned)target->batch.failures.count + CALL_PIECES;
	return NULL;
}

void looks_give_up(struct target *target)
{
	target->looks.count = target->looks.at + 1;
	target->looks.next = 0;
}

uint64_t looks_delay(const struct target *target)
{
	const struct looks *looks = &target->looks;
	return looks->pieces ? looks->took * (CALL_PIECES + looks->at * looks->each) / looks->pieces : 0;
}

void looks_advance(struct target *target)
{
	struct looks *looks = &target->looks;
	struct thread *thread = looks->thread;
	regions_advance(&thread->regions, looks->at++);
	thread->tops[0] = thread->tops[1];
	thread->tops[1] = thread->tops[2];
	thread->tops[2] = thread->tops_ahead[looks->at];
	target->held_by = 2 * looks->at < looks->count ? target->gil_first.holder : target->gil_last.holder;
}
