#include "sample/target.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* ---- opening ---- */

/* The smallest range that holds all those fields that the version has; no more than `most`. */
static void find_window(const uint32_t *fields, size_t count, uint32_t most, uint32_t *ret_start, uint32_t *ret_size)
{
	uint32_t start = UINT32_MAX, end = 0;
	for (size_t i = 0; i < count; i++) {
		if (fields[i] == LAYOUT_NONE)
			continue;
		start = fields[i] < start ? fields[i] : start;
		end = fields[i] + 8 > end ? fields[i] + 8 : end;
	}
	*ret_start = start;
	*ret_size = end - start <= most ? end - start : most;
}

static void set_windows(struct target *target)
{
	const struct layout *l = &target->runtime.layout;
	const uint32_t of_thread[] = { l->tstate.next, l->tstate.interp, l->tstate.frame, l->tstate.thread_id,
		l->tstate.native_thread_id, l->tstate.datastack_chunk, l->tstate.datastack_top };
	const uint32_t of_interpreter[] = { l->interp.threads_head, l->interp.gc_collecting,
		l->interp.code_object_generation };
	find_window(of_thread, sizeof of_thread / sizeof *of_thread, THREAD_STATE_MAX, &target->state_start,
		&target->state_size);
	find_window(of_interpreter, sizeof of_interpreter / sizeof *of_interpreter, INTERPRETER_BYTES_MAX,
		&target->interpreter_start, &target->interpreter_size);
}

/* Until 3.10 a thread state knows only its pthread_t, which is the address of glibc's descriptor of the thread; the
 * kernel's id is in there. Where, the main thread tells, whose id is the process's. */
static void find_tid_offset(struct target *target, uint64_t main_ident)
{
	enum { DESCRIPTOR = 2048 };
	uint32_t words[DESCRIPTOR / 4];
	if (!memory_read(target->memory, main_ident, words, sizeof words))
		return;
	for (uint32_t i = 32; i < DESCRIPTOR / 4; i++)
		if (words[i] == (uint32_t)target->pid) {
			target->tid_offset = i * 4;
			return;
		}
}

struct error *target_open_memory(struct memory *memory, const struct maps *maps, pid_t pid, struct target **ret_target)
{
	char prefix[64];
	snprintf(prefix, sizeof prefix, "/proc/%d/root", pid);
	struct target *target = calloc(1, sizeof *target);
	if (!target) {
		memory_destroy(memory);
		return &error_no_memory;
	}
	target->pid = pid;
	target->memory = memory;
	struct error *error = runtime_find(memory, maps, pid ? prefix : NULL, &target->runtime);
	if (!error)
		error = runtime_main_interpreter(memory, &target->runtime, &target->interpreter);
	if (error) {
		target_destroy(target);
		return error;
	}
	runtime_gil(memory, &target->runtime, target->interpreter, &target->gil);
	set_windows(target);
	*ret_target = target;
	return NULL;
}

struct error *target_open(pid_t pid, struct target **ret_target)
{
	struct memory *memory;
	_cleanup_maps_ struct maps maps = { 0 };
	TRY(maps_read(pid, &maps));
	TRY(memory_open_process(pid, &memory));
	return target_open_memory(memory, &maps, pid, ret_target);
}

void target_attach_registry(struct target *target, struct registry *registry)
{
	target->registry = registry;
	codes_init(&target->codes, target->memory, &target->runtime, registry);
}

static void thread_destroy(struct thread *thread)
{
	regions_deinit(&thread->regions);
	vec_free(&thread->chunks);
	vec_free(&thread->seen.frames);
	vec_free(&thread->walked.frames);
	for (int i = 0; i < 2; i++)
		vec_free(&thread->chains[i].frames);
	if (thread->proc_fd >= 0)
		close(thread->proc_fd);
	free(thread);
}

void target_destroy(struct target *target)
{
	if (!target)
		return;
	for (size_t i = 0; i < target->threads.count; i++)
		thread_destroy(target->threads.data[i]);
	vec_free(&target->threads);
	codes_deinit(&target->codes);
	evidence_deinit(&target->evidence);
	map_deinit(&target->links);
	map_deinit(&target->leaf_calls);
	map_deinit(&target->thread_objects);
	batch_deinit(&target->batch);
	memory_destroy(target->memory);
	free(target);
}

/* ---- the thread list ---- */

