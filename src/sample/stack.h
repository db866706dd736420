/* stack.h: from the copies of a thread's memory to the stack that it had, and how sure that is.
 *
 * In a GIL build only the holder's frames can move, and only while it runs. For it the frame pointer is copied three
 * times and the frames twice, all in one system call: pointer, frames, pointer, frames. While a frame is alive, those
 * below it stand still. So a stack is *exact* when the pointer was the same before and after the first copy and no
 * frame differs between the copies but for the instruction of the leaf.
 *
 * Otherwise the thread called or returned meanwhile, and its stack as it was between the copies is put together from
 * what both hold (repair.c), with no step that sound samples have not proven (evidence.h): it is *repaired*; or, where
 * that cannot be, *partial*. Nothing is retried until it looks good, and nothing is dropped: both would prefer slow
 * states to quick ones. */
#pragma once
#include "sample/frames.h"

/* The frames of the walk in thread->walked as a stack of the recording: thread->stack, ->quality, ->changed, ->seen.
 * `moving`: two copies were made and decide the quality; else the thread stood still by construction. */
struct error *stack_take(struct stack_context *context, struct thread *thread, enum walk_end end, bool moving);
