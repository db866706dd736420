/* remote_call.c: see os/remote_call.h. */
#include "os/remote_call.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/vec.h"
#include "os/linux/remote_frame.h"
#include "os/linux/waiting.h"
#include "os/maps.h"
#include "os/task.h"

enum { LOOKS_AT_LOOP = 300 }; /* before any place in the interpreter's code will do */

/* One thread that we hold. */
struct held {
	pid_t pid, tid;
	const struct remote_places *places;
	const struct remote_call *call;
	struct waiting_call waiting; /* what it was stopped in; number -1: in no call */
	uint64_t idle_since;	     /* waiting_since() before the stop, of those in a call with a timeout */
	uint64_t switches;	     /* waiting_switches() before that */
	struct remote_state state;
};

static bool is_over(const struct remote_call *call)
{
	return clock_now() >= call->deadline;
}

/* ---- stops ---- */

enum stop { STOP_NONE = 0, STOP_OURS, STOP_SYSTEM_CALL, STOP_GONE };

static bool is_group_stop(int status)
{
	return status >> 16 == PTRACE_EVENT_STOP && WSTOPSIG(status) != SIGTRAP;
}

/* What is nothing to us goes its way: signals to the thread, a stop of the whole process. */
static enum stop judge(pid_t tid, int status, enum __ptrace_request go_on)
{
	if (!WIFSTOPPED(status))
		return STOP_GONE;
	if (WSTOPSIG(status) == (SIGTRAP | 0x80))
		return STOP_SYSTEM_CALL;
	if (is_group_stop(status))
		ptrace(PTRACE_LISTEN, tid, 0, 0);
	else if (status >> 16 == PTRACE_EVENT_STOP)
		return STOP_OURS;
	else
		ptrace(go_on, tid, 0, status >> 16 ? 0 : WSTOPSIG(status));
	return STOP_NONE;
}

/* The next stop that is ours or at a system call. STOP_NONE: the time is over. */
static enum stop await_stop(const struct held *held, enum __ptrace_request go_on)
{
	for (;;) {
		int status;
		pid_t got = waitpid(held->tid, &status, __WALL | WNOHANG);
		enum stop stop = got == held->tid ? judge(held->tid, status, go_on) : STOP_NONE;
		if (stop || (got < 0 && errno != EINTR))
			return stop ? stop : STOP_GONE;
		if (is_over(held->call))
			return STOP_NONE;
		if (!got)
			clock_sleep_until(clock_now() + 20 * NS_PER_US);
	}
}

/* Lets go of a thread that runs, in whatever state: it goes on from there. */
static void leave_running(const struct held *held)
{
	int status;
	if (ptrace(PTRACE_INTERRUPT, held->tid, 0, 0))
		return;
	while (waitpid(held->tid, &status, __WALL) < 0 && errno == EINTR)
		;
	if (WIFSTOPPED(status))
		ptrace(PTRACE_DETACH, held->tid, 0,
			status >> 16 || WSTOPSIG(status) == (SIGTRAP | 0x80) ? 0 : WSTOPSIG(status));
}

/* ---- where it stands ---- */

#ifdef __x86_64__
static struct waiting_call call_of(const struct user_regs_struct *r)
{
	return (struct waiting_call){ (long)r->orig_rax, { r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9 } };
}

/* An EINTR that only our stop is the cause of becomes one that the kernel makes of a call that a handler interrupts. */
static void take_back_interruption(struct user_regs_struct *r)
{
	if ((long)r->orig_rax >= 0 && (long)r->rax == -EINTR)
		r->rax = (unsigned long long)-WAITING_RESTART_UNLESS;
}

static bool has_shadow_stack(pid_t pid, pid_t tid)
{
	char path[64], line[128];
	snprintf(path, sizeof path, "/proc/%d/task/%d/status", pid, tid);
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof line, file))
		if (strncmp(line, "x86_Thread_features:", 20) == 0)
			return strstr(line, "shstk") != NULL;
	return false;
}

/* Room below the stack pointer: for what we write it must be there, the rest may still have to grow. */
static bool has_stack(pid_t pid, uint64_t pointer)
{
	_cleanup_maps_ struct maps maps = { 0 };
	struct error *error = maps_read(pid, &maps);
	bool has = false;
	for (size_t i = 0; !error && i < maps.areas.count; i++) {
		const struct map_area *area = &maps.areas.data[i];
		if (pointer < area->start || pointer >= area->end)
			continue;
		uint64_t room = pointer - area->start;
		bool grows = strcmp(area->path, "[stack]") == 0;
		has = room > REMOTE_FRAME_MAX && (grows ? area->end - pointer < 7u << 20 : room > REMOTE_STACK);
	}
	error_free(error);
	return has;
}

