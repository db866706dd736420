/* writer.c: see writer.h. */
#include "agent/memory/writer.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/memory/lock.h"
#include "agent/old_libc.h"

__thread struct memory_thread memory_thread __attribute__((tls_model("initial-exec")));

_Atomic bool memory_writers_are_many;

static struct {
	_Atomic int taken; /* a lock, held for some instructions only */
	struct memory_writer *free;
	uint32_t session;	  /* that those are of */
	_Atomic uint32_t made_in; /* the session of the newest writer */
	pthread_key_t key;
	bool has_key;
} pool;

void *memory_take_pages(size_t size)
{
	void *pages = (void *)syscall(
		SYS_mmap, NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, (off_t)0);
	return pages == MAP_FAILED ? NULL : pages;
}

void memory_give_pages(void *pages, size_t size)
{
	if (pages)
		syscall(SYS_munmap, pages, size);
}

/* ---- the end of a thread ---- */

/* Called as often as it asks for: other destructors free memory, too, and theirs may come after ours. */
static void at_thread_end(void *rounds)
{
	struct memory_thread *t = &memory_thread;
	uintptr_t left = (uintptr_t)rounds;
	if (left > 1) {
		pthread_setspecific(pool.key, (void *)(left - 1));
		return;
	}
	struct memory_writer *writer = t->writer;
	t->writer = NULL;
	t->inside++; /* what is left of the thread is the libc's own */
	if (!writer || t->session != recorder.session)
		return;
	lock_take(&pool.taken);
	if (pool.session == t->session) {
		writer->next = pool.free;
		pool.free = writer;
	}
	lock_give(&pool.taken);
}

/* ---- its beginning ---- */

static struct memory_writer *take_free(void)
{
	lock_take(&pool.taken);
	if (pool.session != recorder.session) {
		pool.session = recorder.session;
		pool.free = NULL;
	}
	struct memory_writer *writer = pool.free;
	if (writer)
		pool.free = writer->next;
	lock_give(&pool.taken);
	return writer;
}

static struct memory_writer *make_writer(uint32_t tid)
{
	enum { FRAMES_FIRST = 256, SLOTS_FIRST = 1024 };
	struct memory_writer *writer = memory_take_pages(sizeof *writer);
	if (!writer)
		return NULL;
	if (atomic_exchange(&pool.made_in, recorder.session) == recorder.session)
		atomic_store(&memory_writers_are_many, true);
	writer->frames = memory_take_pages(FRAMES_FIRST * sizeof *writer->frames);
	writer->slots = memory_take_pages(SLOTS_FIRST * sizeof *writer->slots);
	writer->frame_room = FRAMES_FIRST;
	writer->slot_mask = SLOTS_FIRST - 1;
	writer->recorder = writer->frames && writer->slots ? recorder_add_thread(tid, 0, /* listed= */ true) : NULL;
	return writer->recorder ? writer : NULL;
}

bool memory_thread_begin(void)
{
	struct memory_thread *t = &memory_thread;
	int before = errno;
	uint32_t tid = (uint32_t)syscall(SYS_gettid);
	t->inside++;
	if (!pool.has_key)
		pool.has_key = pthread_key_create(&pool.key, at_thread_end) == 0;
	struct memory_writer *writer = take_free();
	if (!writer)
		writer = make_writer(tid);
	if (writer && pool.has_key)
		pthread_setspecific(pool.key, (void *)(uintptr_t)PTHREAD_DESTRUCTOR_ITERATIONS);
	t->writer = writer;
	t->session = writer ? recorder.session : 0;
	if (writer)
		memory_write(writer, STREAM_THREAD, 0, 0, 2, tid, (uint64_t)pthread_self());
	t->inside--;
	errno = before;
	return writer != NULL;
}

void memory_writers_forget(void)
{
	lock_give(&pool.taken);
	pool.free = NULL;
	atomic_store(&pool.made_in, 0);
	atomic_store(&memory_writers_are_many, false);
	memory_thread.writer = NULL;
	memory_thread.session = 0;
	memory_thread.inside = 0;
}

/* ---- room ---- */

static bool next_block(struct memory_writer *writer)
{
	struct timeline *t = &writer->recorder->timeline;
	if (atomic_load(&recorder.head->timeline_ended) || !timeline_next_block(writer->recorder)) {
		memory_thread.session = 0;
		memory_thread.writer = NULL;
		t->word = t->end = NULL;
		return false;
	}
	return true;
}

bool memory_writer_make_room(struct memory_writer *writer, size_t words, uint64_t now)
{
	struct timeline *t = &writer->recorder->timeline;
	const uint64_t ticks = now > t->last ? now - t->last : 0;
	bool pause = ticks >= 1ull << STREAM_TICKS;
	if ((size_t)(t->end - t->word) < words + pause && !next_block(writer))
		return false;
	if (pause) {
		t->last += ticks;
		atomic_store_explicit(t->word++,
			(ticks >> STREAM_TICKS) << 32 | (uint64_t)STREAM_PAUSE << STREAM_TICKS |
				(ticks & ((1ull << STREAM_TICKS) - 1)),
			memory_order_release);
	}
	return true;
}
