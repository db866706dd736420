/* reading.h: what one sample copies of a target, and in which order: the pieces of one system call. */
#pragma once
#include "sample/target.h"

/* Adds to the batch. */
void reading_add_gil(struct target *target, struct gil_seen *seen);
void reading_add_interpreter(struct target *target);
/* Both, and the GIL as the last thing seen of it, in one piece where they lie together. */
void reading_add_interpreter_and_gil(struct target *target);
/* A thread that may run while it is read: two copies of its frames. */
void reading_add_moving(struct target *target, struct thread *thread);
/* The same with so many looks (looks.h), and the GIL after the first: gil_first. */
void reading_add_looks(struct target *target, struct thread *thread, unsigned looks);
/* One that stands still. */
void reading_add_standing(struct target *target, struct thread *thread);
/* Nothing but a thread's planned regions, or the last of them, once. */
void reading_add_frames(struct target *target, struct thread *thread);
void reading_add_last_frame(struct target *target, struct thread *thread);

/* Copies what was added. ERROR_GONE, ERROR_DENIED: the target cannot be read. */
struct error *reading_run(struct target *target);

/* From the bytes into the target's fields. */
void reading_take_gil(const struct target *target, struct gil_seen *seen);
void reading_take_interpreter(struct target *target);
void reading_take_interpreter_and_gil(struct target *target);
/* The frame pointers, and what is known of code objects. False when the thread must be read again: the frame pointer
 * was not where it was looked for. `looks`: how many were added. */
bool reading_take_thread(struct target *target, struct thread *thread, bool moving, unsigned looks);
/* All second copies and the pointers after them anew, where a region was not as still as it seemed; and what came. */
void reading_add_second(struct target *target, struct thread *thread);
void reading_take_second(struct target *target, struct thread *thread);
