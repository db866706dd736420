#include "os/stop.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
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

static void drain(const struct stopper *stopper)
{
	for (size_t i = 0; stopper->seized.count && i <= stopper->seized.mask; i++) {
		pid_t tid = (pid_t)stopper->seized.entries[i].key;
		int status;
		while (tid && waitpid(tid, &status, __WALL | WNOHANG) == tid && WIFSTOPPED(status))
			pass_signal(tid, status);
	}
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
		pid_t got = waitpid(tid, &status, __WALL);
		if (got < 0 && errno == EINTR)
			continue;
		if (got != tid || !WIFSTOPPED(status)) {
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
		if (waitpid(tid, &status, __WALL) != tid || !WIFSTOPPED(status))
			continue;
		bool is_signal = status >> 16 == 0;
		ptrace(PTRACE_DETACH, tid, 0, is_signal ? WSTOPSIG(status) : 0);
	}
	map_deinit(&stopper->seized);
}
