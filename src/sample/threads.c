#include "sample/threads.h"

#include <unistd.h>

#include "os/task.h"

static void thread_destroy(struct thread *thread)
{
	regions_deinit(&thread->regions);
	vec_free(&thread->strays);
	vec_free(&thread->chunks);
	vec_free(&thread->seen.frames);
	vec_free(&thread->walked.frames);
	for (int i = 0; i < 2; i++)
		vec_free(&thread->chains[i].frames);
	if (thread->proc_fd >= 0)
		close(thread->proc_fd);
	free(thread);
}

void threads_destroy(struct target *target)
{
	for (size_t i = 0; i < target->threads.count; i++)
		thread_destroy(target->threads.data[i]);
	vec_free(&target->threads);
}

struct thread *threads_find(const struct target *target, uint64_t tstate)
{
	for (size_t i = 0; i < target->threads.count; i++)
		if (target->threads.data[i]->tstate == tstate)
			return target->threads.data[i];
	return NULL;
}

bool threads_has_begun(const struct target *target, size_t index)
{
	/* The newest is first: its creator is behind it. */
	for (size_t i = index + 1; i < target->threads.count; i++)
		if (target->threads.data[i]->ident == target->threads.data[index]->ident)
			return false;
	return true;
}

/* ---- the kernel's ids ---- */

/* Until 3.10 a thread state knows only its pthread_t, which is the address of glibc's descriptor of the thread; the
 * kernel's id is in there. Where, the main thread tells, whose id is the process's own. */
static void find_tid_offset(struct target *target, uint64_t main_ident)
{
	enum { DESCRIPTOR = 2048 };
	uint32_t words[DESCRIPTOR / 4];
	if (!memory_read(target->memory, main_ident, words, sizeof words))
		return;
	for (uint32_t i = 32; i < DESCRIPTOR / 4; i++)
		if (words[i] == (uint32_t)target->inner_pid) {
			target->tid_offset = i * 4;
			return;
		}
}

/* What number a thread of the target has for us; 0: none. It knows itself by that of its own PID namespace. */
static uint32_t tid_here(struct target *target, uint32_t inner)
{
	if (target->inner_pid == target->pid || !inner)
		return inner;
	if (!map_get(&target->inner_tids, inner)) {
		map_clear(&target->inner_tids);
		task_list_inner_tids(target->pid, &target->inner_tids);
	}
	const uint64_t *here = map_get(&target->inner_tids, inner);
	return here ? (uint32_t)*here : 0;
}

/* `main_thread`: the oldest one, whose id is the process's. */
static void read_ids(struct target *target, struct thread *thread, bool main_thread)
{
	const struct layout *l = &target->runtime.layout;
	uint32_t inner = 0;
	if (l->tstate.native_thread_id != LAYOUT_NONE)
		inner = (uint32_t)target_state_word(target, thread, l->tstate.native_thread_id);
	else if (target->tid_offset)
		memory_read_u32(target->memory, thread->ident + target->tid_offset, &inner);
	thread->tid = tid_here(target, inner);
	if (!thread->tid && main_thread)
		thread->tid = (uint32_t)target->pid;
}

/* A thread state that was freed may be another thread's by now. */
static void check_ident(struct target *target, struct thread *thread, bool main_thread)
{
	uint64_t ident = target_state_word(target, thread, target->runtime.layout.tstate.thread_id);
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

/* ---- the list ---- */

static struct thread *new_thread(const struct target *target, uint64_t tstate)
{
	struct thread *thread = calloc(1, sizeof *thread + target->state_size);
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
		struct thread *thread = new_thread(target, tstate);
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

struct error *threads_list(struct target *target)
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
			target_state_word(target, thread, l->tstate.interp) != target->interpreter)
			break; /* the list changed under us: the next sample sees that */
		met++;
		tstate = target_state_word(target, thread, l->tstate.next);
	}
	remove_old_threads(target, met);
	/* 2.7 makes the GIL when the first thread is started. */
	runtime_gil(target->memory, &target->runtime, target->interpreter, &target->gil);
	if (met && !target->tid_offset && l->tstate.native_thread_id == LAYOUT_NONE)
		find_tid_offset(target, target_state_word(target, target->threads.data[met - 1], l->tstate.thread_id));
	for (size_t i = 0; i < met; i++)
		check_ident(target, target->threads.data[i], i + 1 == met);
	return NULL;
}

bool threads_unchanged(const struct target *target)
{
	uint64_t expected = target->threads_head;
	for (size_t i = 0; i < target->threads.count; i++) {
		const struct thread *thread = target->threads.data[i];
		if (thread->tstate != expected || thread->state_failed ||
			target_state_word(target, thread, target->runtime.layout.tstate.thread_id) != thread->ident)
			return false;
		expected = target_state_word(target, thread, target->runtime.layout.tstate.next);
	}
	return expected == 0;
}
