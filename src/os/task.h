/* task.h: what the kernel says of a thread: what it does now, how much CPU it has had, its name. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/map.h"

struct task_state {
	char letter; /* R running or runnable, S sleeping, D uninterruptible, T t stopped, Z zombie, X gone; 0: ask for
		      * it with task_read_letter */
	bool in_syscall; /* blocked in one */
	uint16_t syscall;
	uint64_t argument; /* its first: of futex, the address waited on */
};

struct task_times {
	uint64_t cpu_ns;      /* on a core */
	uint64_t runqueue_ns; /* runnable without one */
};

/* A descriptor for task_read_call, or -1. */
int task_open(pid_t pid, pid_t tid);
/* The system call that the thread is in; its letter only when it runs. All 0 when we may not know. */
struct task_state task_read_call(int fd);
/* Another file, which takes as long; X also when it cannot be read. */
char task_read_letter(pid_t pid, pid_t tid);
/* Whether it is in a call that waits for nothing but events and time: its letter is S unless it is stopped (or, for a
 * moment, a page of its arguments is fetched from disk). */
bool task_awaits_event(const struct task_state *state);
/* Whether the process is neither stopped, frozen nor traced, as its main thread tells of all. */
bool task_process_goes_on(pid_t pid);
/* Moves in scheduler ticks (some ms): for totals over seconds. */
bool task_read_times(pid_t pid, pid_t tid, struct task_times *ret_times);
/* The number by which a thread knows itself: in the innermost PID namespace that it is in. 0: not known. */
pid_t task_read_inner_tid(pid_t pid, pid_t tid);
/* Puts for every thread of the process that number -> its number here. What does not fit into memory is left out. */
void task_list_inner_tids(pid_t pid, struct map *tids);
/* comm, without newline; at most 15 characters. */
bool task_read_name(pid_t pid, pid_t tid, char name[static 16]);
