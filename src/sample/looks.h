/* looks.h: several looks at the thread that runs, in one system call: where it samples as fast as it goes.
 *
 * A read costs its system call and two copies of the frames. When nobody waits for the next tick, the copies follow one
 * another in one call, pointer, frames, pointer, frames, ..., and each is the second one of the look before: a look
 * costs one copy, and its share of the call. Of each look holds what makes a stack exact: its frames are in two copies,
 * with a pointer before, between and after them. What does not hold is that nothing was touched before it: the look
 * before has taken the lines away, half a microsecond ago, and the thread may still wait for one at its next call or
 * return. Such looks see callers too long, by some 3 points where calls last a microsecond. So they stand for little
 * time: each for that since the look before, the first of a read for all that passed since the last read.
 *
 * Only one thread may run while such a call lasts: all others are settled, and the GIL's switch number is the same at
 * its end as after the first look. Where it is not, or where frames lie elsewhere than was predicted, the first look
 * counts, and the next calls have one look, then two, then four. */
#pragma once
#include "sample/target.h"

/* Adds the copies of as many looks as may be made of this thread to the batch: reading_add_moving() where that is one.
 */
void looks_add(struct target *target, struct thread *mover);
/* reading_run(), and when it was. */
struct error *looks_run(struct target *target);
/* What was read has one look, the first; and so has the next. */
void looks_give_up(struct target *target);
/* To the next look: the thread's copies and pointers are those of it, target->held_by is who held the GIL. */
void looks_advance(struct target *target);
/* How long after the beginning of the read the present look was, ns; 0 where reads have but one look. */
uint64_t looks_delay(const struct target *target);
