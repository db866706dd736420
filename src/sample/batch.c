#include "sample/batch.h"

#include <errno.h>

void batch_clear(struct batch *batch)
{
	batch->local.count = batch->remote.count = batch->failures.count = 0;
	batch->no_memory = false;
}

void batch_add(struct batch *batch, uint64_t address, void *bytes, size_t size, bool *ret_failed)
{
	struct iovec local = { bytes, size }, remote = { (void *)(uintptr_t)address, size };
	if (!vec_push(&batch->local, local) || !vec_push(&batch->remote, remote) ||
		!vec_push(&batch->failures, ret_failed)) {
		batch->no_memory = true;
		return;
	}
	if (ret_failed)
		*ret_failed = false;
}

bool batch_read(struct batch *batch, struct memory *memory)
{
	size_t count = batch->failures.count, done = 0;
	bool any = false;
	if (batch->no_memory) {
		errno = ENOMEM;
		return false;
	}
	while (done < count) {
		ssize_t got = memory_read_pieces(
			memory, batch->local.data + done, batch->remote.data + done, count - done);
		if (got < 0 && errno != EFAULT && errno != EIO)
			return false;
		size_t rest = got < 0 ? 0 : (size_t)got;
		while (done < count && rest >= batch->remote.data[done].iov_len) {
			rest -= batch->remote.data[done++].iov_len;
			any = true;
		}
		if (done < count) {
			if (batch->failures.data[done])
				*batch->failures.data[done] = true;
			done++;
		}
	}
	if (!any)
		errno = EFAULT;
	return any;
}

void batch_deinit(struct batch *batch)
{
	vec_free(&batch->local);
	vec_free(&batch->remote);
	vec_free(&batch->failures);
}
