#include "os/task.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/proc.h"

static ssize_t read_task_file(pid_t pid, pid_t tid, const char *name, char *text, size_t size)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/task/%d/%s", pid, tid, name);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ssize_t got = read(fd, text, size - 1);
	if (got >= 0)
		text[got] = '\0';
	return got;
}

int task_open(pid_t pid, pid_t tid)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/task/%d/syscall", pid, tid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

char task_read_letter(pid_t pid, pid_t tid)
{
	char text[512];
	if (read_task_file(pid, tid, "stat", text, sizeof text) <= 0)
		return 'X';
	const char *end = strrchr(text, ')'); /* the name before it may hold anything */
	return end && end[1] == ' ' ? end[2] : 'X';
}

/* /proc/.../syscall says "running", "-1 SP PC" when blocked outside of a system call, or "NR ARG0 ... SP PC". */
struct task_state task_read_call(int fd)
{
	char text[256];
	struct task_state state = { 0 };
	ssize_t got = fd >= 0 ? pread(fd, text, sizeof text - 1, 0) : -1;
	if (got <= 0)
		return state;
	text[got] = '\0';
	if (strncmp(text, "running", 7) == 0) {
		state.letter = 'R';
	} else if (isdigit((unsigned char)text[0])) {
		char *rest;
		state.in_syscall = true;
		state.syscall = (uint16_t)strtoul(text, &rest, 10);
		state.argument = strtoull(rest, NULL, 16);
	}
	return state;
}

bool task_awaits_event(const struct task_state *state)
{
	static const uint16_t calls[] = {
#ifdef SYS_poll /* newer architectures have the newer forms only */
		SYS_poll,
		SYS_select,
		SYS_epoll_wait,
		SYS_pause,
#endif
		SYS_futex,
		SYS_nanosleep,
		SYS_clock_nanosleep,
		SYS_restart_syscall,
		SYS_ppoll,
		SYS_pselect6,
		SYS_epoll_pwait,
		SYS_accept,
		SYS_accept4,
		SYS_wait4,
		SYS_waitid,
		SYS_rt_sigtimedwait,
		SYS_rt_sigsuspend,
	};
	for (size_t i = 0; state->in_syscall && i < sizeof calls / sizeof *calls; i++)
		if (calls[i] == state->syscall)
			return true;
	return false;
}

bool task_process_goes_on(pid_t pid)
{
	char text[4096];
	if (read_task_file(pid, pid, "status", text, sizeof text) <= 0)
		return false;
	const char *letter = proc_status_field(text, "State"), *tracer = proc_status_field(text, "TracerPid");
	return letter && tracer && (*letter == 'R' || *letter == 'S') && *tracer == '0';
}

bool task_read_times(pid_t pid, pid_t tid, struct task_times *ret_times)
{
	char text[128];
	unsigned long long cpu, queue;
	if (read_task_file(pid, tid, "schedstat", text, sizeof text) <= 0 ||
		sscanf(text, "%llu %llu", &cpu, &queue) != 2)
		return false;
	*ret_times = (struct task_times){ cpu, queue };
	return true;
}

/* "NSpid:	4242	17	1": the numbers from our namespace to the innermost. */
pid_t task_read_inner_tid(pid_t pid, pid_t tid)
{
	char text[4096];
	if (read_task_file(pid, tid, "status", text, sizeof text) <= 0)
		return 0;
	const char *numbers = proc_status_field(text, "NSpid");
	if (!numbers)
		return 0;
	long inner = 0;
	for (char *end; isdigit((unsigned char)*numbers); numbers = end + strspn(end, "\t "))
		inner = strtol(numbers, &end, 10);
	return (pid_t)inner;
}

void task_list_inner_tids(pid_t pid, struct map *tids)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/task", pid);
	_cleanup_closedir_ DIR *tasks = opendir(path);
	for (struct dirent *entry; tasks && (entry = readdir(tasks));) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);
		pid_t inner = tid > 0 ? task_read_inner_tid(pid, tid) : 0;
		if (inner > 0 && !map_put(tids, (uint64_t)inner, (uint64_t)tid))
			return;
	}
}

bool task_read_name(pid_t pid, pid_t tid, char name[static 16])
{
	char text[64];
	if (read_task_file(pid, tid, "comm", text, sizeof text) <= 0)
		return false;
	text[strcspn(text, "\n")] = '\0';
	snprintf(name, 16, "%.15s", text);
	return true;
}
