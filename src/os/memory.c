#include "os/memory.h"

#include <string.h>

bool memory_read(struct memory *memory, uint64_t address, void *bytes, size_t size)
{
	struct iovec local = { bytes, size }, remote = { (void *)(uintptr_t)address, size };
	return memory_read_pieces(memory, &local, &remote, 1) == (ssize_t)size;
}

bool memory_read_u64(struct memory *memory, uint64_t address, uint64_t *ret_value)
{
	return memory_read(memory, address, ret_value, sizeof *ret_value);
}

bool memory_read_u32(struct memory *memory, uint64_t address, uint32_t *ret_value)
{
	return memory_read(memory, address, ret_value, sizeof *ret_value);
}

bool memory_read_string(struct memory *memory, uint64_t address, char *text, size_t size)
{
	/* In pieces that end where a page does, since the page after the string need not exist. */
	size_t have = 0;
	while (have < size - 1) {
		size_t piece = 256 - (size_t)((address + have) % 256);
		if (piece > size - 1 - have)
			piece = size - 1 - have;
		if (!memory_read(memory, address + have, text + have, piece))
			return false;
		if (memchr(text + have, '\0', piece))
			return true;
		have += piece;
	}
	text[have] = '\0';
	return true;
}

void memory_destroy(struct memory *memory)
{
	if (memory)
		memory->ops->destroy(memory);
}