static bool is_in_loop(const struct remote_places *places, uint64_t at, unsigned looks)
{
	return (at >= places->loop && at < places->loop_end) ||
	       (looks > LOOKS_AT_LOOP && at >= places->python && at < places->python_end);
}

static bool is_good_place(struct held *held, unsigned looks)
{
	const struct user_regs_struct *r = &held->state.registers;
	held->waiting = call_of(r);
	bool good = held->waiting.number < 0 ? is_in_loop(held->places, r->rip, looks)
					     : waiting_was_interrupted(&held->waiting, (long)r->rax);
	return good && has_stack(held->pid, r->rsp);
}

/* With what is left of a timeout in ms, as far as the scheduler tells since when it waits. */
static void shorten_timeout(const struct held *held, struct user_regs_struct *r)
{
	int which = waiting_timeout_argument(&held->waiting);
	uint64_t now = clock_now(), before = held->idle_since;
	bool same_call = waiting_switches(held->pid, held->tid) == held->switches + 1;
	if (which < 0 || !before || now <= before || !same_call)
		return;
	unsigned long long *argument = which == 3 ? &r->r10 : &r->rdx;
	uint64_t waited = (now - before) / NS_PER_MS;
	*argument = *argument > waited ? *argument - waited : 0;
}

/* The same state for a thread that comes from elsewhere: before its call once more. */
static struct user_regs_struct before_call(const struct held *held)
{
	enum { INSTRUCTION = 2 };
	struct user_regs_struct r = held->state.registers;
	if (held->waiting.number < 0)
		return r;
	bool rest = (long)r.rax == -WAITING_RESTART_THE_REST && held->waiting.number != SYS_futex;
	shorten_timeout(held, &r);
	r.rax = rest && held->waiting.number != SYS_poll ? SYS_restart_syscall : r.orig_rax;
	r.orig_rax = (unsigned long long)-1;
	r.rip -= INSTRUCTION;
	return r;
}

static bool is_at_way_back(pid_t tid, uint64_t frame)
{
	struct user_regs_struct r;
	return ptrace(PTRACE_GETREGS, tid, 0, &r) == 0 && r.orig_rax == SYS_rt_sigreturn && r.rsp == frame;
}

/* ---- the call ---- */

/* At the door of rt_sigreturn, which does the same, but ends a call that the kernel would go on with: so it is skipped.
 * Each step leaves a thread that finds its way without us. */
static void put_back(const struct held *held, struct user_regs_struct *back)
{
	struct iovec all = { (void *)held->state.extended, held->state.extended_size };
	ptrace(PTRACE_SETREGSET, held->tid, NT_X86_XSTATE, &all);
	ptrace(PTRACE_SETSIGMASK, held->tid, sizeof held->state.signals, &held->state.signals);
	ptrace(PTRACE_SETREGS, held->tid, 0, back);
	ptrace(PTRACE_INTERRUPT, held->tid, 0, 0);
	ptrace(PTRACE_CONT, held->tid, 0, 0);
	if (await_stop(held, PTRACE_CONT) != STOP_OURS) {
		leave_running(held);
		return;
	}
	/* Amid its call again, as it was: the kernel decides what becomes of it. */
	struct user_regs_struct first = held->state.registers, now;
	int which = waiting_timeout_argument(&held->waiting);
	if (held->waiting.number >= 0 && ptrace(PTRACE_GETREGS, held->tid, 0, &now) == 0 && now.rip == back->rip) {
		if ((long)first.rax == -EINTR && which == 3)
			first.r10 = back->r10;
		take_back_interruption(&first);
		ptrace(PTRACE_SETREGS, held->tid, 0, &first);
	}
	ptrace(PTRACE_DETACH, held->tid, 0, 0);
}

static struct error *run(struct held *held)
{
	struct user_regs_struct back = before_call(held), there;
	uint64_t frame, all_signals = ~0ull;
	TRY(remote_frame_write(held->pid, &held->state, &back, held->places, held->call, &there, &frame));
	if (ptrace(PTRACE_SETREGS, held->tid, 0, &there))
		return error_os(errno, "cannot set the registers of thread %d", held->tid);
	ptrace(PTRACE_SETSIGMASK, held->tid, sizeof all_signals, &all_signals);
	for (;;) {
		ptrace(PTRACE_SYSCALL, held->tid, 0, 0);
		enum stop stop = await_stop(held, PTRACE_SYSCALL);
		if (stop == STOP_GONE)
			return error_new(ERROR_GONE, "process %d has ended", held->pid);
		if (stop == STOP_NONE) {
			leave_running(held);
			return error_new(
				ERROR_FAILED, "process %d took too long to load what measures in it", held->pid);
		}
		if (stop == STOP_SYSTEM_CALL && is_at_way_back(held->tid, frame))
			break;
	}
	put_back(held, &back);
	return NULL;
}

