#include "os/task.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

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

static char read_letter(pid_t pid, pid_t tid)
{
	char text[512];
	if (read_task_file(pid, tid, "stat", text, sizeof text) <= 0)
		return 'X';
	const char *end = strrchr(text, ')'); /* the name before it may hold anything */
	return end && end[1] == ' ' ? end[2] : 'X';
}

/* /proc/.../syscall says "running", "-1 SP PC" when blocked outside of a system call, or "NR ARG0 ... SP PC". */
bool task_read_state(int fd, pid_t pid, pid_t tid, struct task_state *ret_state)
{
	char text[256];
	ssize_t got = fd >= 0 ? pread(fd, text, sizeof text - 1, 0) : -1;
	struct task_state state = { 0 };
	if (got > 0) {
		text[got] = '\0';
		if (strncmp(text, "running", 7) == 0) {
			*ret_state = (struct task_state){ .letter = 'R' };
			return true;
		}
		if (isdigit((unsigned char)text[0])) {
			char *rest;
			state.in_syscall = true;
			state.syscall = (uint16_t)strtoul(text, &rest, 10);
			state.argument = strtoull(rest, NULL, 16);
		}
	}
	state.letter = read_letter(pid, tid);
	*ret_state = state;
	return state.letter != 'X';
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

bool task_read_name(pid_t pid, pid_t tid, char name[static 16])
{
	char text[64];
	if (read_task_file(pid, tid, "comm", text, sizeof text) <= 0)
		return false;
	text[strcspn(text, "\n")] = '\0';
	snprintf(name, 16, "%.15s", text);
	return true;
}
