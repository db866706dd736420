#include "agent/memory/followed.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/codes/filter.h"
#include "agent/lines/lines.h"
#include "agent/lines/lines_hooks.h"
#include "agent/memory/writer.h"
#include "agent/python/python.h"
#include "agent/stand_in.h"

/* Of the process; 0: it cannot be seen. */
static uint64_t resident_bytes(void)
{
	char text[128] = "";
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t size = read(fd, text, sizeof text - 1);
	close(fd);
	const char *second = size > 0 ? strchr(text, ' ') : NULL;
	return second ? strtoull(second, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static void put(enum stream_kind kind, uint32_t value, size_t more, uint64_t a, uint64_t b)
{
	struct memory_thread *t = &memory_thread;
	if (memory_thread_is_on(t))
		memory_write(t->writer, kind, 0, value, more, a, b);
}

/* What is resident is asked once for a code and thread. */
static void on_enter(const struct segment_lines *lines, uint32_t number, const object *given)
{
	uint64_t resident = lines->calls ? 0 : resident_bytes() / STREAM_RESIDENT_UNIT;
	put(STREAM_ENTER, lines->code, 2, (uintptr_t)given, resident << 32 | number);
}

static void on_line(uint32_t number, const object *given)
{
	put(STREAM_LINE, number, 1, (uintptr_t)given, 0);
}

static void on_leave(const object *given)
{
	put(STREAM_LEAVE, 0, 1, (uintptr_t)given, 0);
}

static void on_own_work(bool begins)
{
	memory_thread.inside += begins ? 1 : -1;
}

const char *followed_begin(const struct orders *orders)
{
	static const struct lines_follower follower = { on_enter, on_line, on_leave };
	const char *why = filter_begin(orders, python.version);
	if (!why)
		why = lines_hooks_begin(/* callees= */ false);
	if (why)
		return why;
	lines_follower = &follower;
	meter_on_own_work = on_own_work;
	if (orders_get(orders, "profile"))
		stand_in_put();
	return NULL;
}
