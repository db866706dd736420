#include "sample/target.h"

#include "base/clock.h"
#include "os/memory_cache.h"
#include "os/task.h"
#include "sample/first_look.h"
#include "sample/looks.h"
#include "sample/plan.h"
#include "sample/reading.h"
#include "sample/threads.h"

/* ---- opening ---- */

/* The smallest range that holds all those fields that the version has; false when it is more than `most`. */
static bool find_window(const uint32_t *fields, size_t count, uint32_t most, uint32_t *ret_start, uint32_t *ret_size)
{
	uint32_t start = UINT32_MAX, end = 0;
	for (size_t i = 0; i < count; i++) {
		if (fields[i] == LAYOUT_NONE)
			continue;
		start = fields[i] < start ? fields[i] : start;
		end = fields[i] + 8 > end ? fields[i] + 8 : end;
	}
	*ret_start = start;
	*ret_size = end - start;
	return end - start <= most;
}

/* From 3.13 on the target itself says where its fields are. */
static struct error *set_windows(struct target *target)
{
	const struct layout *l = &target->runtime.layout;
	const uint32_t of_thread[] = { l->tstate.next, l->tstate.interp, l->tstate.frame, l->tstate.thread_id,
		l->tstate.native_thread_id, l->tstate.datastack_chunk, l->tstate.datastack_top };
	const uint32_t of_interpreter[] = { l->interp.threads_head, l->interp.gc_collecting,
		l->interp.code_object_generation };
	if (find_window(of_thread, sizeof of_thread / sizeof *of_thread, THREAD_STATE_MAX, &target->state_start,
		    &target->state_size) &&
		find_window(of_interpreter, sizeof of_interpreter / sizeof *of_interpreter, INTERPRETER_BYTES_MAX,
			&target->interpreter_start, &target->interpreter_size))
		return NULL;
	return error_new(
		ERROR_CORRUPT, "process %d says that its Python's fields are where they cannot be", target->pid);
}

struct error *target_open_memory(struct memory *memory, const struct maps *maps, pid_t pid, struct target **ret_target)
{
	struct target *target = calloc(1, sizeof *target);
	if (!target) {
		memory_destroy(memory);
		return &error_no_memory;
	}
	target->pid = pid;
	target->inner_pid = pid ? task_read_inner_tid(pid, pid) : 0;
	if (!target->inner_pid)
		target->inner_pid = pid;
	target->memory = memory;
	struct error *error = memory_open_cache(memory, &target->info);
	if (!error)
		error = runtime_find(memory, maps, &target->runtime);
	if (!error)
		error = runtime_main_interpreter(memory, &target->runtime, &target->interpreter);
	if (!error)
		error = set_windows(target);
	if (error) {
		target_destroy(target);
		return error;
	}
	runtime_gil(memory, &target->runtime, target->interpreter, &target->gil);
	*ret_target = target;
	return NULL;
}

struct error *target_open(pid_t pid, struct target **ret_target)
{
	_cleanup_maps_ struct maps maps = { 0 };
	TRY(maps_read(pid, &maps));
	return target_open_mapped(&maps, ret_target);
}

struct error *target_open_mapped(const struct maps *maps, struct target **ret_target)
{
	struct memory *memory;
	TRY(memory_open_process(maps->pid, &memory));
	return target_open_memory(memory, maps, maps->pid, ret_target);
}

void target_attach_registry(struct target *target, struct registry *registry)
{
	target->registry = registry;
	codes_init(&target->codes, target->memory, &target->runtime, registry);
}

void target_destroy(struct target *target)
{
	if (!target)
		return;
	threads_destroy(target);
	codes_deinit(&target->codes);
	evidence_deinit(&target->evidence);
	map_deinit(&target->links);
	sites_deinit(&target->sites);
	map_deinit(&target->thread_objects);
	map_deinit(&target->thread_names);
	map_deinit(&target->inner_tids);
	batch_deinit(&target->batch);
	memory_destroy(target->info);
	memory_destroy(target->memory);
	free(target);
}

/* ---- one sample ---- */

static bool covers_data_stack(const struct target *target, const struct thread *thread)
{
	const struct layout *l = &target->runtime.layout;
	if (l->tstate.datastack_chunk == LAYOUT_NONE || !thread->tops[0])
		return true;
	return target_state_word(target, thread, l->tstate.datastack_chunk) == thread->chunk;
}

static bool any_failed(const struct regions *regions)
{
	for (size_t i = 0; i < regions->list.count; i++)
		if (regions->list.data[i].failed)
			return true;
	return false;
}

static enum walk_end walk(struct target *target, struct thread *thread, uint64_t *ret_missing)
{
	thread->unchanged_until = thread->seen_copied ? regions_unchanged_until(&thread->regions) : 0;
	return frames_walk(thread, &target->runtime.layout, COPY_FIRST, thread->tops[0], &thread->walked, ret_missing);
}

