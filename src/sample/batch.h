/* batch.h: many small reads as one system call. A piece that cannot be read does not spoil those behind it: the read
 * goes on after it. */
#pragma once
#include "base/vec.h"
#include "os/memory.h"

struct batch {
	VEC(struct iovec) local;
	VEC(struct iovec) remote;
	VEC(bool *) failures; /* NULL: nobody asks */
	bool no_memory;
};

void batch_clear(struct batch *batch);
/* `ret_failed`, if given, is set to whether the piece could not be read. */
void batch_add(struct batch *batch, uint64_t address, void *bytes, size_t size, bool *ret_failed);
/* False only when nothing at all could be read: errno says why. */
bool batch_read(struct batch *batch, struct memory *memory);
void batch_deinit(struct batch *batch);
