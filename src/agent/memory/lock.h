/* lock.h: a lock for what takes some instructions only, where no function of the libc that allocates may be called. */
#pragma once
#include <sched.h>
#include <stdatomic.h>

static inline void lock_take(_Atomic int *taken)
{
	while (atomic_exchange_explicit(taken, 1, memory_order_acquire))
		sched_yield();
}

/* Also in the child of a fork, where whoever held it is not. */
static inline void lock_give(_Atomic int *taken)
{
	atomic_store_explicit(taken, 0, memory_order_release);
}
