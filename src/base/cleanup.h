/* cleanup.h: scope-bound ownership, so that an early return leaks nothing. */
#pragma once
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free_(void *p)
{
	free(*(void **)p);
}
static inline void cleanup_close_(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
static inline void cleanup_fclose_(FILE **f)
{
	if (*f)
		fclose(*f);
}
static inline void cleanup_closedir_(DIR **d)
{
	if (*d)
		closedir(*d);
}
#define _cleanup_free_	   __attribute__((cleanup(cleanup_free_)))
#define _cleanup_close_	   __attribute__((cleanup(cleanup_close_)))
#define _cleanup_fclose_   __attribute__((cleanup(cleanup_fclose_)))
#define _cleanup_closedir_ __attribute__((cleanup(cleanup_closedir_)))

/* Hand a scope-bound pointer to the caller: the scope forgets it. */
#define take_ptr(p)                     \
	({                              \
		__auto_type taken_ = p; \
		p = NULL;               \
		taken_;                 \
	})
static inline int take_fd(int *fd)
{
	int taken = *fd;
	*fd = -1;
	return taken;
}
