/* states.h: what a thread was doing at a sample, as bits of enum thread_state, as cheaply as it can be known.
 *
 * A holder of the GIL whose stack moved is on a core: no question to the kernel. Any other thread is asked about when
 * its stack changed, and else every 10 ms, or up to every 40 ms while it has not had the GIL and was found the same: so
 * the state of a thread that did not move may be that old. A thread that waits in a futex inside the GIL's own struct
 * waits for the GIL; nothing else does. A thread that a debugger has stopped by itself, while it was waiting for an
 * event and the main thread is not traced, passes for asleep. */
#pragma once
#include "sample/target.h"

enum { STATES_AGE_MIN = 10000000 /* ns */, STATES_AGE_MAX = 4 * STATES_AGE_MIN };

/* For a thread of the last target_sample. *ret_syscall: while STATE_IN_SYSCALL. */
uint16_t states_of_thread(struct target *target, struct thread *thread, uint64_t now, uint16_t *ret_syscall);
