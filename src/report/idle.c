/* idle.c: see idle.h. The numbers are those of the machine that recorded, which need not be this one: hence no SYS_
 * macros. Calls that nothing sleeps in are not listed. */
#include "report/idle.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	int number;
	struct idle_call call;
} x86_64[] = {
	{ 0, { "read", "input" } },
	{ 1, { "write", "output" } },
	{ 7, { "poll", "input, timer" } },
	{ 16, { "ioctl", "a device" } },
	{ 17, { "pread64", "a file" } },
	{ 18, { "pwrite64", "a file" } },
	{ 19, { "readv", "input" } },
	{ 20, { "writev", "output" } },
	{ 23, { "select", "input, timer" } },
	{ 34, { "pause", "a signal" } },
	{ 35, { "nanosleep", "sleep" } },
	{ 42, { "connect", "network" } },
	{ 43, { "accept", "network" } },
	{ 44, { "sendto", "network" } },
	{ 45, { "recvfrom", "network" } },
	{ 46, { "sendmsg", "network" } },
	{ 47, { "recvmsg", "network" } },
	{ 61, { "wait4", "a child process" } },
	{ 65, { "semop", "a semaphore" } },
	{ 70, { "msgrcv", "a queue" } },
	{ 72, { "fcntl", "a lock on a file" } },
	{ 73, { "flock", "a lock on a file" } },
	{ 74, { "fsync", "disk" } },
	{ 75, { "fdatasync", "disk" } },
	{ 128, { "rt_sigtimedwait", "a signal" } },
	{ 130, { "rt_sigsuspend", "a signal" } },
	{ 202, { "futex", "a lock" } },
	{ 208, { "io_getevents", "disk" } },
	{ 219, { "restart_syscall", "sleep" } },
	{ 220, { "semtimedop", "a semaphore" } },
	{ 230, { "clock_nanosleep", "sleep" } },
	{ 232, { "epoll_wait", "input, timer" } },
	{ 243, { "mq_timedreceive", "a queue" } },
	{ 247, { "waitid", "a child process" } },
	{ 270, { "pselect6", "input, timer" } },
	{ 271, { "ppoll", "input, timer" } },
	{ 281, { "epoll_pwait", "input, timer" } },
	{ 288, { "accept4", "network" } },
	{ 426, { "io_uring_enter", "input or output" } },
	{ 441, { "epoll_pwait2", "input, timer" } },
};

static bool is_x86_64(struct text system)
{
	static const char machine[] = "x86_64";
	size_t length = sizeof machine - 1;
	return system.size >= length && memcmp(system.data + system.size - length, machine, length) == 0;
}

struct idle_call idle_find_call(const struct profile *profile, int system_call)
{
	if (system_call == PROFILE_STOPPED)
		return (struct idle_call){ NULL, "stopped by a signal or a debugger" };
	if (system_call == PROFILE_NO_CALL)
		return (struct idle_call){ NULL, "in no known system call" };
	for (size_t i = 0; is_x86_64(profile->info.system) && i < sizeof x86_64 / sizeof *x86_64; i++)
		if (x86_64[i].number == system_call)
			return x86_64[i].call;
	return (struct idle_call){ 0 };
}

static int longer(const void *left, const void *right, void *data)
{
	const struct profile_idle *idle = data, *a = &idle[*(const uint32_t *)left],
				  *b = &idle[*(const uint32_t *)right];
	if (a->wall != b->wall)
		return a->wall < b->wall ? 1 : -1;
	return (a > b) - (a < b);
}

uint32_t *idle_order(const struct profile *profile)
{
	size_t count = profile->idle.count;
	uint32_t *order = malloc((count + 1) * sizeof *order);
	for (size_t i = 0; order && i < count; i++)
		order[i] = (uint32_t)i;
	if (order)
		qsort_r(order, count, sizeof *order, longer, profile->idle.data);
	return order;
}