/* What stood still at the last samples has only its first copy yet. Where that shows that it did not this time, all
 * second copies and the pointers behind them are made now, some microseconds late. The first pointer and the first
 * copies stay: a new sample instead would be one of what the program does next, and generators that seldom run, or
 * before 3.11 functions whose frame lies apart, would be missed each time that they are met. */
static struct error *settle_copies(struct target *target, struct thread *thread, unsigned looks)
{
	if (regions_settle(&thread->regions, looks))
		return NULL;
	if (thread == target->looks.thread)
		looks_give_up(target);
	batch_clear(&target->batch);
	reading_add_second(target, thread);
	TRY(reading_run(target));
	reading_take_second(target, thread);
	return NULL;
}

/* Where the prediction was wrong, predicts anew from what was found and reads that thread again, by itself. That moves
 * the time of its sample by some microseconds whatever it does, so it prefers no state. */
static struct error *read_again(
	struct target *target, struct thread *thread, bool moving, uint64_t missing, enum walk_end *ret_end)
{
	enum { TRIES = 12 };
	if (thread == target->looks.thread)
		looks_give_up(target);
	*ret_end = WALK_BROKEN;
	for (unsigned i = 1; i < TRIES; i++) {
		thread->holes |= any_failed(&thread->regions);
		plan_thread(target, thread, missing);
		batch_clear(&target->batch);
		(moving ? reading_add_moving : reading_add_standing)(target, thread);
		TRY(reading_run(target));
		missing = 0;
		if (!reading_take_thread(target, thread, moving, 1) || !covers_data_stack(target, thread))
			continue;
		if (moving)
			TRY(settle_copies(target, thread, 1));
		enum walk_end end = walk(target, thread, &missing);
		if (end != WALK_MISSING) {
			*ret_end = end;
			return NULL;
		}
	}
	return NULL;
}

/* From the frames of one look to its stack. `predicted`: they lie where they were copied, as far as is known. */
static struct error *take_look(struct target *target, struct thread *thread, bool moving, bool predicted)
{
	const struct layout *l = &target->runtime.layout;
	struct stack_context context = { l, &target->codes, target->registry, &target->evidence, &target->sites,
		&target->links, .instruction_unit = l->version == 0x030a ? 2 : 1 };
	uint64_t missing = 0;
	enum walk_end end = predicted ? walk(target, thread, &missing) : WALK_MISSING;
	if (end == WALK_MISSING)
		TRY(read_again(target, thread, moving, missing, &end));
	TRY(stack_take(&context, thread, end, moving));
	if (thread->changed && thread->quality == QUALITY_EXACT)
		plan_remember_links(target, thread);
	return NULL;
}

static struct error *take_thread(struct target *target, struct thread *thread, bool moving)
{
	unsigned looks = thread == target->looks.thread ? target->looks.copied : 1;
	bool predicted = reading_take_thread(target, thread, moving, looks) && covers_data_stack(target, thread);
	if (predicted && moving)
		TRY(settle_copies(target, thread, looks));
	return take_look(target, thread, moving, predicted);
}

/* ---- who must be read ---- */

enum { SETTLED_MAX = 100 * NS_PER_MS };

/* Who may have run while it was read: the holders, or anybody when the GIL went through several hands. */
static bool could_move(const struct target *target, const struct thread *thread)
{
	const struct gil_seen *first = &target->gil_first, *last = &target->gil_last;
	return target->runtime.free_threaded || thread->tstate == first->holder || thread->tstate == last->holder ||
	       last->switches - first->switches > 1;
}

/* After its sample: a thread that stood still stays as it is until the GIL goes to another one, and needs no look. */
static void settle(struct target *target, struct thread *thread, bool moving)
{
	thread->settled = target->gil.start && !moving && thread->quality == QUALITY_EXACT &&
			  thread->tstate != target->gil_last.last_holder &&
			  thread->tstate != target->gil_first.last_holder &&
			  target->gil_first.switches == target->gil_last.switches;
}

/* With one thread there is nobody whom the GIL could go to meanwhile. */
static struct error *read_only_thread(struct target *target, struct thread *thread)
{
	batch_clear(&target->batch);
	looks_add(target, thread);
	reading_add_interpreter_and_gil(target);
	TRY(looks_run(target));
	reading_take_interpreter_and_gil(target);
	if (target->looks.count > 1)
		reading_take_gil(target, &target->gil_first);
	else
		target->gil_first = target->gil_last;
	target->held_by = target->gil_first.holder;
	return NULL;
}

static void take_gil(struct target *target)
{
	reading_take_gil(target, &target->gil_first);
	reading_take_gil(target, &target->gil_last);
	target->held_by = target->gil_last.holder;
}

