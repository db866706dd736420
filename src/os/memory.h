/* memory.h: bytes at addresses, wherever they are: a live process, a frozen test image, a core file, our own process.
 * Whoever reads CPython reads through this and cannot tell the difference.
 *
 * `read` has the meaning of process_vm_readv(2): the pieces are copied in order, in one go; the result is how many
 * bytes came before the first piece that could not be read in full, or -1 with errno when not even the first could. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/error.h"

struct memory;
struct memory_ops {
	ssize_t (*read)(struct memory *, const struct iovec *local, const struct iovec *remote, size_t count);
	void (*destroy)(struct memory *);
	/* May be NULL: see memory_expect(). */
	void (*expect)(struct memory *, const uint64_t *addresses, size_t count, size_t size);
};
struct memory {
	const struct memory_ops *ops;
};

enum { MEMORY_PIECES_MAX = 1024 }; /* IOV_MAX: pieces of one read that happen in one system call */

static inline ssize_t memory_read_pieces(
	struct memory *memory, const struct iovec *local, const struct iovec *remote, size_t count)
{
	return memory->ops->read(memory, local, remote, count);
}

/* A hint: so many bytes at each of these addresses are read soon. A memory that remembers gets them in one go. */
static inline void memory_expect(struct memory *memory, const uint64_t *addresses, size_t count, size_t size)
{
	if (memory->ops->expect)
		memory->ops->expect(memory, addresses, count, size);
}

/* All of it, or false with errno. */
bool memory_read(struct memory *memory, uint64_t address, void *bytes, size_t size);
bool memory_read_u64(struct memory *memory, uint64_t address, uint64_t *ret_value);
bool memory_read_u32(struct memory *memory, uint64_t address, uint32_t *ret_value);
/* A NUL-terminated string of at most size - 1 bytes, cut there if it is longer. */
bool memory_read_string(struct memory *memory, uint64_t address, char *text, size_t size);
void memory_destroy(struct memory *memory); /* NULL-safe */
static inline void memory_clean_(struct memory **memory)
{
	memory_destroy(*memory);
}
#define _cleanup_memory_ __attribute__((cleanup(memory_clean_)))

/* The memory of a live process. Never fails by itself: the first read says whether we may. */
struct error *memory_open_process(pid_t pid, struct memory **ret);