/* ---- choosing a thread ---- */

static void let_go(const struct held *held)
{
	struct user_regs_struct r = held->state.registers;
	take_back_interruption(&r);
	if (r.rax != held->state.registers.rax)
		ptrace(PTRACE_SETREGS, held->tid, 0, &r);
	ptrace(PTRACE_DETACH, held->tid, 0, 0);
}

static struct error *seize(const struct held *held)
{
	if (ptrace(PTRACE_SEIZE, held->tid, 0, PTRACE_O_TRACESYSGOOD) == 0)
		return NULL;
	int why = errno;
	char letter = task_read_letter(held->pid, held->tid);
	if (why == ESRCH || letter == 'X' || letter == 'Z')
		return error_new(ERROR_NOT_READY, "thread %d has ended", held->tid);
	struct error *error = error_os(why, "cannot stop thread %d (is a debugger attached?)", held->tid);
	if (error != &error_no_memory)
		error->kind = ERROR_DENIED;
	return error;
}

/* ERROR_NOT_READY: it was at no good place. */
static struct error *try_thread(struct held *held, unsigned looks)
{
	bool timed = waiting_read(held->pid, held->tid, &held->waiting) &&
		     waiting_timeout_argument(&held->waiting) >= 0;
	held->switches = timed ? waiting_switches(held->pid, held->tid) : 0;
	held->idle_since = timed ? waiting_since(held->pid, held->tid) : 0;
	TRY(seize(held));
	if (ptrace(PTRACE_INTERRUPT, held->tid, 0, 0) || await_stop(held, PTRACE_CONT) != STOP_OURS) {
		leave_running(held);
		return error_new(ERROR_NOT_READY, "thread %d does not stop", held->tid);
	}
	struct error *error = remote_state_read(held->tid, &held->state);
	if (!error && has_shadow_stack(held->pid, held->tid))
		error = error_new(
			ERROR_UNSUPPORTED, "process %d has shadow stacks, which forbid what attaching does", held->pid);
	if (!error && !is_good_place(held, looks))
		error = error_new(ERROR_NOT_READY, "thread %d is at no good place", held->tid);
	if (error) {
		let_go(held);
		return error;
	}
	error = run(held);
	if (error && error->kind == ERROR_NOT_READY)
		let_go(held);
	return error;
}
#else
static struct error *try_thread(struct held *held, unsigned looks)
{
	(void)looks;
	return remote_state_read(held->tid, &held->state);
}
#endif

struct tids {
	VEC(pid_t) tids;
};

static struct error *list_threads(pid_t pid, struct tids *list)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/task", pid);
	_cleanup_closedir_ DIR *tasks = opendir(path);
	list->tids.count = 0;
	for (struct dirent *entry; tasks && (entry = readdir(tasks));) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (tid > 0 && !vec_push(&list->tids, tid))
			return &error_no_memory;
	}
	return list->tids.count ? NULL : error_new(ERROR_GONE, "process %d has ended", pid);
}

/* Those that wait for events first, then those that wait for a semaphore, then those that run. */
static int rank_of(pid_t pid, pid_t tid)
{
	struct waiting_call call;
	if (!waiting_read(pid, tid, &call))
		return 2;
	enum waiting kind = waiting_kind(&call);
	return kind == WAITING_EVENT ? 0 : kind == WAITING_SEMAPHORE ? 1 : 3;
}

static struct error *try_all(struct held *held, const struct tids *list, unsigned looks)
{
	for (int rank = 0; rank < 3; rank++)
		for (size_t i = 0; i < list->tids.count; i++) {
			held->tid = list->tids.data[i];
			if (rank_of(held->pid, held->tid) != rank)
				continue;
			struct error *error = try_thread(held, looks);
			if (!error || error->kind != ERROR_NOT_READY)
				return error;
			error_free(error);
		}
	return error_new(ERROR_NOT_READY, "no thread of process %d came to a point where it may be stopped", held->pid);
}

struct error *remote_call_make(pid_t pid, const struct remote_places *places, const struct remote_call *call)
{
	_Alignas(64) struct held held = { .pid = pid, .places = places, .call = call };
	struct tids list = { 0 };
	struct error *error = NULL;
	for (unsigned looks = 0;; looks++) {
		error = list_threads(pid, &list);
		if (!error)
			error = try_all(&held, &list, looks);
		if (!error || error->kind != ERROR_NOT_READY || is_over(call))
			break;
		error_free(error);
		clock_sleep_until(clock_now() + (looks < 100 ? 100 * NS_PER_US : NS_PER_MS));
	}
	vec_free(&list.tids);
	return error;
}
