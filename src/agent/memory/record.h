/* record.h: what the hooks do with the thread's stream: around each, memory_thread_is_on() and `inside`. */
#pragma once
#include "agent/memory/interpreter.h"
#include "agent/memory/path.h"

/* The main program's end, seen by the first event after it: finalization frees what was live then. */
void record_end_of_main(struct memory_writer *writer);
extern _Atomic bool record_main_ended;

static inline void record_look_at_main(struct memory_writer *writer)
{
	if (__builtin_expect(interpreter_ends(), 0) && !atomic_load_explicit(&record_main_ended, memory_order_relaxed))
		record_end_of_main(writer);
}

/* What was got. `inside` is counted by the caller. */
static inline void record_got(
	struct memory_thread *t, enum stream_allocator allocator, const void *address, uint64_t size)
{
	if (!t->writer || __builtin_expect(t->quiet, 0))
		return;
	record_look_at_main(t->writer);
	uint32_t step = path_of_thread(t->writer);
	memory_write(t->writer, STREAM_ALLOC, allocator, step, 2, (uintptr_t)address, size);
}

/* Of a realloc, whose block STREAM_REALLOC has freed: what was got, or, where it failed, that `kept`: what was there is
 * there still. `inside` is counted by the caller. */
static inline void record_got_again(
	struct memory_thread *t, enum stream_allocator allocator, const void *address, uint64_t size, bool kept)
{
	if (address)
		record_got(t, allocator, address, size);
	else if (kept && t->writer)
		memory_write(t->writer, STREAM_KEPT, 0, 0, 0, 0, 0);
}

static inline void record_alloc(enum stream_allocator allocator, const void *address, uint64_t size)
{
	struct memory_thread *t = &memory_thread;
	if (!address || !memory_thread_is_on(t))
		return;
	t->inside++;
	record_got(t, allocator, address, size);
	t->inside--;
}

static inline void record_free(enum stream_kind kind, const void *address)
{
	struct memory_thread *t = &memory_thread;
	if (!address || !memory_thread_is_on(t))
		return;
	t->inside++;
	record_look_at_main(t->writer);
	memory_write(t->writer, kind, 0, 0, 1, (uintptr_t)address, 0);
	t->inside--;
}
