/* process.h: the processes of this machine, as the kernel shows them to everybody. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/vec.h"

struct process {
	pid_t pid, parent;
	char state; /* R running, S sleeping, D uninterruptible, T t stopped, Z zombie, X gone, I idle kernel thread */
	bool kernel_thread;
	uint32_t thread_count;
	uint64_t age_ns;       /* since it was started */
	uint64_t cpu_ns;       /* of all its threads, ended ones too; moves in clock ticks (10 ms) */
	uint64_t child_faults; /* see below */
	char name[64];	       /* the kernel's short name */
	struct buffer command; /* its words, each ended by NUL; empty for kernel threads and zombies. At most 64 KiB */
	char *executable;      /* as the target's mount namespace names it; NULL when we may not know */
};

/* ERROR_GONE when there is no such process. */
struct error *process_read(pid_t pid, struct process *ret_process);
void process_deinit(struct process *process);
#define _cleanup_process_ __attribute__((cleanup(process_deinit)))

/* Gone, or a zombie that only its parent still sees. */
bool process_has_ended(pid_t pid);
/* Page faults of all children that it has waited for: grows with each of them. 0 when it is gone. */
uint64_t process_read_child_faults(pid_t pid);
/* Whether both have one address space, as a child of vfork() and its parent until the child executes a program. False
 * when that may not be asked. */
bool process_shares_memory(pid_t one, pid_t other);
/* A descriptor for what the process's memory is now, which the caller closes; -1 when it may not be read. */
int process_open_memory(pid_t pid);
/* Whether the process still has that memory: not after it ended or executed a program. */
bool process_has_memory(int fd);

/* The command as a shell would take it, roughly: words joined by spaces, those with spaces or nothing in them in
 * quotes; [name] when it has no words. The words' bytes stay as they are: report/print.h makes them printable. */
void process_write_command(const struct process *process, struct buffer *text);

struct process_list {
	VEC(pid_t) pids; /* in rising order */
};
struct error *process_list_read(struct process_list *ret_list);
void process_list_deinit(struct process_list *list);
#define _cleanup_process_list_ __attribute__((cleanup(process_list_deinit)))
