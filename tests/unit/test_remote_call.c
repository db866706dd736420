/* test_remote_call.c: a thread that is made to call a function (os/remote_call.h) has all its registers afterwards, and
 * goes on also when its tracer is killed at any moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "os/maps.h"
#include "os/remote_call.h"

#ifdef __x86_64__

/* What both sides see. */
static struct shared {
	_Atomic uint64_t calls, turns, wrong;
	_Atomic uint64_t data; /* sum of what the function was given */
} * shared;

/* ---- in the child ---- */

/* Changes whatever it may change. */
static void called(const unsigned char *data, uint64_t second)
{
	char text[4096];
	memset(text, 0x5a, sizeof text);
	__asm__ volatile(
		"pcmpeqd %%xmm0, %%xmm0\n pcmpeqd %%xmm1, %%xmm1\n pcmpeqd %%xmm7, %%xmm7\n pcmpeqd %%xmm15, %%xmm15\n"
		"fninit\n fldpi\n fstp %%st(0)"
		:
		: "r"(text)
		: "xmm0", "xmm1", "xmm7", "xmm15", "memory");
	if (__builtin_cpu_supports("avx"))
		__asm__ volatile("vzeroall" ::
					 : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
				 "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
	shared->data += data[0] + second;
	shared->calls++;
}

/* Registers that are set before many turns are as they were after them. */
__attribute__((noinline)) static void spin(void)
{
	uint64_t low = 0x1122334455667788, out[4] = { 0 };
	__asm__ volatile("movq %4, %%xmm0\n movq %4, %%xmm7\n movq %4, %%xmm15\n movq %4, %%r15\n mov $2000, %%ecx\n"
			 "movq %4, -64(%%rsp)\n" /* within the red zone */
			 "1: dec %%ecx\n jnz 1b\n"
			 "movq %%xmm0, %0\n movq %%xmm7, %1\n movq %%xmm15, %2\n movq %%r15, %3\n"
			 "cmpq %4, -64(%%rsp)\n je 2f\n movq $0, %0\n 2:"
			 : "=&r"(out[0]), "=&r"(out[1]), "=&r"(out[2]), "=&r"(out[3])
			 : "r"(low)
			 : "xmm0", "xmm7", "xmm15", "r15", "rcx", "memory", "cc");
	for (int i = 0; i < 4; i++)
		shared->wrong += out[i] != low;
	shared->turns++;
}

/* The upper half of a register of AVX, too. */
__attribute__((noinline)) static void spin_wide(void)
{
	static const uint64_t pattern[4] = { 1, 2, 3, 0x1122334455667788 };
	uint64_t out[4] = { 0 };
	__asm__ volatile(
		"vmovdqu %1, %%ymm8\n mov $2000, %%ecx\n 1: dec %%ecx\n jnz 1b\n vmovdqu %%ymm8, %0\n vzeroupper"
		: "=m"(out)
		: "m"(pattern)
		: "xmm8", "rcx", "cc");
	shared->wrong += memcmp(out, pattern, sizeof out) != 0;
	shared->turns++;
}

static void wait_in_poll(void)
{
	struct pollfd none = { .fd = -1 };
	if (poll(&none, 1, 5) != 0)
		shared->wrong++;
	shared->turns++;
}

/* To a moment, which the kernel can begin again exactly even without us. */
static void sleep_until(void)
{
	if (!clock_sleep_until(clock_now() + 5 * NS_PER_MS))
		shared->wrong++;
	shared->turns++;
}

static pid_t start(void (*turn)(void))
{
	memset(shared, 0, sizeof *shared);
	pid_t child = fork();
	if (child)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		turn();
}

/* ---- outside ---- */

static struct remote_places places;

static int find_places(void **state)
{
	struct maps maps;
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_null(maps_read(getpid(), &maps));
	for (size_t i = 0; i < maps.areas.count; i++) {
		const struct map_area *area = &maps.areas.data[i];
		if (area->executable && area->start <= (uintptr_t)spin && (uintptr_t)spin < area->end)
			places.loop = area->start, places.loop_end = area->end;
		if (area->executable && area->readable && strstr(area->path, "/libc.so"))
			places.sigreturn = (uintptr_t)memmem((void *)(uintptr_t)area->start, area->end - area->start,
				remote_sigreturn_code, sizeof remote_sigreturn_code);
	}
	maps_deinit(&maps);
	assert_true(places.loop && places.sigreturn);
	return 0;
}

static struct error *call(pid_t child)
{
	const struct remote_call wanted = { .function = (uintptr_t)called,
		.data = "A",
		.size = 2,
		.second = 1,
		.deadline = clock_now() + 5ull * NS_PER_S };
	return remote_call_make(child, &places, &wanted);
}

static void await_turns(uint64_t more)
{
	uint64_t wanted = shared->turns + more, end = clock_now() + 10ull * NS_PER_S;
	while (shared->turns < wanted && clock_now() < end)
		clock_sleep_until(clock_now() + NS_PER_MS);
	assert_true(shared->turns >= wanted);
}

static void end_child(pid_t child)
{
	int status;
	assert_int_equal(waitpid(child, &status, WNOHANG), 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void call_often(void (*turn)(void))
{
	enum { CALLS = 200 };
	pid_t child = start(turn);
	for (int i = 0; i < CALLS; i++)
		assert_null(call(child));
	await_turns(3);
	assert_int_equal(shared->calls, CALLS);
	assert_int_equal(shared->data, CALLS * ('A' + 1));
	assert_int_equal(shared->wrong, 0);
	end_child(child);
}

/* A tracer that calls again and again is killed after some milliseconds of that. */
static void kill_tracers(void (*turn)(void))
{
	enum { KILLS = 300 };
	pid_t child = start(turn);
	uint64_t random = 1;
	for (int i = 0; i < KILLS; i++) {
		pid_t tracer = fork();
		if (!tracer) {
			for (;;)
				error_free(call(child));
		}
		random = random * 6364136223846793005ull + 1442695040888963407ull;
		clock_sleep_until(clock_now() + 500 * NS_PER_US + (random >> 33) % (3 * NS_PER_MS));
		kill(tracer, SIGKILL);
		waitpid(tracer, NULL, 0);
	}
	await_turns(3);
	assert_true(shared->calls > KILLS / 10);
	assert_int_equal(shared->wrong, 0);
	end_child(child);
}

static void a_thread_that_runs(void **state)
{
	call_often(spin);
}

static void a_thread_with_wide_registers(void **state)
{
	if (!__builtin_cpu_supports("avx"))
		skip();
	call_often(spin_wide);
	kill_tracers(spin_wide);
}

static void a_thread_that_waits(void **state)
{
	call_often(wait_in_poll);
}

static void killed_while_it_runs(void **state)
{
	kill_tracers(spin);
}

static void killed_while_it_waits(void **state)
{
	kill_tracers(sleep_until);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_thread_that_runs),
		cmocka_unit_test(a_thread_with_wide_registers), cmocka_unit_test(a_thread_that_waits),
		cmocka_unit_test(killed_while_it_runs), cmocka_unit_test(killed_while_it_waits) };
	return cmocka_run_group_tests(tests, find_places, NULL);
}
#else
int main(void)
{
	return 77; /* skipped: attaching is for x86-64 */
}
#endif
