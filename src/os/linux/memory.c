/* The memory of a live process: process_vm_readv(2), which neither stops the target nor touches it. */
#include "os/memory.h"

#include <stdlib.h>

struct process_memory {
	struct memory memory;
	pid_t pid;
};

static ssize_t process_read(struct memory *memory, const struct iovec *local, const struct iovec *remote, size_t count)
{
	struct process_memory *process = (struct process_memory *)memory;
	ssize_t total = 0;
	while (count) {
		size_t pieces = count < MEMORY_PIECES_MAX ? count : MEMORY_PIECES_MAX;
		ssize_t got = process_vm_readv(process->pid, local, pieces, remote, pieces, 0);
		if (got < 0)
			return total ? total : -1;
		total += got;
		if (pieces == count)
			break;
		size_t asked = 0;
		for (size_t i = 0; i < pieces; i++)
			asked += remote[i].iov_len;
		if ((size_t)got < asked)
			break;
		local += pieces;
		remote += pieces;
		count -= pieces;
	}
	return total;
}

static void process_destroy(struct memory *memory)
{
	free(memory);
}

struct error *memory_open_process(pid_t pid, struct memory **ret)
{
	static const struct memory_ops ops = { .read = process_read, .destroy = process_destroy };
	struct process_memory *process = malloc(sizeof *process);
	if (!process)
		return &error_no_memory;
	*process = (struct process_memory){ .memory = { &ops }, .pid = pid };
	*ret = &process->memory;
	return NULL;
}