static uint64_t state_word(const struct target *target, const struct thread *thread, uint32_t field)
{
	uint64_t value;
	memcpy(&value, thread->state + field - target->state_start, sizeof value);
	return value;
}

/* `main_thread`: the oldest one, whose id is the process's. */
static void read_ids(struct target *target, struct thread *thread, bool main_thread)
{
	const struct layout *l = &target->runtime.layout;
	if (l->tstate.native_thread_id != LAYOUT_NONE) {
		thread->tid = (uint32_t)state_word(target, thread, l->tstate.native_thread_id);
		return;
	}
	if (!target->tid_offset || !memory_read_u32(target->memory, thread->ident + target->tid_offset, &thread->tid))
		thread->tid = main_thread ? (uint32_t)target->pid : 0;
}

/* A thread state that was freed may be another thread's by now. */
static void check_ident(struct target *target, struct thread *thread, bool main_thread)
{
	uint64_t ident = state_word(target, thread, target->runtime.layout.tstate.thread_id);
	if (ident == thread->ident && thread->tid)
		return;
	if (ident != thread->ident) {
		thread->id = 0;
		thread->name_reads = 0;
		thread->counted = false;
		if (thread->proc_fd >= 0)
			close(thread->proc_fd);
		thread->proc_fd = -1;
	}
	thread->ident = ident;
	read_ids(target, thread, main_thread);
}

static struct thread *find_thread(const struct target *target, uint64_t tstate)
{
	for (size_t i = 0; i < target->threads.count; i++)
		if (target->threads.data[i]->tstate == tstate)
			return target->threads.data[i];
	return NULL;
}

static struct thread *new_thread(uint64_t tstate)
{
	struct thread *thread = calloc(1, sizeof *thread);
	if (thread) {
		thread->tstate = tstate;
		thread->proc_fd = -1;
	}
	return thread;
}

/* Puts the threads that the walk of the list has met, which are now the first `met`, in the target's vector, in the
 * list's order, and ends those that it has not. */
static void remove_old_threads(struct target *target, size_t met)
{
	for (size_t i = met; i < target->threads.count; i++)
		thread_destroy(target->threads.data[i]);
	target->threads.count = met;
}

/* The thread of this state comes to place `at`: the vector has the order of the list. */
static struct error *place_thread(struct target *target, uint64_t tstate, size_t at, struct thread **ret_thread)
{
	size_t i = at;
	while (i < target->threads.count && target->threads.data[i]->tstate != tstate)
		i++;
	if (i == target->threads.count) {
		struct thread *thread = new_thread(tstate);
		if (!thread || !vec_push(&target->threads, thread)) {
			free(thread);
			return &error_no_memory;
		}
	}
	struct thread *thread = target->threads.data[i];
	memmove(&target->threads.data[at + 1], &target->threads.data[at], (i - at) * sizeof *target->threads.data);
	target->threads.data[at] = thread;
	*ret_thread = thread;
	return NULL;
}

static bool is_listed(const struct target *target, uint64_t tstate, size_t met)
{
	for (size_t i = 0; i < met; i++)
		if (target->threads.data[i]->tstate == tstate)
			return true;
	return false;
}

/* Follows the list of thread states. The newest is first, the main thread last. */
static struct error *list_threads(struct target *target)
{
	enum { THREADS_MAX = 1 << 16 };
	const struct layout *l = &target->runtime.layout;
	uint64_t tstate;
	if (!memory_read_u64(target->memory, target->interpreter + l->interp.threads_head, &tstate))
		return error_new(ERROR_GONE, "the interpreter of process %d is gone", target->pid);
	target->threads_head = tstate;
	size_t met = 0;
	while (tstate && met < THREADS_MAX && !is_listed(target, tstate, met)) {
		struct thread *thread;
		TRY(place_thread(target, tstate, met, &thread));
		if (!memory_read(target->memory, tstate + target->state_start, thread->state, target->state_size) ||
			state_word(target, thread, l->tstate.interp) != target->interpreter)
			break; /* the list changed under us: the next sample sees that */
		met++;
		tstate = state_word(target, thread, l->tstate.next);
	}
	remove_old_threads(target, met);
	/* 2.7 makes the GIL when the first thread is started. */
	runtime_gil(target->memory, &target->runtime, target->interpreter, &target->gil);
	if (met && !target->tid_offset && l->tstate.native_thread_id == LAYOUT_NONE)
		find_tid_offset(target, state_word(target, target->threads.data[met - 1], l->tstate.thread_id));
	for (size_t i = 0; i < met; i++)
		check_ident(target, target->threads.data[i], i + 1 == met);
	return NULL;
}

