/* memory_oracle.c: threads that allocate and free at random, also what others have got, and keep their own account of
 * it in static memory: what `memory` is compared with. Loaded by ctypes; built with -fno-builtin. */
#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { THREADS = 8, SHARED = 64, MAPS = 16, PAGE = 4096, KINDS = 5 };
enum { MALLOC, CALLOC, REALLOC, ALIGNED, MMAP };

/* In front of each block stands nothing: who got it and how large it is stands here, beside its pointer. */
struct held {
	_Atomic(void *) block;
	_Atomic uint64_t what; /* owner, kind, size */
};
static struct held shared[SHARED];
static struct account {
	uint32_t tid, random;
	uint64_t count[KINDS], bytes[KINDS];
	struct {
		unsigned char *start;
		size_t size;
	} maps[MAPS];
} accounts[THREADS];
static int operations;

/* Each event, as it has to be recorded, in order; of a run of few operations. */
enum { EVENTS = 1 << 16 };
static struct log {
	int count;
	struct event {
		const char *what;
		void *address;
		size_t size;
	} events[EVENTS];
} logs[THREADS];

static void note(struct account *a, const char *what, void *address, size_t size)
{
	struct log *log = &logs[a - accounts];
	if (log->count < EVENTS)
		log->events[log->count++] = (struct event){ what, address, size };
}

static uint32_t next(struct account *a)
{
	a->random = a->random * 1664525u + 1013904223u;
	return a->random >> 8;
}

static void got(struct account *a, int kind, uint64_t bytes)
{
	a->count[kind]++;
	a->bytes[kind] += bytes;
}

/* A place of the shared ones is taken by exchanging its pointer for one that says that it is amid being changed. */
static char changing;

static void one_block(struct account *a)
{
	struct held *held = &shared[next(a) % SHARED];
	void *before = atomic_exchange(&held->block, &changing), *now = NULL;
	if (before == &changing)
		return; /* whoever has it puts something there */
	static volatile size_t too_much = PTRDIFF_MAX / 2;
	if (before && next(a) % 32 == 0 && !realloc(before, too_much)) {
		note(a, "moved -", before, 0);
		note(a, "kept -", NULL, 0);
		atomic_store(&held->block, before);
		return;
	}
	uint64_t size = 1 + next(a) % (next(a) % 8 ? 300 : 40000), owner = (uint64_t)(a - accounts);
	int kind = (int)(next(a) % 5);
	if (before && kind == REALLOC) {
		note(a, "moved -", before, 0);
		now = realloc(before, size);
		note(a, "got realloc", now, size);
		got(a, REALLOC, size);
		before = NULL;
	} else if (kind != MMAP) {
		kind = kind == REALLOC ? MALLOC : kind;
		now = kind == MALLOC ? malloc(size) : kind == CALLOC ? calloc(1, size) : memalign(64, size);
		note(a, kind == MALLOC ? "got malloc" : kind == CALLOC ? "got calloc" : "got memalign", now, size);
		got(a, kind, size);
	}
	if (before)
		note(a, "freed -", before, 0);
	free(before);
	atomic_store(&held->what, now ? size << 16 | (uint64_t)kind << 8 | owner : 0);
	atomic_store(&held->block, now);
}

static void one_map(struct account *a)
{
	unsigned i = next(a) % MAPS;
	size_t size = a->maps[i].size;
	if (!size) {
		size = (1 + next(a) % 8) * PAGE;
		a->maps[i].start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		a->maps[i].size = size;
		note(a, "got mmap", a->maps[i].start, size);
		got(a, MMAP, size);
	} else if (next(a) % 2) { /* a page from its beginning or its end */
		bool end = next(a) % 2;
		unsigned char *page = a->maps[i].start + (end ? size - PAGE : 0);
		note(a, "unmapped -", page, PAGE);
		munmap(page, PAGE);
		a->maps[i].start += end ? 0 : PAGE;
		a->maps[i].size -= PAGE;
	} else {
		size_t other = (1 + next(a) % 12) * PAGE;
		note(a, "unmapped -", a->maps[i].start, size);
		a->maps[i].start = mremap(a->maps[i].start, size, other, MREMAP_MAYMOVE);
		a->maps[i].size = other;
		note(a, "got mmap", a->maps[i].start, other);
		got(a, MMAP, other);
	}
}

static void *work(void *argument)
{
	struct account *a = argument;
	a->tid = (uint32_t)syscall(SYS_gettid);
	for (int i = 0; i < operations; i++)
		if (next(a) % 16)
			one_block(a);
		else
			one_map(a);
	return NULL;
}

/* Prints the accounts: a line for each thread and kind: tid, kind, how many, bytes, and what of it is still there. */
void run(unsigned seed, int each)
{
	pthread_t threads[THREADS];
	operations = each;
	for (int i = 0; i < THREADS; i++) {
		accounts[i].random = seed * 7919u + (uint32_t)i;
		pthread_create(&threads[i], NULL, work, &accounts[i]);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < THREADS; i++)
		for (int kind = 0; kind < KINDS; kind++) {
			uint64_t bytes = 0, count = 0;
			for (int k = 0; k < SHARED && kind != MMAP; k++) {
				uint64_t what = shared[k].what;
				if (shared[k].block && (what & 255) == (uint64_t)i &&
					(what >> 8 & 255) == (uint64_t)kind)
					count++, bytes += what >> 16;
			}
			for (int k = 0; k < MAPS && kind == MMAP; k++)
				count += accounts[i].maps[k].size > 0, bytes += accounts[i].maps[k].size;
			printf("account %u %d %llu %llu %llu %llu\n", accounts[i].tid, kind,
				(unsigned long long)accounts[i].count[kind],
				(unsigned long long)accounts[i].bytes[kind], (unsigned long long)count,
				(unsigned long long)bytes);
		}
	fflush(stdout);
}

/* Prints the events: tid, what, who was asked, address, size. */
void print_events(void)
{
	for (int i = 0; i < THREADS; i++)
		for (int k = 0; k < logs[i].count; k++)
			printf("%u %s %lx %zu\n", accounts[i].tid, logs[i].events[k].what,
				(unsigned long)logs[i].events[k].address, logs[i].events[k].size);
	fflush(stdout);
}
