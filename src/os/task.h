/* task.h: what the kernel says of a thread: what it does now, how much CPU it has had, its name. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct task_state {
	char letter;	 /* R running or runnable, S sleeping, D uninterruptible, T t stopped, Z zombie, X gone */
	bool in_syscall; /* blocked in one */
	uint16_t syscall;
	uint64_t argument; /* its first: of futex, the address waited on */
};

struct task_times {
	uint64_t cpu_ns;      /* on a core */
	uint64_t runqueue_ns; /* runnable without one */
};

/* A descriptor for task_read_state, or -1. */
int task_open(pid_t pid, pid_t tid);
/* False when the thread is gone or we may not know. */
bool task_read_state(int fd, pid_t pid, pid_t tid, struct task_state *ret_state);
/* Moves in scheduler ticks (some ms): for totals over seconds. */
bool task_read_times(pid_t pid, pid_t tid, struct task_times *ret_times);
/* comm, without newline; at most 15 characters. */
bool task_read_name(pid_t pid, pid_t tid, char name[static 16]);
