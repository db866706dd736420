/* plan.h: predicting where a thread's frames lie, from its last sample: what its next one copies.
 *
 * Until 3.10 each frame is an object of its own; where the frames of lately seen chains lie is remembered. From 3.11 it
 * is the used part of the data stack's chunks, and single frames elsewhere: generators', entries from C. */
#pragma once
#include "sample/target.h"

/* Lays thread->regions out anew, after a walk that did not find the frame at `missing`; 0: at the first sample, or when
 * the data stack moved. */
void plan_thread(struct target *target, struct thread *thread, uint64_t missing);
/* Remembers the callers in thread->walked: until 3.10 of all frames; later of those that lie in no chunk, generators'.
 */
void plan_remember_links(struct target *target, const struct thread *thread);

/* From 3.11: the head of a thread's newest chunk was read; the older ones are looked up now. */
void plan_take_chunk(struct target *target, struct thread *thread, uint64_t chunk, const unsigned char *head);
/* A region of its own, the last of the list, for a frame that a first look has met. False when there is no memory. */
bool plan_add_frame(struct target *target, struct thread *thread, uint64_t address);
/* All frames of a thread have been met: lays the regions out for its samples. */
void plan_followed(struct target *target, struct thread *thread);
