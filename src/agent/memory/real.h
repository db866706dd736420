/* real.h: the functions behind ours: libc's, or those of whoever stands between. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct real {
	void *(*malloc)(size_t);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	void (*free)(void *);
	int (*posix_memalign)(void **, size_t, size_t);
	void *(*aligned_alloc)(size_t, size_t);
	void *(*memalign)(size_t, size_t);
	void *(*valloc)(size_t);
	void *(*pvalloc)(size_t);
	void *(*mmap)(void *, size_t, int, int, int, off_t);
	int (*munmap)(void *, size_t);
	void *(*mremap)(void *, size_t, size_t, int, ...);
};
extern struct real real;

/* Before the first use of any: the loader may ask for memory before our constructor runs. */
void real_find(void);

/* Memory for who asks while they are being looked up: never given back. */
void *real_early(size_t size);
bool real_is_early(const void *address);
size_t real_early_left(const void *address); /* bytes from there to the end of all early memory */