bool target_read_holder(struct target *target)
{
	batch_clear(&target->batch);
	reading_add_gil(target, &target->gil_last);
	struct error *error = target->batch.failures.count ? reading_run(target) : NULL;
	bool ok = !error && target->batch.failures.count;
	error_free(error);
	if (ok) {
		reading_take_gil(target, &target->gil_last);
		target->held_by = target->gil_last.holder;
	}
	return ok;
}

/* The GIL, whoever is likely to move, the interpreter, and all that are not settled. */
static struct error *read_unsettled(struct target *target, struct thread *mover)
{
	batch_clear(&target->batch);
	if (mover)
		looks_add(target, mover);
	if (target->looks.count == 1)
		reading_add_gil(target, &target->gil_first);
	reading_add_interpreter(target);
	for (size_t i = 0; i < target->threads.count; i++)
		if (target->threads.data[i] != mover && !target->threads.data[i]->settled)
			reading_add_standing(target, target->threads.data[i]);
	reading_add_gil(target, &target->gil_last);
	TRY(looks_run(target));
	take_gil(target);
	reading_take_interpreter(target);
	return NULL;
}

/* The GIL has changed hands: who has it now, or had it last, may have run; or, `all`, anybody. */
static struct error *read_settled(struct target *target, bool all)
{
	batch_clear(&target->batch);
	for (size_t i = 0; i < target->threads.count; i++) {
		struct thread *thread = target->threads.data[i];
		if (!thread->settled || !(all || thread->tstate == target->gil_last.last_holder))
			continue;
		thread->settled = false;
		reading_add_standing(target, thread);
	}
	if (!target->batch.failures.count)
		return NULL;
	reading_add_gil(target, &target->gil_last);
	TRY(reading_run(target));
	take_gil(target);
	return NULL;
}

/* Threads that were read as standing still but may have moved are read again, together. */
static struct error *read_movers(struct target *target, const struct thread *mover)
{
	batch_clear(&target->batch);
	for (size_t i = 0; i < target->threads.count; i++) {
		struct thread *thread = target->threads.data[i];
		if (thread != mover && !thread->settled && could_move(target, thread))
			reading_add_moving(target, thread);
	}
	return target->batch.failures.count ? reading_run(target) : NULL;
}

static struct thread *find_mover(const struct target *target)
{
	struct thread *mover = threads_find(target, target->held_by);
	return !mover && target->threads.count == 1 ? target->threads.data[0] : mover;
}

/* The one who had the GIL at the last sample has it still, more often than not. Not so in 2.7, which hands it on every
 * few microseconds: there the holder is looked up first. Who got it while the others were read stands where it waited.
 */
static struct error *read_all(struct target *target, uint64_t now, struct thread **ret_mover)
{
	if (!target->gil.start && target->threads.count > 1)
		target_read_holder(target);
	target->looks.count = target->looks.copied = 1;
	target->looks.at = 0;
	*ret_mover = find_mover(target);
	if (*ret_mover)
		(*ret_mover)->settled = false;
	if (target->threads.count == 1)
		return read_only_thread(target, target->threads.data[0]);
	TRY(read_unsettled(target, *ret_mover));
	uint64_t switches = target->gil_last.switches, handed = switches - target->settled_switches;
	/* Whoever has the GIL may end another one's state, without giving it away. */
	bool all = handed > 1 || now >= target->unsettle_at;
	if (all || handed) {
		looks_give_up(target);
		TRY(read_settled(target, all));
	}
	target->settled_switches = switches;
	if (all)
		target->unsettle_at = now + SETTLED_MAX;
	return NULL;
}

static struct error *list_threads(struct target *target)
{
	TRY(threads_list(target));
	return first_look(target);
}

struct error *target_sample(struct target *target, uint64_t now)
{
	struct thread *mover;
	if (!target->threads.count)
		TRY(list_threads(target));
	target->codes.now = target->looks.now = now;
	TRY(read_all(target, now, &mover));
	if (!threads_unchanged(target)) {
		looks_give_up(target);
		TRY(list_threads(target));
		TRY(read_all(target, now, &mover));
	}
	TRY(read_movers(target, mover));
	for (size_t i = 0; i < target->threads.count; i++) {
		struct thread *thread = target->threads.data[i];
		bool moving = thread == mover || could_move(target, thread);
		thread->changed = false;
		if (thread->settled)
			continue;
		TRY(take_thread(target, thread, moving));
		settle(target, thread, moving);
	}
	return NULL;
}

struct error *target_next_look(struct target *target)
{
	for (size_t i = 0; i < target->threads.count; i++)
		target->threads.data[i]->changed = false;
	looks_advance(target);
	target->codes.now = target->looks.now + looks_delay(target);
	for (unsigned i = 0; i < THREAD_CHECKS; i++)
		target->looks.thread->checks[i].address = 0;
	return take_look(target, target->looks.thread, true, true);
}
