/* interpose.c: the malloc family, found before libc's since we are preloaded. */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "agent/memory/real.h"
#include "agent/memory/record.h"

#define EXPORTED __attribute__((visibility("default")))

/* Whether there is something to call; if not, it is being looked up by this very call. */
static inline bool is_there(void)
{
	if (__builtin_expect(!real.malloc, 0))
		real_find();
	return __builtin_expect(real.malloc != NULL, 1);
}

EXPORTED void *malloc(size_t size)
{
	if (!is_there())
		return real_early(size);
	void *got = real.malloc(size);
	record_alloc(ALLOCATOR_MALLOC, got, size);
	return got;
}

EXPORTED void *calloc(size_t count, size_t size)
{
	if (!is_there())
		return real_early(count * size);
	void *got = real.calloc(count, size);
	record_alloc(ALLOCATOR_CALLOC, got, count * size);
	return got;
}

EXPORTED void free(void *address)
{
	if (!is_there() || real_is_early(address))
		return;
	record_free(STREAM_FREE, address);
	real.free(address);
}

static void *move_early(const void *before, size_t size)
{
	void *got = malloc(size);
	size_t left = real_early_left(before);
	if (got)
		memcpy(got, before, size < left ? size : left);
	return got;
}

EXPORTED void *realloc(void *before, size_t size)
{
	struct memory_thread *t = &memory_thread;
	if (!is_there())
		return before ? NULL : real_early(size);
	if (real_is_early(before))
		return move_early(before, size);
	if (!memory_thread_is_on(t))
		return real.realloc(before, size);
	record_free(STREAM_REALLOC, before);
	t->inside++;
	void *got = real.realloc(before, size);
	record_got_again(t, ALLOCATOR_REALLOC, got, size, before && size);
	t->inside--;
	return got;
}

EXPORTED void *reallocarray(void *before, size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(before, bytes);
}

EXPORTED int posix_memalign(void **ret, size_t alignment, size_t size)
{
	if (!is_there())
		return ENOMEM;
	int error = real.posix_memalign(ret, alignment, size);
	if (!error)
		record_alloc(ALLOCATOR_ALIGNED, *ret, size);
	return error;
}

EXPORTED void *aligned_alloc(size_t alignment, size_t size)
{
	void *got = is_there() ? real.aligned_alloc(alignment, size) : NULL;
	record_alloc(ALLOCATOR_ALIGNED, got, size);
	return got;
}

EXPORTED void *memalign(size_t alignment, size_t size)
{
	void *got = is_there() ? real.memalign(alignment, size) : NULL;
	record_alloc(ALLOCATOR_ALIGNED, got, size);
	return got;
}

EXPORTED void *valloc(size_t size)
{
	void *got = is_there() ? real.valloc(size) : NULL;
	record_alloc(ALLOCATOR_ALIGNED, got, size);
	return got;
}

EXPORTED void *pvalloc(size_t size)
{
	void *got = is_there() ? real.pvalloc(size) : NULL;
	record_alloc(ALLOCATOR_ALIGNED, got, size);
	return got;
}
