/* threads.h: which threads a target has: CPython's list of thread states. The newest is first, the main thread last. */
#pragma once
#include "sample/target.h"

/* Follows the list: target->threads becomes what it holds, each thread that was there before with all that is known of
 * it. */
struct error *threads_list(struct target *target);
/* Whether the list is what it was, by what the last read brought of it: the head is, and each state points to the next
 * one that we have. */
bool threads_unchanged(const struct target *target);
/* The thread of this state, or NULL. */
struct thread *threads_find(const struct target *target, uint64_t tstate);
/* Whether the thread at this index runs: a state is made by the thread that starts another, and has its creator's ident
 * until that one does. */
bool threads_has_begun(const struct target *target, size_t index);
void threads_destroy(struct target *target);