/* The list is what it was if the head is and each state points to the next one that we have. */
static bool list_unchanged(const struct target *target)
{
	uint64_t expected = target->threads_head;
	for (size_t i = 0; i < target->threads.count; i++) {
		const struct thread *thread = target->threads.data[i];
		if (thread->tstate != expected || thread->state_failed ||
			state_word(target, thread, target->runtime.layout.tstate.thread_id) != thread->ident)
			return false;
		expected = state_word(target, thread, target->runtime.layout.tstate.next);
	}
	return expected == 0;
}

/* ---- predicting where a thread's frames lie ---- */

enum {
	CHUNK_SLACK = 512,
	CHUNK_BYTES_MAX = 4 << 20,
	LINKS_MAX = 1 << 16,
	CHAIN_AHEAD = 512,
	REGIONS_SPARE = 48,
	FRAME_BYTES_MAX = 256,
	MERGE_GAP = 2048,
	MERGE_MOST = 16384
};

static bool in_regions(struct thread *thread, const struct layout *l, uint64_t address)
{
	uint64_t start = address + frame_bytes_start(l);
	for (size_t i = 0; i < thread->regions.list.count; i++) {
		const struct region *region = &thread->regions.list.data[i];
		if (start - region->start < region->size &&
			region->size - (start - region->start) >= frame_bytes_size(l))
			return true;
	}
	return false;
}

static bool add_frame_region(struct thread *thread, const struct layout *l, uint64_t address)
{
	return regions_add(&thread->regions, address + frame_bytes_start(l), frame_bytes_size(l));
}

/* Until 3.10: the caller that this frame was seen with before; of a new frame, the one that it has now. */
static uint64_t predict_caller(struct target *target, uint64_t address)
{
	const uint64_t *known = map_get(&target->links, address);
	uint64_t caller;
	if (known)
		return *known;
	return memory_read_u64(target->memory, address + target->runtime.layout.pyframe.back, &caller) ? caller : 0;
}

static void predict_chain(struct target *target, struct thread *thread, uint64_t address)
{
	const struct layout *l = &target->runtime.layout;
	for (unsigned i = 0; address && i < CHAIN_AHEAD && !in_regions(thread, l, address); i++) {
		add_frame_region(thread, l, address);
		address = predict_caller(target, address);
	}
}

/* The frames of lately seen chains stay in the plan beside those of this one: a program that calls two functions in
 * turn is then read without a miss, and a repair finds the callee that came meanwhile. */
static void plan_heap_frames(struct target *target, struct thread *thread, uint64_t missing)
{
	const struct layout *l = &target->runtime.layout;
	const struct frame_list *walked = &thread->walked;
	if (thread->regions.list.count > 2 * walked->frames.count + REGIONS_SPARE) {
		regions_clear(&thread->regions);
		for (size_t i = 0; i < walked->frames.count; i++)
			add_frame_region(thread, l, walked->frames.data[i].address);
	}
	predict_chain(target, thread, missing);
	/* Frames that lie near each other are copied in one piece, unless that failed: a hole may be between them. */
	if (!thread->holes)
		regions_merge(&thread->regions, MERGE_GAP, MERGE_MOST);
}

static bool in_newest_chunk(const struct thread *thread, uint64_t address)
{
	return address - thread->chunk < thread->chunk_size;
}

/* Until 3.10 of all frames; later of those that lie in no chunk: generators'. */
static void remember_links(struct target *target, const struct thread *thread, const struct frame_list *list)
{
	bool all = target->runtime.layout.pyframe.back != LAYOUT_NONE;
	if (target->links.count > LINKS_MAX)
		map_clear(&target->links);
	for (size_t i = 0; i + 1 < list->frames.count; i++) {
		const struct frame *frame = &list->frames.data[i];
		if (!all && in_newest_chunk(thread, frame->address))
			continue;
		/* Entries from C lie on the C stack and are soon overwritten: the link is to who called C. */
		size_t k = i + 1;
		while (k + 1 < list->frames.count && list->frames.data[k].kind == FRAME_SHIM)
			k++;
		uint64_t *known = map_get(&target->links, frame->address), caller = list->frames.data[k].address;
		if (!known || *known != caller)
			map_put(&target->links, frame->address, caller);
	}
}

