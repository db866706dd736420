#include "agent/segment/timeline.h"

#include <errno.h>
#include <time.h>

#include "agent/segment/recorder.h"
#include "agent/segment/ticks.h"

enum {
	WAIT_STEP = 100000, /* ns */
	WAIT_STEPS = 10000, /* a second in all, or a little more */
};

static void use_block(struct timeline *t, struct segment_words *block)
{
	t->block = block;
	t->word = block->words;
	t->end = block->words + SEGMENT_WORDS;
}

static void end_timeline(struct timeline *t)
{
	t->word = t->end = NULL;
}

static struct segment_words *add_block(struct recorder_thread *thread)
{
	struct segment_words *block = recorder_take(thread, sizeof *block + SEGMENT_WORDS * sizeof *block->words);
	if (block)
		atomic_fetch_add(&recorder.head->words_blocks, 1);
	return block;
}

bool timeline_begin(struct recorder_thread *thread, bool listed, uint64_t now)
{
	struct timeline *t = &thread->timeline;
	struct segment_words *block = add_block(thread);
	if (!block)
		return false;
	block->next = recorder_unit_of(block);
	thread->shared->first_words = block->next;
	thread->shared->begun = t->last = now;
	t->listed = listed;
	use_block(t, block);
	return true;
}

/* Behind this one: pyrometer gets there when this one is full, which it is not yet. */
static struct segment_words *insert_block(struct recorder_thread *thread)
{
	struct segment_words *here = thread->timeline.block, *added = NULL;
	bool alone = here->next == recorder_unit_of(here);
	if (alone || atomic_load(&recorder.head->words_blocks) < SEGMENT_WORDS_BLOCKS)
		added = add_block(thread);
	if (!added)
		return NULL;
	added->next = here->next;
	here->next = recorder_unit_of(added);
	return added;
}

/* The program stands still meanwhile, and with it nearly always all of its threads. */
static bool await_empty(const struct segment_words *block)
{
	int before = errno;
	for (int i = 0; atomic_load(&block->full) && i < WAIT_STEPS && recorder_is_on(); i++)
		nanosleep(&(struct timespec){ 0, WAIT_STEP }, NULL);
	errno = before;
	return !atomic_load(&block->full) && recorder_is_on();
}

bool timeline_next_block(struct recorder_thread *thread)
{
	struct timeline *t = &thread->timeline;
	struct segment_words *here = t->block, *next = recorder_unit(here->next);
	if (!t->listed) {
		use_block(t, here);
		return true;
	}
	if (next == here || atomic_load(&next->full)) {
		struct segment_words *added = insert_block(thread);
		next = added ? added : next;
	}
	atomic_store(&here->full, 1);
	if (next == here || !await_empty(next)) {
		recorder_close(SEGMENT_SEALED,
			"pyrometer did not take what was measured for a second; what came then was not measured");
		return false;
	}
	use_block(t, next);
	return true;
}

void timeline_keep_slowly(struct recorder_thread *thread, enum segment_word kind, uint32_t value, uint64_t now)
{
	struct timeline *t = &thread->timeline;
	static const uint64_t most = (1ull << SEGMENT_WORD_TICKS) - 1;
	uint64_t ticks = now - t->last;
	if (atomic_load(&recorder.head->timeline_ended) || (t->word == t->end && !timeline_next_block(thread))) {
		end_timeline(t);
		return;
	}
	t->last = now;
	if (ticks > most) {
		timeline_put(t, SEGMENT_WORD_PAUSE, (uint32_t)(ticks >> SEGMENT_WORD_TICKS), ticks & most);
		ticks = 0;
		if (t->word == t->end && !timeline_next_block(thread)) {
			end_timeline(t);
			return;
		}
	}
	timeline_put(t, kind, value, ticks);
}
