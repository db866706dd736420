#include "os/stop.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

static bool runs_user_code(int state_fd)
{
	char text[16];
	return state_fd >= 0 && pread(state_fd, text, sizeof text, 0) > 0 && strncmp(text, "running", 7) == 0;
}

static struct error *seize(struct stopper *stopper, pid_t tid)
{
	if (map_get(&stopper->seized, (uint64_t)tid))
		return NULL;
	if (ptrace(PTRACE_SEIZE, tid, 0, 0)) {
		if (errno == ESRCH)
			return NULL;
		struct error *error = error_os(errno, "cannot stop thread %d (is a debugger attached?)", tid);
		if (error != &error_no_memory)
			error->kind = ERROR_DENIED;
		return error;
	}
	return map_put(&stopper->seized, (uint64_t)tid, 1) ? NULL : &error_no_memory;
}

/* A signal on its way to the target stops it in our hands first: hand it on, unchanged. */
static void pass_signal(pid_t tid, int status)
{
	int signal = WSTOPSIG(status);
	bool group_stop = status >> 16 == PTRACE_EVENT_STOP;
	if (group_stop && (signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU))
		ptrace(PTRACE_LISTEN, tid, 0, 0);
	else
		ptrace(PTRACE_CONT, tid, 0, group_stop ? 0 : signal);
}

/* Takes the next change of a thread: whether there was one; false, too, when a signal came. The end of our own child is
 * left where it is: it belongs to whoever waits for the child (spawn.h). */
static bool take_change(const struct stopper *stopper, pid_t tid, int flags, int *ret_status)
{
	siginfo_t info = { 0 };
	if (tid != stopper->child)
		return waitpid(tid, ret_status, __WALL | flags) == tid;
	if (waitid(P_PID, (id_t)tid, &info, WEXITED | WSTOPPED | WNOWAIT | __WALL | flags) || info.si_pid != tid)
		return false;
	if (info.si_code == CLD_EXITED || info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED) {
		*ret_status = 0;
		return !(flags & WNOHANG);
	}
	info.si_pid = 0;
	if (waitid(P_PID, (id_t)tid, &info, WSTOPPED | WNOHANG | __WALL) || info.si_pid != tid)
		return false;
	*ret_status = W_STOPCODE(info.si_status);
	return true;
}

static void drain(const struct stopper *stopper)
{
	for (size_t i = 0; stopper->seized.count && i <= stopper->seized.mask; i++) {
		pid_t tid = (pid_t)stopper->seized.entries[i].key;
		int status;
		while (tid && take_change(stopper, tid, WNOHANG, &status) && WIFSTOPPED(status))
			pass_signal(tid, status);
	}
}

/* Whether a signal waits for the thread, whose handler is to find the system call interrupted. */
static bool has_signal(pid_t tid)
{
	siginfo_t info;
	struct __ptrace_peeksiginfo_args own = { .nr = 1 }, shared = { .flags = PTRACE_PEEKSIGINFO_SHARED, .nr = 1 };
	return ptrace(PTRACE_PEEKSIGINFO, tid, &own, &info) != 0 ||
	       ptrace(PTRACE_PEEKSIGINFO, tid, &shared, &info) != 0;
}

/* The thread may have begun a system call after it was seen in user code. The kernel begins most calls again by itself
 * after a stop; those that return EINTR after any (epoll_wait, semop, ...) are begun again here. */
static void restart_call(pid_t tid)
{
#ifdef __x86_64__
	enum { SYSCALL_INSTRUCTION = 2 };
	struct user_regs_struct registers;
	if (ptrace(PTRACE_GETREGS, tid, 0, &registers) || (long long)registers.orig_rax < 0 ||
		(long long)registers.rax != -EINTR || has_signal(tid))
		return;
	registers.rax = registers.orig_rax;
	registers.orig_rax = (unsigned long long)-1;
	registers.rip -= SYSCALL_INSTRUCTION;
	ptrace(PTRACE_SETREGS, tid, 0, &registers);
#endif
}

struct error *stop_thread(struct stopper *stopper, pid_t tid, int state_fd, bool *ret_stopped)
{
	*ret_stopped = false;
	drain(stopper);
	if (!runs_user_code(state_fd))
		return NULL;
	struct error *error = seize(stopper, tid);
	if (error)
		return error;
	stopper->stopped_at = clock_now();
	if (ptrace(PTRACE_INTERRUPT, tid, 0, 0))
		return NULL;
	for (;;) {
		int status;
		errno = 0;
		bool changed = take_change(stopper, tid, 0, &status);
		if (!changed && errno == EINTR)
			continue;
		if (!changed || !WIFSTOPPED(status)) {
			map_remove(&stopper->seized, (uint64_t)tid);
			return NULL;
		}
		if (status >> 16 == PTRACE_EVENT_STOP && WSTOPSIG(status) == SIGTRAP)
			break;
		pass_signal(tid, status);
	}
	*ret_stopped = true;
	return NULL;
}

void stop_continue(struct stopper *stopper, pid_t tid)
{
	restart_call(tid);
	ptrace(PTRACE_CONT, tid, 0, 0);
	stopper->stopped_ns += clock_now() - stopper->stopped_at;
}

void stopper_deinit(struct stopper *stopper)
{
	for (size_t i = 0; stopper->seized.count && i <= stopper->seized.mask; i++) {
		pid_t tid = (pid_t)stopper->seized.entries[i].key;
		int status;
		if (!tid || ptrace(PTRACE_INTERRUPT, tid, 0, 0))
			continue;
		if (!take_change(stopper, tid, 0, &status) || !WIFSTOPPED(status))
			continue;
		bool is_signal = status >> 16 == 0;
		if (!is_signal)
			restart_call(tid);
		ptrace(PTRACE_DETACH, tid, 0, is_signal ? WSTOPSIG(status) : 0);
	}
	map_deinit(&stopper->seized);
}