/* From 3.11: the older chunks of the data stack. */
static void list_chunks(struct target *target, struct thread *thread)
{
	thread->chunks.count = 0;
	uint64_t chunk = thread->chunk;
	while (chunk && thread->chunks.count < THREAD_CHUNKS_MAX &&
		memory_read_u64(target->memory, chunk + target->runtime.layout.stack_chunk.previous, &chunk) && chunk)
		if (!vec_push(&thread->chunks, chunk))
			return;
}

/* The used part of an older chunk: its header says how much it is. */
static void add_older_chunk(struct target *target, struct thread *thread, uint64_t chunk)
{
	const struct layout *l = &target->runtime.layout;
	uint64_t words; /* chunk.top: how many words of data are used */
	if (memory_read_u64(target->memory, chunk + l->stack_chunk.top, &words) && words && words < CHUNK_BYTES_MAX / 8)
		regions_add(&thread->regions, chunk + l->stack_chunk.data, (uint32_t)(words * 8));
}

static void add_stray(struct thread *thread, const struct layout *l, uint64_t address)
{
	if (!in_regions(thread, l, address))
		add_frame_region(thread, l, address);
}

/* Frames that lie in no chunk get regions of their own: those that the last walk met, and all that the chain from the
 * missing one leads to, which is followed through the target now, so that a deep stack with many entries from C is
 * known after one look. */
static void plan_strays(struct target *target, struct thread *thread, uint64_t missing)
{
	const struct layout *l = &target->runtime.layout;
	unsigned char bytes[FRAME_BYTES_MAX];
	const struct frame_list *walked = &thread->walked;
	for (size_t i = 0; i < walked->frames.count; i++)
		add_stray(thread, l, walked->frames.data[i].address);
	for (unsigned i = 0; missing && missing % 8 == 0 && i < CHAIN_AHEAD; i++) {
		if (!memory_read(target->memory, missing + frame_bytes_start(l), bytes, frame_bytes_size(l)))
			return;
		add_stray(thread, l, missing);
		missing = frame_parse(l, missing, bytes).previous;
	}
}

static void plan_data_stack(struct target *target, struct thread *thread, uint64_t missing)
{
	const struct layout *l = &target->runtime.layout;
	uint64_t chunk = state_word(target, thread, l->tstate.datastack_chunk),
		 top = state_word(target, thread, l->tstate.datastack_top);
	if (chunk != thread->chunk) {
		thread->chunk = chunk;
		if (!memory_read_u64(target->memory, chunk + l->stack_chunk.size, &thread->chunk_size) ||
			thread->chunk_size > CHUNK_BYTES_MAX)
			thread->chunk_size = 0;
		list_chunks(target, thread);
	}
	regions_clear(&thread->regions);
	if (in_newest_chunk(thread, top - 1)) {
		uint64_t end = missing > top && in_newest_chunk(thread, missing) ? missing : top;
		uint64_t size = (end - chunk + CHUNK_SLACK) & ~(uint64_t)(CHUNK_SLACK / 2 - 1),
			 most = thread->chunk_size - l->stack_chunk.data;
		regions_add(&thread->regions, chunk + l->stack_chunk.data, (uint32_t)(size < most ? size : most));
	}
	for (size_t i = 0; i < thread->chunks.count; i++)
		add_older_chunk(target, thread, thread->chunks.data[i]);
	plan_strays(target, thread, missing);
}

static void plan(struct target *target, struct thread *thread, uint64_t missing)
{
	if (target->runtime.layout.pyframe.back != LAYOUT_NONE)
		plan_heap_frames(target, thread, missing);
	else
		plan_data_stack(target, thread, missing);
}

/* ---- reading ---- */

static uint32_t gil_bytes(const struct target *target)
{
	const struct layout *l = &target->runtime.layout;
	return target->gil.start ? l->gil.switch_number + 8 - l->gil.last_holder : 0;
}

static void add_gil(struct target *target, struct gil_seen *seen)
{
	uint32_t size = gil_bytes(target);
	if (target->runtime.holder)
		batch_add(&target->batch, target->runtime.holder, &seen->holder, sizeof seen->holder, NULL);
	if (size && size <= GIL_BYTES_MAX)
		batch_add(&target->batch, target->gil.start + target->runtime.layout.gil.last_holder, seen->bytes, size,
			NULL);
}

