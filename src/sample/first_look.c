/* first_look.c: see first_look.h. By itself each thread costs some reads until it is known which memory to copy: of
 * hundreds of threads, thousands. Here one call reads the heads of all their stack chunks, one the used parts of these,
 * and then one for each step that leaves them, as at entries from C; until 3.10, one for each frame of the deepest. */
#include "sample/first_look.h"

#include "sample/frames.h"
#include "sample/plan.h"
#include "sample/reading.h"

enum { STEPS_MAX = 512, HEAD_MAX = 64 };

/* A thread whose chain is being followed. */
struct chain {
	struct thread *thread;
	uint64_t chunk;
	unsigned char head[HEAD_MAX]; /* of the chunk */
	bool failed;
	uint64_t at;	/* the frame that comes next */
	uint64_t asked; /* the last one that was read for itself */
	unsigned steps;
};

struct chains {
	VEC(struct chain) list;
};

static struct error *find_new_threads(const struct target *target, struct chains *chains)
{
	for (size_t i = 0; i < target->threads.count; i++) {
		struct thread *thread = target->threads.data[i];
		if (!thread->sampled && !thread->regions.list.count &&
			!vec_push(&chains->list, (struct chain){ .thread = thread }))
			return &error_no_memory;
	}
	return NULL;
}

/* The whole batch may be of threads that have just ended: that is seen by the sample. */
static struct error *run(struct target *target)
{
	if (!target->batch.failures.count)
		return NULL;
	struct error *error = reading_run(target);
	if (error == &error_no_memory || (error && error->kind != ERROR_GONE))
		return error;
	error_free(error);
	return NULL;
}

/* ---- what the chains begin with ---- */

/* In 3.11 and 3.12 the frame pointer lies behind another one: see add_top() in reading.c. */
static void add_top(struct target *target, struct chain *chain)
{
	const struct layout *l = &target->runtime.layout;
	struct thread *thread = chain->thread;
	uint64_t word = target_state_word(target, thread, l->tstate.frame);
	if (l->cframe.current_frame == LAYOUT_NONE) {
		chain->at = word;
	} else if (word) {
		thread->cframes[0] = word;
		batch_add(&target->batch, word + l->cframe.current_frame, &chain->at, sizeof chain->at, NULL);
	}
}

static struct error *read_heads(struct target *target, struct chains *chains)
{
	const struct layout *l = &target->runtime.layout;
	batch_clear(&target->batch);
	for (size_t i = 0; i < chains->list.count; i++) {
		struct chain *chain = &chains->list.data[i];
		add_top(target, chain);
		if (!layout_has_data_stack(&target->runtime.layout))
			continue;
		chain->chunk = target_state_word(target, chain->thread, l->tstate.datastack_chunk);
		if (chain->chunk && l->stack_chunk.data <= HEAD_MAX)
			batch_add(&target->batch, chain->chunk, chain->head, l->stack_chunk.data, &chain->failed);
	}
	return run(target);
}

static struct error *read_data_stacks(struct target *target, struct chains *chains)
{
	batch_clear(&target->batch);
	for (size_t i = 0; i < chains->list.count; i++) {
		struct chain *chain = &chains->list.data[i];
		if (!chain->chunk || chain->failed)
			continue;
		plan_take_chunk(target, chain->thread, chain->chunk, chain->head);
		plan_thread(target, chain->thread, 0);
		reading_add_frames(target, chain->thread);
	}
	return run(target);
}

/* ---- following them ---- */

/* As far as what was copied goes; the frame that then is missing is added to the batch. */
static void follow(struct target *target, struct chain *chain)
{
	const struct layout *l = &target->runtime.layout;
	struct thread *thread = chain->thread;
	while (chain->at && !(chain->at & 7) && !(chain->at >> 47) && chain->steps++ < STEPS_MAX) {
		const unsigned char *bytes = frames_find(thread, l, COPY_FIRST, chain->at);
		if (bytes) {
			chain->at = frame_parse(l, chain->at, bytes).previous;
			continue;
		}
		if (chain->asked != chain->at && plan_add_frame(target, thread, chain->at))
			reading_add_last_frame(target, thread);
		else
			thread->holes = true;
		chain->asked = chain->at;
		return;
	}
	chain->at = 0;
}

static struct error *follow_all(struct target *target, struct chains *chains)
{
	for (unsigned i = 0; i < STEPS_MAX; i++) {
		batch_clear(&target->batch);
		for (size_t k = 0; k < chains->list.count; k++)
			if (!chains->list.data[k].thread->holes)
				follow(target, &chains->list.data[k]);
		if (!target->batch.failures.count)
			break;
		TRY(run(target));
	}
	return NULL;
}

static struct error *look(struct target *target, struct chains *chains)
{
	TRY(read_heads(target, chains));
	TRY(read_data_stacks(target, chains));
	TRY(follow_all(target, chains));
	for (size_t i = 0; i < chains->list.count; i++)
		plan_followed(target, chains->list.data[i].thread);
	return NULL;
}

struct error *first_look(struct target *target)
{
	struct chains chains = { 0 };
	struct error *error = find_new_threads(target, &chains);
	if (!error && chains.list.count)
		error = look(target, &chains);
	vec_free(&chains.list);
	return error;
}
