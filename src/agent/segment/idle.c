#include "agent/segment/idle.h"

#include <stdbool.h>
#include <time.h>

#include "agent/segment/ticks.h"

static bool read_cpu(clockid_t clock, uint64_t *ret_ns)
{
	struct timespec now;
	if (clock_gettime(clock, &now))
		return false;
	*ret_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	return true;
}

void idle_begin(struct idle *idle, uint64_t now)
{
	*idle = (struct idle){ .look = now, .begun = now };
	read_cpu(CLOCK_THREAD_CPUTIME_ID, &idle->cpu);
	idle->ns = ticks_monotonic_ns();
}

/* What is not CPU time since the thread began and was not given yet falls into the last `gap` ticks, if it fits. */
static uint64_t give(struct idle *idle, clockid_t clock, uint64_t gap, uint64_t now)
{
	uint64_t cpu;
	if (!read_cpu(clock, &cpu) || cpu < idle->cpu)
		return gap;
	cpu -= idle->cpu;
	uint64_t ns = ticks_monotonic_ns() - idle->ns, ticks = now - idle->begun, off = ns > cpu ? ns - cpu : 0;
	int64_t rest = (int64_t)((double)off * ((double)ticks / (double)(ns + !ns))) - (int64_t)idle->given;
	uint64_t found = rest <= 0 ? 0 : (uint64_t)rest < gap ? (uint64_t)rest : gap;
	idle->given += found;
	return found;
}

uint64_t idle_look(struct idle *idle, uint64_t last, uint64_t now)
{
	idle->look = now + IDLE_LOOK;
	return now - last > IDLE_LOOK ? give(idle, CLOCK_THREAD_CPUTIME_ID, now - last, now) : 0;
}

uint64_t idle_look_at(struct idle *idle, uint32_t tid, uint64_t last, uint64_t now)
{
	enum { PER_THREAD_SCHEDULER = 6 }; /* as the kernel makes the number of a thread's clock */
	clockid_t clock = (clockid_t)(~tid << 3 | PER_THREAD_SCHEDULER);
	return (int64_t)(now - last) > IDLE_LOOK ? give(idle, clock, now - last, now) : 0;
}
