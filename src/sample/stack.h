/* stack.h: from the copies of a thread's memory to the stack that it had, and how sure that is.
 *
 * In a GIL build only the holder's frames can move, and only while it runs. For it the frame pointer is copied three
 * times and the frames twice, all in one system call: pointer, frames, pointer, frames. While a frame is alive, those
 * below it stand still. So a stack is *exact* when the pointer was the same before and after the first copy and no frame
 * differs between the copies but for the instruction of the leaf.
 *
 * Otherwise the thread called or returned meanwhile, and the stack as it was at the first copy is put together from what
 * that copy holds: upwards from the frames that both pointers agree on, each next frame only where exact samples have
 * proven that this call site calls that code (evidence.h). Where that ends at an instruction that was seen as a leaf, the
 * stack is *repaired*; else the rest is unknown and the stack *partial*. Nothing is retried until it looks good, and
 * nothing is dropped: both would prefer slow states to quick ones. */
#pragma once
#include "sample/thread.h"

enum walk_end {
	WALK_COMPLETE, /* the root was reached */
	WALK_MISSING,  /* a frame lies where nothing was copied: `ret_missing` */
	WALK_BROKEN,   /* a frame that is none: the copy is torn */
	WALK_CUT,      /* deeper than THREAD_FRAMES_MAX */
};

/* Follows the frames from `top` in one copy, leaf first. */
enum walk_end stack_walk(struct thread *thread, const struct layout *layout, enum region_copy copy, uint64_t top,
	struct frame_list *list, uint64_t *ret_missing);

struct stack_context {
	const struct layout *layout;
	struct codes *codes;
	struct registry *registry;
	struct evidence *evidence;
};

/* The frames of a walk as a stack of the recording: thread->stack, ->quality, ->changed, ->seen.
 * `moving`: two copies were made and decide the quality; else the thread stood still by construction. */
struct error *stack_take(struct stack_context *context, struct thread *thread, enum walk_end end, bool moving);
