/* real.c: see real.h. */
#include "agent/memory/real.h"

#include <dlfcn.h>
#include <stdint.h>

#include "agent/old_libc.h"

struct real real;

static _Alignas(16) unsigned char early[1 << 16];
static size_t early_used;

void *real_early(size_t size)
{
	size = (size + 15) & ~(size_t)15;
	size_t at = __atomic_fetch_add(&early_used, size, __ATOMIC_RELAXED);
	return at + size <= sizeof early ? early + at : NULL;
}

bool real_is_early(const void *address)
{
	return (uintptr_t)address - (uintptr_t)early < sizeof early;
}

size_t real_early_left(const void *address)
{
	return sizeof early - (size_t)((const unsigned char *)address - early);
}

void real_find(void)
{
	static int looking;
	if (__atomic_exchange_n(&looking, 1, __ATOMIC_ACQ_REL))
		return;
	struct real found = { 0 };
	*(void **)&found.calloc = dlsym(RTLD_NEXT, "calloc");
	*(void **)&found.realloc = dlsym(RTLD_NEXT, "realloc");
	*(void **)&found.free = dlsym(RTLD_NEXT, "free");
	*(void **)&found.posix_memalign = dlsym(RTLD_NEXT, "posix_memalign");
	*(void **)&found.aligned_alloc = dlsym(RTLD_NEXT, "aligned_alloc");
	*(void **)&found.memalign = dlsym(RTLD_NEXT, "memalign");
	*(void **)&found.valloc = dlsym(RTLD_NEXT, "valloc");
	*(void **)&found.pvalloc = dlsym(RTLD_NEXT, "pvalloc");
	*(void **)&found.mmap = dlsym(RTLD_NEXT, "mmap");
	*(void **)&found.munmap = dlsym(RTLD_NEXT, "munmap");
	*(void **)&found.mremap = dlsym(RTLD_NEXT, "mremap");
	*(void **)&found.malloc = dlsym(RTLD_NEXT, "malloc");
	real = found;
}