static void take_gil(const struct target *target, struct gil_seen *seen)
{
	const struct layout *l = &target->runtime.layout;
	uint32_t size = gil_bytes(target);
	if (!size || size > GIL_BYTES_MAX)
		return;
	memcpy(&seen->locked, seen->bytes + l->gil.locked - l->gil.last_holder, sizeof seen->locked);
	memcpy(&seen->switches, seen->bytes + l->gil.switch_number - l->gil.last_holder, sizeof seen->switches);
	if (!target->runtime.holder) /* from 3.12 on; `locked` says whether the last holder still is one */
		seen->holder = seen->locked == 1 ? frame_word_(seen->bytes, 0) : 0;
}

static void add_interpreter(struct target *target)
{
	batch_add(&target->batch, target->interpreter + target->interpreter_start, target->interpreter_bytes,
		target->interpreter_size, NULL);
	if (target->runtime.gc_collecting)
		batch_add(&target->batch, target->runtime.gc_collecting, &target->collecting, sizeof target->collecting,
			NULL);
}

static void take_interpreter(struct target *target)
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

/* The frame pointer. In 3.11 and 3.12 it is behind a pointer that changes whenever C calls Python and back, so all
 * places where it lately was are read with it. */
static void add_top(struct target *target, struct thread *thread, unsigned which)
{
	const struct layout *l = &target->runtime.layout;
	if (l->cframe.current_frame == LAYOUT_NONE) {
		batch_add(&target->batch, thread->tstate + l->tstate.frame, &thread->tops[which], 8, NULL);
		return;
	}
	for (unsigned i = 0; i < THREAD_CFRAMES && thread->cframes[i]; i++)
		batch_add(&target->batch, thread->cframes[i] + l->cframe.current_frame, &thread->cframe_tops[which][i],
			8, NULL);
	batch_add(&target->batch, thread->tstate + l->tstate.frame, &thread->cframe_at[which], 8, NULL);
}

static void add_regions(struct target *target, struct thread *thread, enum region_copy copy)
{
	for (size_t i = 0; i < thread->regions.list.count; i++) {
		struct region *region = &thread->regions.list.data[i];
		batch_add(&target->batch, region->start, region_bytes(&thread->regions, region, copy), region->size,
			&region->failed);
	}
}

static void add_state(struct target *target, struct thread *thread)
{
	batch_add(&target->batch, thread->tstate + target->state_start, thread->state, target->state_size,
		&thread->state_failed);
}

/* A thread that may run while it is read: pointer, frames, pointer, frames, pointer.
 *
 * The first pointer is the one that counts. Once we have read a cache line that the target writes, its next write has
 * to get the line back, some 100 ns on which all its later writes wait too: what we see after the first look lags, and
 * most where frames come and go quickly. So nothing that the thread writes is touched before the pointer, and the
 * frames are right after it. */
static void add_moving(struct target *target, struct thread *thread)
{
	add_top(target, thread, 0);
	add_regions(target, thread, COPY_FIRST);
	add_top(target, thread, 1);
	add_regions(target, thread, COPY_SECOND);
	add_top(target, thread, 2);
	add_state(target, thread);
}

static void add_standing(struct target *target, struct thread *thread)
{
	add_top(target, thread, 0);
	add_regions(target, thread, COPY_FIRST);
	add_state(target, thread);
}

static struct error *read_batch(struct target *target)
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

/* ---- one sample ---- */

static bool settle_top(struct thread *thread, unsigned which)
{
	for (unsigned i = 0; i < THREAD_CFRAMES && thread->cframes[i]; i++)
		if (thread->cframes[i] == thread->cframe_at[which]) {
			thread->tops[which] = thread->cframe_tops[which][i];
			return true;
		}
	return false;
}

/* 3.11 and 3.12: whether the frame pointer was read where it is; else that place is read, too, the next time. */
static bool settle_tops(const struct target *target, struct thread *thread, bool moving)
{
	const uint64_t no_frame = 1; /* equal to no pointer */
	if (target->runtime.layout.cframe.current_frame == LAYOUT_NONE)
		return true;
	if (!settle_top(thread, 0)) {
		memmove(thread->cframes + 1, thread->cframes, (THREAD_CFRAMES - 1) * sizeof *thread->cframes);
		thread->cframes[0] = thread->cframe_at[0];
		return false;
	}
	for (unsigned which = 1; moving && which < 3; which++)
		if (!settle_top(thread, which))
			thread->tops[which] = no_frame;
	/* The likeliest is read first the next time: see add_moving. */
	for (unsigned i = 1; i < THREAD_CFRAMES; i++)
		if (thread->cframes[i] == thread->cframe_at[0]) {
			thread->cframes[i] = thread->cframes[0];
			thread->cframes[0] = thread->cframe_at[0];
		}
	return true;
}

