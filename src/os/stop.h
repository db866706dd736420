/* stop.h: stopping one thread of another process for some microseconds, for `--blocking`.
 *
 * A stop makes many system calls return EINTR, so a thread that is seen in one is not stopped, and a call that was
 * begun in between is begun again. Once seized, a thread stays seized until the process ends or we leave; the kernel
 * lets go of it by itself should we die. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/map.h"

struct stopper {
	struct map seized;   /* tid -> 1 */
	uint64_t stopped_ns; /* how long threads stood because of us, in all */
	uint64_t stopped_at;
	pid_t child; /* the one that we started, whose end is not taken here; 0: none */
};

/* Stops the thread if it runs user code. *ret_stopped is false when it was in a system call, or is gone. */
struct error *stop_thread(struct stopper *stopper, pid_t tid, int state_fd, bool *ret_stopped);
void stop_continue(struct stopper *stopper, pid_t tid);
/* Lets go of all threads. */
void stopper_deinit(struct stopper *stopper);
