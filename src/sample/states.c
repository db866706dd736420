#include "sample/states.h"

#include <sys/syscall.h>

#include "cpython/call_site.h"
#include "os/task.h"

static bool waits_for_gil(const struct target *target, const struct task_state *state)
{
	return state->in_syscall && state->syscall == SYS_futex && state->argument >= target->gil.wait_start &&
	       state->argument < target->gil.wait_end;
}

static void ask_kernel(struct target *target, struct thread *thread, uint64_t now)
{
	struct task_state state;
	thread->kernel_state_at = now;
	thread->kernel_state = 0;
	if (!thread->tid)
		return;
	if (thread->proc_fd < 0)
		thread->proc_fd = task_open(target->pid, (pid_t)thread->tid);
	if (!task_read_state(thread->proc_fd, target->pid, (pid_t)thread->tid, &state))
		return;
	switch (state.letter) {
	case 'R':
		thread->kernel_state = STATE_ON_CPU;
		break;
	case 'D':
		thread->kernel_state = STATE_UNINTERRUPTIBLE;
		break;
	case 'T':
	case 't':
		thread->kernel_state = STATE_STOPPED;
		break;
	}
	if (state.in_syscall && state.letter != 'R') {
		thread->kernel_state |= STATE_IN_SYSCALL;
		thread->syscall = state.syscall;
		if (waits_for_gil(target, &state))
			thread->kernel_state |= STATE_WAITS_GIL;
	}
}

/* Whether the leaf stands at a call; looked up once for each place in the code. */
static bool leaf_calls(struct target *target, const struct thread *thread)
{
	const struct seen_frame *leaf = frames_caller(thread, thread->seen.frames.count);
	if (!leaf || !leaf->code)
		return false;
	uint64_t key = (uint64_t)leaf->code_id << 32 | (uint32_t)(leaf->offset + 2);
	const uint64_t *known = map_get(&target->leaf_calls, key);
	if (known)
		return *known;
	bool calls = call_site_look(target->memory, &target->runtime, leaf->code, leaf->offset).calls;
	map_put(&target->leaf_calls, key, calls);
	return calls;
}

uint16_t states_of_thread(struct target *target, struct thread *thread, uint64_t now, uint16_t *ret_syscall)
{
	bool holds = target_holds_gil(target, thread), moves = holds && thread->changed;
	uint16_t state = holds ? STATE_HOLDS_GIL : 0;
	if (thread->changed)
		thread->leaf_calls = leaf_calls(target, thread);
	if (thread->leaf_calls)
		state |= STATE_IN_C;
	if (moves)
		state |= STATE_ON_CPU;
	else if (thread->changed || holds != thread->held_gil || now - thread->kernel_state_at >= STATES_AGE_MAX)
		ask_kernel(target, thread, now);
	if (!moves)
		state |= thread->kernel_state;
	else
		thread->kernel_state_at = 0; /* out of date as soon as it stops moving */
	thread->held_gil = holds;
	/* Python code runs only with the GIL: who is runnable amid it without the GIL wants it. */
	if (!holds && target->held_by && !target->runtime.free_threaded && !thread->leaf_calls &&
		state & STATE_ON_CPU && thread->stack)
		state = (state & ~STATE_ON_CPU) | STATE_RUNNABLE | STATE_WAITS_GIL;
	if (holds && target->collecting)
		state |= STATE_GC;
	if (thread->tid == (uint32_t)target->pid)
		state |= STATE_MAIN_THREAD;
	*ret_syscall = state & STATE_IN_SYSCALL ? thread->syscall : 0;
	return state;
}
