/* housekeeping.h: what is asked of a process now and then, between samples: the CPU time of its threads, their names,
 * how often its collector ran. Each piece, one thread of one process, takes some tens of microseconds; what is due is
 * spread over as many ticks as it takes, so that no sample is late because of it. */
#pragma once
#include "sample/family.h"

/* Gives the sink what is due, until the time `until` (CLOCK_MONOTONIC), but at least one piece. `now`: event time. */
struct error *housekeeping_run(struct family *family, uint64_t now, uint64_t until);

/* The last CPU times of a member that has ended, or executed something else, as far as the kernel still has them. */
struct error *housekeeping_read_last(struct sink *sink, struct member *member, uint64_t now);

/* Gives a thread its id and tells the sink of it; its name follows with the next housekeeping. */
struct error *housekeeping_define_thread(struct family *family, struct member *member, struct thread *thread);
