#include "agent/meter.h"

#include "agent/hooks.h"
#include "agent/old_libc.h"

#include <dlfcn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

unsigned long pthread_self(void);

__thread struct meter meter __attribute__((tls_model("initial-exec")));
void (*meter_on_own_work)(bool begins);
static struct meter aside; /* the calibrating thread's own */

void meter_end_thread(void *unused)
{
	(void)unused;
	if (meter.cache)
		munmap(meter.cache, sizeof *meter.cache);
	meter = (struct meter){ 0 };
}

/* Where libc has no such function (before 2.18), caches of threads that have ended stay. */
static void await_end_of_thread(void)
{
	int (*at_end)(void (*)(void *), void *, const void *) = (int (*)(void (*)(void *), void *, const void *))dlsym(
		RTLD_DEFAULT, "__cxa_thread_atexit_impl");
	if (at_end)
		at_end(meter_end_thread, NULL, (const void *)meter_end_thread);
}

static bool make_cache(void)
{
	meter_own_work(true);
	void *cache = mmap(NULL, sizeof *meter.cache, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (cache != MAP_FAILED) {
		meter.cache = cache;
		await_end_of_thread();
	}
	meter_own_work(false);
	return meter.cache;
}

bool meter_begin_thread(bool listed)
{
	if (!recorder_is_on()) {
		if (recorder.left)
			hooks_listen(false);
		recorder.left = false;
		return false;
	}
	if (!meter.cache && !make_cache())
		return false;
	if (meter.session != recorder.session)
		memset(meter.cache, 0, sizeof *meter.cache); /* its units are of another segment */
	meter.thread = recorder_add_thread((uint32_t)syscall(SYS_gettid), pthread_self(), listed);
	meter.session = meter.thread ? recorder.session : 0;
	return meter.thread;
}

void meter_set_aside(void)
{
	aside = meter;
}

struct recorder_thread *meter_use_spare_thread(void)
{
	return meter_begin_thread(false) ? meter.thread : NULL;
}

void meter_take_back(void)
{
	meter.session = aside.session;
	meter.thread = aside.thread;
}

void meter_leave_outer(uint32_t unit, enum recorder_leave how, uint64_t now)
{
	const struct segment_node *node = meter.thread->node;
	uint32_t above = 0, depth = meter.thread->shared->depth;
	for (; above < depth && node->code != unit; above++)
		node = recorder_unit(node->parent);
	if (above == depth)
		return;
	for (; above; above--)
		recorder_leave(meter.thread, LEAVE_UNWIND, now);
	recorder_leave(meter.thread, how, now);
}
