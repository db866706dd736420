#include "sample/frames.h"

/* ---- walking one copy ---- */

const unsigned char *frames_find(struct thread *thread, const struct layout *l, enum region_copy copy, uint64_t address)
{
	return regions_find(&thread->regions, copy, address + frame_bytes_start(l), frame_bytes_size(l));
}

size_t frames_find_unchanged(const struct thread *thread, const struct layout *l, uint64_t until, uint64_t address)
{
	enum { UPPERMOST = 16 };
	size_t count = thread->seen_copied < thread->seen.frames.count ? thread->seen_copied
								       : thread->seen.frames.count;
	size_t least = count > UPPERMOST ? count - UPPERMOST : 0;
	if (address >= until || address + frame_bytes_size(l) > until)
		return 0;
	for (size_t i = count; i > least; i--)
		if (thread->seen.frames.data[i - 1].address == address)
			return i;
	return 0;
}

enum walk_end frames_walk(struct thread *thread, const struct layout *l, enum region_copy copy, uint64_t top,
	struct frame_list *list, uint64_t *ret_missing)
{
	list->frames.count = 0;
	list->shared = 0;
	for (uint64_t address = top; address;) {
		/* Never the leaf: its code object may be another by now. */
		if (list->frames.count &&
			(list->shared = frames_find_unchanged(thread, l, thread->unchanged_until, address)))
			return WALK_COMPLETE;
		if (list->frames.count >= THREAD_FRAMES_MAX)
			return WALK_CUT;
		const unsigned char *bytes = address & 7 ? NULL : frames_find(thread, l, copy, address);
		if (!bytes) {
			*ret_missing = address;
			return address & 7 || address >> 47 ? WALK_BROKEN : WALK_MISSING;
		}
		struct frame frame = frame_parse(l, address, bytes);
		if ((frame.kind == FRAME_PYTHON && !frame.code) || !vec_push(&list->frames, frame))
			return WALK_BROKEN;
		address = frame.previous;
	}
	return WALK_COMPLETE;
}

/* ---- frames to ids ---- */

/* False when frame and code do not belong together. */
struct error *frames_resolve(
	struct stack_context *c, const struct frame *frame, struct seen_frame *ret_seen, bool *ret_ok)
{
	struct seen_frame seen = { .address = frame->address,
		.code = frame->code,
		.instruction = frame->instruction,
		.from_c = frame->from_c,
		.revived = frame->revived };
	*ret_ok = true;
	if (frame->kind == FRAME_PYTHON) {
		const struct code_entry *entry;
		TRY(codes_get(c->codes, frame->code, &entry));
		int64_t offset = frame_offset(c->layout, frame);
		*ret_ok = entry && code_entry_has(entry, c->layout, offset);
		if (*ret_ok) {
			seen.code_id = entry->id;
			seen.offset = (int32_t)offset;
		}
	}
	*ret_seen = seen;
	return NULL;
}

static bool same_frame(const struct seen_frame *seen, const struct frame *frame)
{
	return seen->address == frame->address && seen->code == frame->code && seen->instruction == frame->instruction;
}

static bool same_seen(const struct seen_frame *a, const struct seen_frame *b)
{
	return a->address == b->address && a->code == b->code && a->instruction == b->instruction;
}

static struct error *intern(
	struct registry *registry, uint32_t parent, uint32_t code, int32_t offset, uint32_t *ret_node)
{
	uint32_t node = registry_find_stack(registry, parent, code, offset);
	if (!node)
		TRY(registry_add_stack(registry, parent, code, offset, &node));
	*ret_node = node;
	return NULL;
}

/* Puts a frame on top of thread->seen. */
struct error *frames_push(struct stack_context *c, struct thread *thread, struct seen_frame seen)
{
	const struct seen_frame *below = thread->seen.frames.count
						 ? &thread->seen.frames.data[thread->seen.frames.count - 1]
						 : NULL;
	uint32_t parent = below ? below->node : 0;
	seen.node = parent;
	seen.from_c |= below && !below->code_id;
	if (seen.code_id)
		TRY(intern(c->registry, parent, seen.code_id, seen.offset, &seen.node));
	return vec_push(&thread->seen.frames, seen) ? NULL : &error_no_memory;
}

struct error *frames_push_synthetic(struct stack_context *c, struct thread *thread, enum synthetic word)
{
	struct seen_frame seen = { 0 };
	TRY(registry_synthetic(c->registry, word, &seen.code_id));
	return frames_push(c, thread, seen);
}

/* How many frames at the root are those of the last sample. The leaf is always looked at anew, since its code object
 * may have been freed and another put in its place; so is, in turn, one of the others. */
size_t frames_common_root(const struct thread *thread, const struct frame_list *list)
{
	size_t count = list->frames.count, same = 0, shared = list->shared;
	while (same + 1 < count && shared + same < thread->seen.frames.count &&
		same_frame(&thread->seen.frames.data[shared + same], &list->frames.data[count - 1 - same]))
		same++;
	return shared + same;
}

/* Of the frames that stay one is looked at in turn, whether its code object is still the one that it was. */
static struct error *check_one(struct stack_context *c, struct thread *thread, size_t same, bool *ret_same)
{
	*ret_same = true;
	size_t i = thread->checks[1].frame;
	if (!thread->checks[1].address || i >= same)
		return NULL;
	const struct seen_frame *seen = &thread->seen.frames.data[i];
	const struct code_entry *entry;
	if (!seen->code_id || !seen->code)
		return NULL;
	TRY(codes_get(c->codes, seen->code, &entry));
	*ret_same = entry && entry->id == seen->code_id;
	if (!*ret_same)
		thread->seen.frames.count = i;
	return NULL;
}

struct error *frames_take_list(struct stack_context *c, struct thread *thread, const struct frame_list *list,
	size_t *ret_same, bool *ret_sound)
{
	size_t count = list->frames.count, same = frames_common_root(thread, list);
	thread->seen.frames.count = same;
	*ret_same = same;
	TRY(check_one(c, thread, same, ret_sound));
	if (!*ret_sound)
		return NULL;
	for (size_t i = same - list->shared; i < count; i++) {
		struct seen_frame seen;
		TRY(frames_resolve(c, &list->frames.data[count - 1 - i], &seen, ret_sound));
		if (!*ret_sound)
			return NULL;
		TRY(frames_push(c, thread, seen));
	}
	return NULL;
}

const struct seen_frame *frames_caller(const struct thread *thread, size_t index)
{
	while (index-- > 0)
		if (thread->seen.frames.data[index].code_id)
			return &thread->seen.frames.data[index];
	return NULL;
}

struct error *frames_take_seen(
	struct stack_context *c, struct thread *thread, const struct seen_list *list, size_t *ret_same)
{
	size_t same = 0, count = list->frames.count;
	while (same + 1 < count && same < thread->seen.frames.count &&
		same_seen(&thread->seen.frames.data[same], &list->frames.data[same]))
		same++;
	thread->seen.frames.count = *ret_same = same;
	for (size_t i = same; i < count; i++)
		TRY(frames_push(c, thread, list->frames.data[i]));
	return NULL;
}
