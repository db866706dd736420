#include "sample/reading.h"

#include <errno.h>

/* From its last holder to its switch number; 0: it is not read. */
static uint32_t gil_bytes(const struct target *target)
{
	const struct layout *l = &target->runtime.layout;
	uint32_t size = l->gil.switch_number + 8 - l->gil.last_holder;
	return target->gil.start && size <= GIL_BYTES_MAX ? size : 0;
}

void reading_add_gil(struct target *target, struct gil_seen *seen)
{
	uint32_t size = gil_bytes(target);
	if (target->runtime.holder)
		batch_add(&target->batch, target->runtime.holder, &seen->holder, sizeof seen->holder, NULL);
	if (size)
		batch_add(&target->batch, target->gil.start + target->runtime.layout.gil.last_holder, seen->bytes, size,
			NULL);
}

void reading_take_gil(const struct target *target, struct gil_seen *seen)
{
	const struct layout *l = &target->runtime.layout;
	if (!gil_bytes(target))
		return;
	memcpy(&seen->locked, seen->bytes + l->gil.locked - l->gil.last_holder, sizeof seen->locked);
	memcpy(&seen->switches, seen->bytes + l->gil.switch_number - l->gil.last_holder, sizeof seen->switches);
	seen->last_holder = frame_word_(seen->bytes, 0);
	if (!target->runtime.holder) /* from 3.12 on; `locked` says whether the last holder still is one */
		seen->holder = seen->locked == 1 ? seen->last_holder : 0;
}

/* Where the GIL's struct is among the bytes of the interpreter that are copied, or can be (3.12+); else too far. */
static uint64_t gil_in_interpreter(const struct target *target)
{
	return target->gil.start + target->runtime.layout.gil.last_holder -
	       (target->interpreter + target->interpreter_start);
}

static bool holds_gil_struct(const struct target *target)
{
	return !target->runtime.holder && gil_bytes(target) &&
	       gil_in_interpreter(target) <= INTERPRETER_BYTES_MAX - GIL_BYTES_MAX;
}

void reading_add_interpreter_and_gil(struct target *target)
{
	if (!holds_gil_struct(target)) {
		reading_add_interpreter(target);
		reading_add_gil(target, &target->gil_last);
		return;
	}
	uint32_t size = (uint32_t)gil_in_interpreter(target) + gil_bytes(target);
	batch_add(&target->batch, target->interpreter + target->interpreter_start, target->interpreter_bytes,
		size > target->interpreter_size ? size : target->interpreter_size, NULL);
}

void reading_take_interpreter_and_gil(struct target *target)
{
	if (holds_gil_struct(target))
		memcpy(target->gil_last.bytes, target->interpreter_bytes + gil_in_interpreter(target),
			gil_bytes(target));
	reading_take_gil(target, &target->gil_last);
	reading_take_interpreter(target);
}

void reading_add_interpreter(struct target *target)
{
	batch_add(&target->batch, target->interpreter + target->interpreter_start, target->interpreter_bytes,
		target->interpreter_size, NULL);
	if (target->runtime.gc_collecting)
		batch_add(&target->batch, target->runtime.gc_collecting, &target->collecting, sizeof target->collecting,
			NULL);
}

void reading_take_interpreter(struct target *target)
{
	const struct layout *l = &target->runtime.layout;
	const unsigned char *bytes = target->interpreter_bytes;
	const uint32_t start = target->interpreter_start;
	memcpy(&target->threads_head, bytes + l->interp.threads_head - start, sizeof target->threads_head);
	if (!target->runtime.gc_collecting && l->interp.gc_collecting != LAYOUT_NONE)
		memcpy(&target->collecting, bytes + l->interp.gc_collecting - start, sizeof target->collecting);
	if (target->codes.has_generation)
		memcpy(&target->codes.generation, bytes + l->interp.code_object_generation - start,
			sizeof target->codes.generation);
}

static bool has_cframe(const struct target *target)
{
	return target->runtime.layout.cframe.current_frame != LAYOUT_NONE;
}

/* The frame pointer. In 3.11 and 3.12 it is behind a pointer that changes whenever C calls Python and back, so all
 * places where it lately was are read with it. */
