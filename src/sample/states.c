#include "sample/states.h"

#include <sys/syscall.h>

#include "base/clock.h"
#include "os/task.h"

static bool waits_for_gil(const struct target *target, const struct task_state *state)
{
	return state->in_syscall && state->syscall == SYS_futex && state->argument >= target->gil.wait_start &&
	       state->argument < target->gil.wait_end;
}

/* Of the whole process, as old as the states of its threads may be. */
static bool goes_on(struct target *target, uint64_t now)
{
	if (!target->goes_on_at || now - target->goes_on_at >= STATES_AGE_MIN) {
		target->goes_on_at = now;
		target->goes_on = task_process_goes_on(target->pid);
	}
	return target->goes_on;
}

/* Most threads sleep in a call that tells by itself how: that spares the second file for each. */
static struct task_state read_task(struct target *target, const struct thread *thread, uint64_t now)
{
	struct task_state state = task_read_call(thread->proc_fd);
	bool other = thread->tid != (uint32_t)target->pid;
	if (!state.letter && other && task_awaits_event(&state) && goes_on(target, now))
		state.letter = 'S';
	if (!state.letter)
		state.letter = task_read_letter(target->pid, (pid_t)thread->tid);
	return state;
}

static void read_kernel_state(struct target *target, struct thread *thread, uint64_t now)
{
	thread->kernel_state = 0;
	if (!thread->tid)
		return;
	if (thread->proc_fd < 0)
		thread->proc_fd = task_open(target->pid, (pid_t)thread->tid);
	const struct task_state state = read_task(target, thread, now);
	if (state.letter == 'X')
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

/* A thread that was found the same, without having had the GIL, is asked about less and less; one that runs without it
 * is about to sleep, or to want it, and is asked again the next time. */
static void ask_kernel(struct target *target, struct thread *thread, uint64_t now)
{
	uint16_t state = thread->kernel_state, syscall = thread->syscall;
	read_kernel_state(target, thread, now);
	bool same = thread->settled && thread->kernel_state == state && thread->syscall == syscall;
	uint64_t pause = same && thread->kernel_state_pause ? 2 * thread->kernel_state_pause : STATES_AGE_MIN;
	if (thread->kernel_state & STATE_ON_CPU && !target_holds_gil(target, thread))
		pause = 0;
	thread->kernel_state_pause = pause < STATES_AGE_MAX ? pause : STATES_AGE_MAX;
	thread->kernel_state_at = now;
}

/* Whether the leaf stands at a call. */
static bool leaf_calls(struct target *target, const struct thread *thread)
{
	const struct seen_frame *leaf = frames_caller(thread, thread->seen.frames.count);
	return leaf && leaf->code &&
	       sites_look(&target->sites, &target->codes, leaf->code, leaf->code_id, leaf->offset).calls;
}

/* Two looks may well show the same instruction: those within a microsecond any, others one of a small loop. Amid Python
 * code a thread cannot block while it has the GIL; in C it can. */
static bool moves_still(struct thread *thread, uint64_t now)
{
	const uint64_t in_c = 20 * NS_PER_US, in_python = STATES_AGE_MIN;
	if (thread->changed)
		thread->changed_at = now;
	return thread->changed ||
	       (thread->held_gil && now - thread->changed_at < (thread->leaf_calls ? in_c : in_python));
}

uint16_t states_of_thread(struct target *target, struct thread *thread, uint64_t now, uint16_t *ret_syscall)
{
	if (thread->changed)
		thread->leaf_calls = leaf_calls(target, thread);
	bool holds = target_holds_gil(target, thread), moves = holds && moves_still(thread, now);
	uint16_t state = holds ? STATE_HOLDS_GIL : 0;
	if (thread->leaf_calls)
		state |= STATE_IN_C;
	if (moves)
		state |= STATE_ON_CPU;
	else if (thread->changed || holds != thread->held_gil ||
		 now - thread->kernel_state_at >= thread->kernel_state_pause)
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
