/* maps.c: mmap and its kin. What libc itself maps, for malloc and for the stacks of threads, does not come by here. */
/* Both names are functions here, not one by the other. */
#undef _FILE_OFFSET_BITS
#include <stdarg.h>
#include <sys/mman.h>

#include "agent/memory/real.h"
#include "agent/memory/record.h"

#define EXPORTED __attribute__((visibility("default")))

static enum stream_allocator kind_of(int protection, int flags)
{
	if (!(flags & MAP_ANONYMOUS))
		return ALLOCATOR_FILE;
	return protection == PROT_NONE || flags & MAP_NORESERVE ? ALLOCATOR_RESERVED : ALLOCATOR_MMAP;
}

static void record_unmap(const void *address, size_t size)
{
	struct memory_thread *t = &memory_thread;
	if (!memory_thread_is_on(t))
		return;
	t->inside++;
	memory_write(t->writer, STREAM_UNMAP, 0, 0, 2, (uintptr_t)address, size);
	t->inside--;
}

EXPORTED void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
	if (!real.mmap)
		real_find();
	if (flags & MAP_FIXED) /* what lies there goes */
		record_unmap(address, size);
	void *got = real.mmap(address, size, protection, flags, fd, offset);
	if (got != MAP_FAILED)
		record_alloc(kind_of(protection, flags), got, size);
	return got;
}

EXPORTED void *mmap64(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
	return mmap(address, size, protection, flags, fd, offset);
}

/* It fails only where nothing was asked for that is mapped. */
EXPORTED int munmap(void *address, size_t size)
{
	if (!real.munmap)
		real_find();
	record_unmap(address, size);
	return real.munmap(address, size);
}

EXPORTED void *mremap(void *before, size_t before_size, size_t size, int flags, ...)
{
	va_list more;
	va_start(more, flags);
	void *wish = flags & MREMAP_FIXED ? va_arg(more, void *) : NULL;
	va_end(more);
	if (!real.mremap)
		real_find();
	/* Before: what it leaves may be another thread's at once. Where it fails, which is seldom, who asked is said to
	 * have got what is there still. */
	record_unmap(before, before_size);
	void *got = real.mremap(before, before_size, size, flags, wish);
	record_alloc(ALLOCATOR_MMAP, got == MAP_FAILED ? before : got, got == MAP_FAILED ? before_size : size);
	return got;
}
