/* frames.h: walking one copy of a thread's memory, and turning its frames into nodes of the trie. */
#pragma once
#include "sample/sites.h"
#include "sample/thread.h"

/* What a thread's stack is made with. */
struct stack_context {
	const struct layout *layout;
	struct codes *codes;
	struct registry *registry;
	struct evidence *evidence;
	struct sites *sites;
	struct map *links;	  /* until 3.10: frame -> its caller's frame, as last seen */
	int32_t instruction_unit; /* bytes of code for each step of frame.instruction: 2 in 3.10, else 1 */
};

enum walk_end {
	WALK_COMPLETE, /* the root was reached */
	WALK_MISSING,  /* a frame lies where nothing was copied: `ret_missing` */
	WALK_BROKEN,   /* a frame that is none: the copy is torn */
	WALK_CUT,      /* deeper than THREAD_FRAMES_MAX */
};

/* The bytes of the frame at an address in a copy, or NULL. */
const unsigned char *frames_find(
	struct thread *thread, const struct layout *layout, enum region_copy copy, uint64_t address);

/* How many frames at the root of the last sample's stack end with the one at this address, if they are unchanged since,
 * as all is below `until`; 0: it is not among the uppermost of them. */
size_t frames_find_unchanged(
	const struct thread *thread, const struct layout *layout, uint64_t until, uint64_t address);
/* Follows the frames from `top` in one copy, leaf first. */
enum walk_end frames_walk(struct thread *thread, const struct layout *layout, enum region_copy copy, uint64_t top,
	struct frame_list *list, uint64_t *ret_missing);

/* A frame with its code's id; *ret_ok is false when frame and code do not belong together. */
struct error *frames_resolve(
	struct stack_context *context, const struct frame *frame, struct seen_frame *ret_seen, bool *ret_ok);
/* Puts a frame, or a word of ours, on top of thread->seen. */
struct error *frames_push(struct stack_context *context, struct thread *thread, struct seen_frame seen);
struct error *frames_push_synthetic(struct stack_context *context, struct thread *thread, enum synthetic word);
/* thread->seen becomes all frames of the list, root first, as far as they are sound; *ret_same: how many stood there
 * already. */
struct error *frames_take_list(struct stack_context *context, struct thread *thread, const struct frame_list *list,
	size_t *ret_same, bool *ret_sound);
/* How many frames at the root of the list are those of thread->seen; never the leaf. */
size_t frames_common_root(const struct thread *thread, const struct frame_list *list);
/* thread->seen becomes a copy of the list, with nodes; *ret_same: how many stood there already. */
struct error *frames_take_seen(
	struct stack_context *context, struct thread *thread, const struct seen_list *list, size_t *ret_same);
/* The nearest frame with code below an index of thread->seen, or NULL. */
const struct seen_frame *frames_caller(const struct thread *thread, size_t index);

/* Puts the stack of a torn read together from evidence (stack.h). */
struct error *repair_stack(struct stack_context *context, struct thread *thread);
