#include "agent/segment/ticks.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

bool ticks_use_cycles;

uint64_t ticks_monotonic_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t ticks_slow(void)
{
	return ticks_monotonic_ns();
}

/* The kernel itself trusts the counter: then it is its clock. */
bool ticks_are_cycles(void)
{
#ifdef __x86_64__
	char text[32] = { 0 };
	int fd = open("/sys/devices/system/clocksource/clocksource0/current_clocksource", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		close(fd);
	if (got > 0 && strncmp(text, "tsc", 3) == 0)
		return ticks_use_cycles = true;
	/* In virtual machines it is another one, though the counter is as good. */
	char info[4096];
	fd = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC);
	got = fd < 0 ? -1 : read(fd, info, sizeof info - 1);
	if (fd >= 0)
		close(fd);
	info[got > 0 ? got : 0] = '\0';
	ticks_use_cycles = strstr(info, " constant_tsc") && strstr(info, " nonstop_tsc");
#endif
	return ticks_use_cycles;
}