static bool covers_data_stack(const struct target *target, const struct thread *thread)
{
	const struct layout *l = &target->runtime.layout;
	if (l->tstate.datastack_chunk == LAYOUT_NONE || !thread->tops[0])
		return true;
	return state_word(target, thread, l->tstate.datastack_chunk) == thread->chunk;
}

static bool any_failed(const struct regions *regions)
{
	for (size_t i = 0; i < regions->list.count; i++)
		if (regions->list.data[i].failed)
			return true;
	return false;
}

/* Walks what was copied; where the prediction was wrong, predicts anew from what was found and reads that thread again,
 * by itself. That moves the time of its sample by some microseconds whatever it does, so it prefers no state. */
static struct error *take_thread(struct target *target, struct thread *thread, bool moving)
{
	enum { TRIES = 12 };
	const struct layout *l = &target->runtime.layout;
	struct stack_context context = { l, &target->codes, target->registry, &target->evidence, &target->links,
		.instruction_unit = l->version == 0x030a ? 2 : 1 };
	enum walk_end end = WALK_BROKEN;
	for (unsigned i = 0; i < TRIES; i++) {
		uint64_t missing = 0;
		bool predicted = settle_tops(target, thread, moving);
		if (predicted && covers_data_stack(target, thread)) {
			thread->unchanged_until = thread->regions.last_valid
							  ? regions_same_until(&thread->regions, COPY_FIRST, COPY_LAST)
							  : 0;
			end = frames_walk(thread, l, COPY_FIRST, thread->tops[0], &thread->walked, &missing);
			if (end != WALK_MISSING)
				break;
		}
		thread->holes |= any_failed(&thread->regions);
		plan(target, thread, missing);
		batch_clear(&target->batch);
		if (moving)
			add_moving(target, thread);
		else
			add_standing(target, thread);
		TRY(read_batch(target));
		end = WALK_BROKEN;
	}
	TRY(stack_take(&context, thread, end, moving));
	if (thread->changed && thread->quality == QUALITY_EXACT)
		remember_links(target, thread, &thread->walked);
	return NULL;
}

static struct error *read_all(struct target *target, struct thread *mover)
{
	batch_clear(&target->batch);
	add_gil(target, &target->gil_first);
	if (mover)
		add_moving(target, mover);
	add_interpreter(target);
	for (size_t i = 0; i < target->threads.count; i++)
		if (target->threads.data[i] != mover)
			add_standing(target, target->threads.data[i]);
	add_gil(target, &target->gil_last);
	TRY(read_batch(target));
	take_gil(target, &target->gil_first);
	take_gil(target, &target->gil_last);
	take_interpreter(target);
	target->held_by = target->gil_last.holder;
	return NULL;
}

/* Who may have run while it was read: the holders, or anybody when the GIL went through several hands. */
static bool could_move(const struct target *target, const struct thread *thread)
{
	const struct gil_seen *first = &target->gil_first, *last = &target->gil_last;
	return target->runtime.free_threaded || thread->tstate == first->holder || thread->tstate == last->holder ||
	       last->switches - first->switches > 1;
}

/* Threads that were read as standing still but may have moved are read again, together. */
static struct error *read_movers(struct target *target, const struct thread *mover)
{
	batch_clear(&target->batch);
	for (size_t i = 0; i < target->threads.count; i++)
		if (target->threads.data[i] != mover && could_move(target, target->threads.data[i]))
			add_moving(target, target->threads.data[i]);
	return target->batch.failures.count ? read_batch(target) : NULL;
}

struct error *target_sample(struct target *target, uint64_t now)
{
	if (!target->threads.count)
		TRY(list_threads(target));
	target->codes.now = now;
	struct thread *mover = find_thread(target, target->held_by);
	if (!mover && target->threads.count == 1)
		mover = target->threads.data[0];
	TRY(read_all(target, mover));
	if (!list_unchanged(target)) {
		TRY(list_threads(target));
		mover = find_thread(target, target->held_by);
		TRY(read_all(target, mover));
	}
	TRY(read_movers(target, mover));
	for (size_t i = 0; i < target->threads.count; i++)
		TRY(take_thread(target, target->threads.data[i],
			target->threads.data[i] == mover || could_move(target, target->threads.data[i])));
	return NULL;
}