static void add_top(struct target *target, struct thread *thread, unsigned which)
{
	const struct layout *l = &target->runtime.layout;
	if (!has_cframe(target)) {
		batch_add(&target->batch, thread->tstate + l->tstate.frame, &thread->tops[which], 8, NULL);
		return;
	}
	for (unsigned i = 0; i < THREAD_CFRAMES && thread->cframes[i]; i++)
		batch_add(&target->batch, thread->cframes[i] + l->cframe.current_frame, &thread->cframe_tops[which][i],
			8, NULL);
	batch_add(&target->batch, thread->tstate + l->tstate.frame, &thread->cframe_at[which], 8, NULL);
}

static void add_region(struct target *target, struct thread *thread, struct region *region, enum region_copy copy)
{
	if (regions_make_copy(&thread->regions, copy))
		batch_add(&target->batch, region->start, region_bytes(&thread->regions, region, copy), region->size,
			&region->failed);
	else
		target->batch.no_memory = true;
}

void reading_add_frames(struct target *target, struct thread *thread)
{
	regions_begin(&thread->regions);
	for (size_t i = 0; i < thread->regions.list.count; i++)
		add_region(target, thread, &thread->regions.list.data[i], COPY_FIRST);
}

void reading_add_last_frame(struct target *target, struct thread *thread)
{
	add_region(target, thread, &thread->regions.list.data[thread->regions.list.count - 1], COPY_FIRST);
}

/* What is expected to be what it was at the last sample is seen to be by one copy. */
static void add_regions_again(struct target *target, struct thread *thread, enum region_copy copy)
{
	for (size_t i = 0; i < thread->regions.list.count; i++)
		if (!region_is_still(&thread->regions, &thread->regions.list.data[i]))
			add_region(target, thread, &thread->regions.list.data[i], copy);
}

static void add_state(struct target *target, struct thread *thread)
{
	batch_add(&target->batch, thread->tstate + target->state_start, thread->state, target->state_size,
		&thread->state_failed);
}

static void add_head(struct target *target, struct thread *thread, unsigned which, size_t frame)
{
	struct code_check *check = &thread->checks[which];
	check->address = thread->seen.frames.data[frame].code;
	check->frame = frame;
	if (check->address)
		batch_add(&target->batch, check->address, check->bytes, code_head_size(&target->runtime.layout),
			&check->failed);
}

/* Code objects that were on the stack at the last sample: are they still? The leaf's, and now and then, in turn, one of
 * the others', whose frames are seldom left and entered again between two samples. */
static void add_heads(struct target *target, struct thread *thread)
{
	enum { OTHERS_EVERY = 8 };
	size_t count = thread->seen.frames.count;
	thread->checks[0].address = thread->checks[1].address = 0;
	if (!count || target->codes.has_generation)
		return;
	add_head(target, thread, 0, count - 1);
	if (++thread->turn % OTHERS_EVERY == 0)
		add_head(target, thread, 1, thread->turn / OTHERS_EVERY % count);
}

/* Pointer, frames, pointer, frames, pointer, and the rest.
 *
 * The first pointer is the one that counts. Once we have read a cache line that the target writes, its next write has
 * to get the line back, some 100 ns on which all its later writes wait too: what we see after the first look lags, and
 * most where frames come and go quickly. So nothing that the thread writes is touched before the pointer, and the
 * frames are right after it. */
void reading_add_looks(struct target *target, struct thread *thread, unsigned looks)
{
	add_top(target, thread, 0);
	reading_add_frames(target, thread);
	if (looks > 1)
		reading_add_gil(target, &target->gil_first);
	add_top(target, thread, 1);
	thread->regions.twice = true;
	add_regions_again(target, thread, COPY_SECOND);
	for (unsigned ahead = 0; ahead + 1 < looks; ahead++) {
		batch_add(&target->batch, thread->tstate + target->runtime.layout.tstate.frame,
			&thread->tops_ahead[ahead], 8, NULL);
		add_regions_again(target, thread, COPY_AHEAD + ahead);
	}
	if (has_cframe(target)) /* else it is in the state */
		add_top(target, thread, 2);
	add_state(target, thread);
	add_heads(target, thread);
}

void reading_add_second(struct target *target, struct thread *thread)
{
	add_top(target, thread, 1);
	add_regions_again(target, thread, COPY_SECOND);
	if (has_cframe(target))
		add_top(target, thread, 2);
	add_state(target, thread);
}

