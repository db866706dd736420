/* process.c: see os/process.h. From /proc: readable for all processes that it shows, whoever they belong to. */
#include "os/process.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "os/linux/proc.h"

enum {
	STAT_MAX = 2048,
	COMMAND_MAX = 64 << 10,
	FLAG_KERNEL_THREAD =
		0x00200000, /* PF_KTHREAD of the kernel's sched.h, which is no API but has not moved since 2.6 */
};

/* A time in the kernel's clock ticks. */
static uint64_t ticks_to_ns(unsigned long long ticks)
{
	long hz = sysconf(_SC_CLK_TCK);
	return (uint64_t)((double)ticks * NS_PER_S / (double)(hz > 0 ? hz : 100));
}

/* The name stands in brackets and may itself hold brackets, blanks and newlines: only its last bracket is certain. */
static bool parse_stat(const char *stat, struct process *process)
{
	const char *open = strchr(stat, '('), *close = strrchr(stat, ')');
	if (!open || !close || close < open)
		return false;
	int parent;
	unsigned flags, threads;
	unsigned long long child_faults, user, system, start;
	if (sscanf(close + 1, " %c %d %*d %*d %*d %*d %u %*u %llu %*u %*u %llu %llu %*d %*d %*d %*d %u %*d %llu",
		    &process->state, &parent, &flags, &child_faults, &user, &system, &threads, &start) != 8)
		return false;
	snprintf(process->name, sizeof process->name, "%.*s", (int)(close - open - 1), open + 1);
	uint64_t now = clock_read(CLOCK_BOOTTIME), started = ticks_to_ns(start);
	process->parent = parent;
	process->kernel_thread = flags & FLAG_KERNEL_THREAD;
	process->thread_count = threads;
	process->child_faults = child_faults;
	process->cpu_ns = ticks_to_ns(user + system);
	process->age_ns = now > started ? now - started : 0;
	return true;
}

static bool read_stat(pid_t pid, struct process *process)
{
	_cleanup_buffer_ struct buffer stat = { 0 };
	return proc_read(pid, "stat", STAT_MAX, &stat) && parse_stat(buffer_string(&stat), process);
}

struct error *process_read(pid_t pid, struct process *ret_process)
{
	_cleanup_process_ struct process process = { .pid = pid };
	if (!read_stat(pid, &process))
		return error_new(ERROR_GONE, "there is no process %d", pid);
	/* A process that ends meanwhile simply has no words and no file any more. */
	if (!process.kernel_thread) {
		proc_read(pid, "cmdline", COMMAND_MAX, &process.command);
		process.executable = proc_read_link(pid, "exe");
	}
	*ret_process = process;
	process = (struct process){ 0 };
	return NULL;
}

void process_deinit(struct process *process)
{
	buffer_deinit(&process->command);
	free(process->executable);
	process->executable = NULL;
}

bool process_has_ended(pid_t pid)
{
	struct process process;
	if (!read_stat(pid, &process))
		return true;
	/* The thread that began it may be over before the others. */
	return (process.state == 'Z' || process.state == 'X') && process.thread_count <= 1;
}

uint64_t process_read_child_faults(pid_t pid)
{
	struct process process;
	return read_stat(pid, &process) ? process.child_faults : 0;
}

bool process_shares_memory(pid_t one, pid_t other)
{
	return syscall(SYS_kcmp, one, other, KCMP_VM, 0ul, 0ul) == 0;
}

int process_open_memory(pid_t pid)
{
	char path[32];
	snprintf(path, sizeof path, "/proc/%d/mem", pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* The file stays bound to the memory that it was opened for. Once that is no more, a read gives nothing; as long as it
 * is, one at address 0 gives an error, or a byte. */
bool process_has_memory(int fd)
{
	char byte;
	return fd < 0 || pread(fd, &byte, 1, 0) != 0;
}

static void write_word(struct buffer *text, const char *word, size_t length)
{
	bool quoted = length == 0 || memchr(word, ' ', length);
	if (quoted)
		buffer_add_char(text, '\'');
	buffer_add(text, word, length);
	if (quoted)
		buffer_add_char(text, '\'');
}

void process_write_command(const struct process *process, struct buffer *text)
{
	if (process->command.size == 0) {
		buffer_add_char(text, '[');
		write_word(text, process->name, strlen(process->name));
		buffer_add_char(text, ']');
		return;
	}
	const char *at = process->command.data, *end = at + process->command.size;
	while (at < end) {
		size_t length = strnlen(at, (size_t)(end - at));
		if (at != process->command.data)
			buffer_add_char(text, ' ');
		write_word(text, at, length);
		at += length + 1;
	}
}

static int compare_pids(const void *a, const void *b)
{
	const pid_t *left = a, *right = b;
	return (*left > *right) - (*left < *right);
}

struct error *process_list_read(struct process_list *ret_list)
{
	_cleanup_closedir_ DIR *folder = opendir("/proc");
	if (!folder)
		return error_os(errno, "cannot list /proc");
	_cleanup_process_list_ struct process_list list = { 0 };
	for (struct dirent *entry; (entry = readdir(folder));) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);
		if (!isdigit((unsigned char)entry->d_name[0]) || *end || pid <= 0 || pid > INT_MAX)
			continue;
		if (!vec_push(&list.pids, (pid_t)pid))
			return &error_no_memory;
	}
	if (list.pids.count)
		qsort(list.pids.data, list.pids.count, sizeof *list.pids.data, compare_pids);
	*ret_list = list;
	list = (struct process_list){ 0 };
	return NULL;
}

void process_list_deinit(struct process_list *list)
{
	vec_free(&list->pids);
}
