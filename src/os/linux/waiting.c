/* waiting.c: see waiting.h.
 *
 * Most calls that wait are begun again by the kernel after a stop: as they were, or, those with a relative timeout,
 * with what is left of it. A few (epoll_wait, a read of inotify, a socket with SO_RCVTIMEO) return EINTR after any
 * stop; these we make restart. Left out is what may have done half of its work, such as write. */
#include "os/linux/waiting.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "os/linux/proc.h"

#ifdef __x86_64__
/* Waits for a semaphore, a condition or the end of a thread: a time is absolute. The locks of the allocator and the
 * loader wait by FUTEX_WAIT. */
static bool is_semaphore(const uint64_t *arguments)
{
	return ((int)arguments[1] & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET;
}

enum waiting waiting_kind(const struct waiting_call *call)
{
	const uint64_t *arguments = call->arguments;
	switch (call->number) {
	case SYS_read:
	case SYS_accept:
	case SYS_accept4:
	case SYS_poll:
	case SYS_ppoll:
	case SYS_select:
	case SYS_pselect6:
	case SYS_epoll_wait:
	case SYS_epoll_pwait:
	case SYS_nanosleep:
	case SYS_clock_nanosleep:
	case SYS_pause:
	case SYS_wait4:
	case SYS_waitid:
	case SYS_flock:
	case SYS_restart_syscall: /* one with a timeout, which the locks of libc do not have */
		return WAITING_EVENT;
	case SYS_recvfrom:
		return arguments[3] & MSG_WAITALL ? WAITING_NOT : WAITING_EVENT;
	case SYS_recvmsg:
		return arguments[2] & MSG_WAITALL ? WAITING_NOT : WAITING_EVENT;
	case SYS_fcntl:
		return arguments[1] == F_SETLKW ? WAITING_EVENT : WAITING_NOT;
	case SYS_rt_sigtimedwait: /* its time stands in memory that we leave alone */
		return arguments[2] ? WAITING_NOT : WAITING_EVENT;
	case SYS_epoll_pwait2:
		return arguments[3] ? WAITING_NOT : WAITING_EVENT;
	case SYS_futex:
		return is_semaphore(arguments) ? WAITING_SEMAPHORE : WAITING_NOT;
	default:
		return WAITING_NOT;
	}
}

int waiting_timeout_argument(const struct waiting_call *call)
{
	switch (call->number) {
	case SYS_epoll_wait:
	case SYS_epoll_pwait:
		return (int)call->arguments[3] > 0 ? 3 : -1;
	case SYS_poll:
		return (int)call->arguments[2] > 0 ? 2 : -1;
	default:
		return -1;
	}
}
#else
enum waiting waiting_kind(const struct waiting_call *call)
{
	(void)call;
	return WAITING_NOT;
}

int waiting_timeout_argument(const struct waiting_call *call)
{
	(void)call;
	return -1;
}
#endif

bool waiting_was_interrupted(const struct waiting_call *call, long result)
{
	switch (-result) {
	case WAITING_RESTART:
	case WAITING_RESTART_ALWAYS:
	case WAITING_RESTART_UNLESS:
	case WAITING_RESTART_THE_REST:
	case EINTR:
		return waiting_kind(call) != WAITING_NOT;
	default:
		return false;
	}
}

bool waiting_read(pid_t pid, pid_t tid, struct waiting_call *ret_call)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	char name[64];
	snprintf(name, sizeof name, "task/%d/syscall", (int)tid);
	if (!proc_read(pid, name, 512, &text))
		return false;
	char *at = NULL;
	struct waiting_call call = { .number = strtol(buffer_string(&text), &at, 10) };
	if (at == text.data || call.number < 0)
		return false;
	for (size_t i = 0; i < sizeof call.arguments / sizeof *call.arguments; i++)
		call.arguments[i] = strtoull(at, &at, 16);
	*ret_call = call;
	return true;
}

/* In ns of the scheduler's clock of the core that the thread was on; 0: not told. */
static uint64_t read_last_run(const char *path)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	const char *at = proc_read_path(path, 4096, &text) ? strstr(buffer_string(&text), "se.exec_start") : NULL;
	at = at ? strchr(at, ':') : NULL;
	return at ? (uint64_t)(strtod(at + 1, NULL) * 1e6) : 0;
}

/* The core that the thread was on last; -1: not told. */
static int read_core(pid_t pid, pid_t tid)
{
	enum { FIELDS_BEFORE = 37 }; /* of those behind the name */
	_cleanup_buffer_ struct buffer text = { 0 };
	char name[64];
	snprintf(name, sizeof name, "task/%d/stat", (int)tid);
	const char *at = proc_read(pid, name, 1024, &text) ? strrchr(buffer_string(&text), ')') : NULL;
	for (int i = 0; at && i < FIELDS_BEFORE; i++)
		at = strchr(at + 1, ' ');
	return at ? (int)strtol(at, NULL, 10) : -1;
}

/* CLOCK_MONOTONIC less a core's clock. We go there to see both: each core's stands still while the core is taken from
 * the machine, so they are seconds apart. What we see of it is at most a tick old, so that this is rather too much. */
static bool measure_core(int core, uint64_t *ret_ahead)
{
	cpu_set_t before, there;
	CPU_ZERO(&there);
	if (core < 0 || core >= CPU_SETSIZE || sched_getaffinity(0, sizeof before, &before))
		return false;
	CPU_SET(core, &there);
	if (sched_setaffinity(0, sizeof there, &there))
		return false;
	sched_yield();
	uint64_t seen = read_last_run("/proc/thread-self/sched"), now = clock_now();
	sched_setaffinity(0, sizeof before, &before);
	*ret_ahead = now - seen;
	return seen != 0;
}

uint64_t waiting_since(pid_t pid, pid_t tid)
{
	char path[64];
	uint64_t ahead;
	snprintf(path, sizeof path, "/proc/%d/task/%d/sched", (int)pid, (int)tid);
	uint64_t last = read_last_run(path);
	return last && measure_core(read_core(pid, tid), &ahead) ? last + ahead : 0;
}

uint64_t waiting_switches(pid_t pid, pid_t tid)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	char name[64];
	snprintf(name, sizeof name, "task/%d/status", (int)tid);
	const char *at = proc_read(pid, name, 16 << 10, &text)
				 ? proc_status_field(buffer_string(&text), "voluntary_ctxt_switches")
				 : NULL;
	return at ? strtoull(at, NULL, 10) : 0;
}