void reading_add_moving(struct target *target, struct thread *thread)
{
	reading_add_looks(target, thread, 1);
}

void reading_add_standing(struct target *target, struct thread *thread)
{
	if (has_cframe(target))
		add_top(target, thread, 0);
	reading_add_frames(target, thread);
	add_state(target, thread);
	add_heads(target, thread);
}

struct error *reading_run(struct target *target)
{
	if (batch_read(&target->batch, target->memory))
		return NULL;
	if (errno == ENOMEM)
		return &error_no_memory;
	int why = errno;
	struct error *error = error_os(why, "process %d cannot be read", target->pid);
	if (error != &error_no_memory)
		error->kind = why == EPERM ? ERROR_DENIED : ERROR_GONE;
	return error;
}

/* ---- what came ---- */

static bool settle_top(struct thread *thread, unsigned which)
{
	for (unsigned i = 0; i < THREAD_CFRAMES && thread->cframes[i]; i++)
		if (thread->cframes[i] == thread->cframe_at[which]) {
			thread->tops[which] = thread->cframe_tops[which][i];
			return true;
		}
	return false;
}

/* Whether there is a frame at that address: known to the last samples, or else when asked now. */
static bool is_frame(struct target *target, struct thread *thread, uint64_t address)
{
	const struct layout *l = &target->runtime.layout;
	const struct code_entry *entry = NULL;
	unsigned char now[FRAME_BYTES_MAX];
	const unsigned char *bytes = address & 7 ? NULL : frames_find(thread, l, COPY_FIRST, address);
	if (!bytes && memory_read(target->memory, address + frame_bytes_start(l), now, frame_bytes_size(l)))
		bytes = now;
	if (!bytes)
		return false;
	struct frame frame = frame_parse(l, address, bytes);
	error_free(frame.kind == FRAME_PYTHON ? codes_get(&target->codes, frame.code, &entry) : NULL);
	return frame.kind == FRAME_SHIM || entry;
}

/* Between the look at a place and the one that says that this place counts, C may have called Python: then the place
 * held nothing yet, and another one did. */
static void check_first_top(struct target *target, struct thread *thread)
{
	if (is_frame(target, thread, thread->tops[0]))
		return;
	for (unsigned i = 0; i < THREAD_CFRAMES && thread->cframes[i]; i++)
		if (is_frame(target, thread, thread->cframe_tops[0][i])) {
			thread->tops[0] = thread->cframe_tops[0][i];
			return;
		}
}

/* The pointers after the first one. */
static void settle_later_tops(struct thread *thread)
{
	const uint64_t no_frame = 1; /* equal to no pointer */
	for (unsigned which = 1; which < 3; which++)
		if (!settle_top(thread, which))
			thread->tops[which] = no_frame;
}

void reading_take_second(struct target *target, struct thread *thread)
{
	if (has_cframe(target))
		settle_later_tops(thread);
	else
		thread->tops[2] = target_state_word(target, thread, target->runtime.layout.tstate.frame);
}

bool reading_take_thread(struct target *target, struct thread *thread, bool moving, unsigned looks)
{
	for (unsigned i = 0; i < THREAD_CHECKS; i++)
		if (thread->checks[i].address && !thread->checks[i].failed)
			codes_note_head(&target->codes, thread->checks[i].address, thread->checks[i].bytes);
	if (!has_cframe(target)) {
		uint64_t top = target_state_word(target, thread, target->runtime.layout.tstate.frame);
		thread->tops_ahead[looks - 1] = top;
		thread->tops[moving ? 2 : 0] = thread->tops_ahead[0];
		return true;
	}
	if (!settle_top(thread, 0)) {
		memmove(thread->cframes + 1, thread->cframes, (THREAD_CFRAMES - 1) * sizeof *thread->cframes);
		thread->cframes[0] = thread->cframe_at[0];
		return false;
	}
	if (moving && thread->tops[0])
		check_first_top(target, thread);
	if (moving)
		settle_later_tops(thread);
	/* The likeliest is read first the next time: see reading_add_moving. */
	for (unsigned i = 1; i < THREAD_CFRAMES; i++)
		if (thread->cframes[i] == thread->cframe_at[0]) {
			thread->cframes[i] = thread->cframes[0];
			thread->cframes[0] = thread->cframe_at[0];
		}
	return true;
}
