#include "sample/stack.h"

/* ---- walking one copy ---- */

static const unsigned char *find_frame(struct thread *thread, const struct layout *l, enum region_copy copy, uint64_t address)
{
	return regions_find(&thread->regions, copy, address + frame_bytes_start(l), frame_bytes_size(l));
}

enum walk_end stack_walk(struct thread *thread, const struct layout *l, enum region_copy copy, uint64_t top,
	struct frame_list *list, uint64_t *ret_missing)
{
	list->frames.count = 0;
	for (uint64_t address = top; address;) {
		if (list->frames.count >= THREAD_FRAMES_MAX)
			return WALK_CUT;
		const unsigned char *bytes = address & 7 ? NULL : find_frame(thread, l, copy, address);
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

/* ---- are the two copies the same stack? ---- */

static bool copies_agree(struct thread *thread, const struct layout *l, const struct frame_list *list)
{
	if (thread->tops[0] != thread->tops[1])
		return false;
	for (size_t i = 0; i < list->frames.count; i++) {
		const struct frame *one = &list->frames.data[i];
		const unsigned char *bytes = find_frame(thread, l, COPY_SECOND, one->address);
		if (!bytes)
			return false;
		struct frame two = frame_parse(l, one->address, bytes);
		if (two.previous != one->previous || two.code != one->code || two.kind != one->kind ||
		    (i > 0 && two.instruction != one->instruction))
			return false;
	}
	return true;
}

/* ---- frames to ids ---- */

/* False when frame and code do not belong together. */
static struct error *resolve(struct stack_context *c, const struct frame *frame, struct seen_frame *ret_seen, bool *ret_ok)
{
	struct seen_frame seen = { .address = frame->address, .code = frame->code, .instruction = frame->instruction };
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

static struct error *intern(struct registry *registry, uint32_t parent, uint32_t code, int32_t offset, uint32_t *ret_node)
{
	uint32_t node = registry_find_stack(registry, parent, code, offset);
	if (!node)
		TRY(registry_add_stack(registry, parent, code, offset, &node));
	*ret_node = node;
	return NULL;
}

/* Puts a frame on top of thread->seen. */
static struct error *push(struct stack_context *c, struct thread *thread, struct seen_frame seen)
{
	uint32_t parent = thread->seen.count ? thread->seen.data[thread->seen.count - 1].node : 0;
	seen.node = parent;
	if (seen.code_id)
		TRY(intern(c->registry, parent, seen.code_id, seen.offset, &seen.node));
	return vec_push(&thread->seen, seen) ? NULL : &error_no_memory;
}

static struct error *push_synthetic(struct stack_context *c, struct thread *thread, enum synthetic word)
{
	struct seen_frame seen = { 0 };
	TRY(registry_synthetic(c->registry, word, &seen.code_id));
	return push(c, thread, seen);
}

/* How many frames at the root are those of the last sample. The leaf is always looked at anew, since its code object may
 * have been freed and another put in its place; so is, in turn, one of the others. */
static size_t common_root(const struct thread *thread, const struct frame_list *list)
{
	size_t count = list->frames.count, same = 0;
	while (same + 1 < count && same < thread->seen.count && same_frame(&thread->seen.data[same], &list->frames.data[count - 1 - same]))
		same++;
	return same;
}

/* All frames of the list, root first, as far as they are sound; *ret_same: how many stood there already. */
static struct error *take_list(struct stack_context *c, struct thread *thread, const struct frame_list *list, size_t *ret_same, bool *ret_sound)
{
	size_t count = list->frames.count, same = common_root(thread, list);
	thread->seen.count = same;
	*ret_same = same;
	*ret_sound = true;
	for (size_t i = same; i < count; i++) {
		struct seen_frame seen;
		TRY(resolve(c, &list->frames.data[count - 1 - i], &seen, ret_sound));
		if (!*ret_sound)
			return NULL;
		TRY(push(c, thread, seen));
	}
	return NULL;
}

/* ---- evidence ---- */

static const struct seen_frame *caller_of(const struct thread *thread, size_t index)
{
	while (index-- > 0)
		if (thread->seen.data[index].code_id)
			return &thread->seen.data[index];
	return NULL;
}

/* What an exact stack proves, from frame `from` up. */
static bool learn(struct stack_context *c, const struct thread *thread, size_t from)
{
	bool ok = true;
	for (size_t i = from; i < thread->seen.count; i++) {
		const struct seen_frame *frame = &thread->seen.data[i], *caller = caller_of(thread, i);
		if (caller && frame->code_id)
			ok &= evidence_add(c->evidence, caller->code_id, caller->offset, frame->code_id);
	}
	const struct seen_frame *leaf = caller_of(thread, thread->seen.count);
	if (leaf)
		ok &= evidence_add(c->evidence, leaf->code_id, leaf->offset, 0);
	return ok;
}

/* ---- repair ---- */

/* The frame at an address as the first copy has it, if `caller` is what it returns to, through at most one entry from C. */
static bool is_callee(struct thread *thread, const struct layout *l, uint64_t address, uint64_t caller, struct frame *ret_frame)
{
	const unsigned char *bytes = address ? find_frame(thread, l, COPY_FIRST, address) : NULL;
	if (!bytes)
		return false;
	struct frame frame = frame_parse(l, address, bytes);
	if (frame.kind != FRAME_PYTHON || !frame.code)
		return false;
	if (frame.previous != caller) {
		bytes = frame.previous ? find_frame(thread, l, COPY_FIRST, frame.previous) : NULL;
		if (!bytes)
			return false;
		struct frame entry = frame_parse(l, frame.previous, bytes);
		if (entry.kind != FRAME_SHIM || entry.previous != caller)
			return false;
	}
	*ret_frame = frame;
	return true;
}

/* Where a callee of `caller` may be: right behind its frame on the data stack, or where a chain that was copied has it. */
static size_t candidates(struct stack_context *c, const struct thread *thread, const struct seen_frame *caller, uint64_t ret_addresses[static 4])
{
	size_t count = 0;
	uint64_t *index = map_get(&c->codes->by_address, caller->code);
	if (index && c->codes->entries.data[*index].head.frame_size)
		ret_addresses[count++] = caller->address + c->codes->entries.data[*index].head.frame_size;
	for (int k = 0; k < 2; k++) {
		const struct frame_list *list = &thread->walked[k];
		for (size_t i = 1; i < list->frames.count; i++)
			if (list->frames.data[i].address == caller->address) {
				size_t above = i - 1;
				if (list->frames.data[above].kind == FRAME_SHIM && above > 0)
					above--;
				ret_addresses[count++] = list->frames.data[above].address;
				break;
			}
	}
	return count;
}

/* Puts the proven callee of the top frame on it; *ret_grown is false when there is none. */
static struct error *climb(struct stack_context *c, struct thread *thread, bool *ret_grown)
{
	struct seen_frame top = thread->seen.data[thread->seen.count - 1];
	uint64_t addresses[4];
	size_t count = candidates(c, thread, &top, addresses);
	*ret_grown = false;
	for (size_t i = 0; i < count; i++) {
		struct frame frame;
		struct seen_frame seen;
		bool ok;
		if (!is_callee(thread, c->layout, addresses[i], top.address, &frame))
			continue;
		TRY(resolve(c, &frame, &seen, &ok));
		if (!ok || !evidence_has(c->evidence, top.code_id, top.offset, seen.code_id))
			continue;
		*ret_grown = true;
		return push(c, thread, seen);
	}
	return NULL;
}

/* How many frames at the root two leaf-first chains share, as the first copy has both. */
static size_t shared_root(const struct frame_list *a, const struct frame_list *b)
{
	size_t shared = 0, least = a->frames.count < b->frames.count ? a->frames.count : b->frames.count;
	while (shared < least && a->frames.data[a->frames.count - 1 - shared].address == b->frames.data[b->frames.count - 1 - shared].address)
		shared++;
	return shared;
}

/* thread->seen becomes what certainly was on the stack at the first copy: what the chains from both pointers share. Of
 * the last sample's frames only the root when neither chain is whole. */
static struct error *take_base(struct stack_context *c, struct thread *thread)
{
	uint64_t missing;
	struct frame_list *a = &thread->walked[0], *b = &thread->walked[1];
	bool have_a = stack_walk(thread, c->layout, COPY_FIRST, thread->tops[0], a, &missing) == WALK_COMPLETE && a->frames.count;
	bool have_b = stack_walk(thread, c->layout, COPY_FIRST, thread->tops[1], b, &missing) == WALK_COMPLETE && b->frames.count;
	const struct frame_list *list = have_a ? a : b;
	size_t base = have_a && have_b ? shared_root(a, b) : have_a || have_b ? 1 : 0;
	if (!base) {
		thread->seen.count = 0;
		return NULL;
	}
	struct frame_list root = { .frames = { .data = list->frames.data + list->frames.count - base, .count = base } };
	size_t same;
	bool sound;
	return take_list(c, thread, &root, &same, &sound);
}

static struct error *repair(struct stack_context *c, struct thread *thread)
{
	bool grown;
	TRY(take_base(c, thread));
	/* An entry from C is no place to stand on: go down to its caller. */
	while (thread->seen.count && !thread->seen.data[thread->seen.count - 1].code_id)
		thread->seen.count--;
	if (thread->seen.count) {
		do {
			TRY(climb(c, thread, &grown));
		} while (grown && thread->seen.count < THREAD_FRAMES_MAX);
		const struct seen_frame *leaf = &thread->seen.data[thread->seen.count - 1];
		if (evidence_has(c->evidence, leaf->code_id, leaf->offset, 0)) {
			thread->quality = QUALITY_REPAIRED;
			return NULL;
		}
	}
	thread->quality = QUALITY_PARTIAL;
	return push_synthetic(c, thread, SYNTHETIC_PARTIAL);
}

/* A stack deeper than we follow: <partial> stands for its root. */
static struct error *take_cut(struct stack_context *c, struct thread *thread, const struct frame_list *list)
{
	bool sound = true;
	thread->seen.count = 0;
	TRY(push_synthetic(c, thread, SYNTHETIC_PARTIAL));
	for (size_t i = list->frames.count; i-- > 0 && sound;) {
		struct seen_frame seen;
		TRY(resolve(c, &list->frames.data[i], &seen, &sound));
		if (sound)
			TRY(push(c, thread, seen));
	}
	thread->quality = QUALITY_PARTIAL;
	return NULL;
}

struct error *stack_take(struct stack_context *c, struct thread *thread, enum walk_end end, bool moving)
{
	const struct frame_list *list = &thread->walked[0];
	uint32_t before = thread->stack;
	bool sound = end == WALK_COMPLETE && (!moving || copies_agree(thread, c->layout, list));
	if (end == WALK_CUT) {
		TRY(take_cut(c, thread, list));
	} else {
		size_t same = 0;
		if (sound)
			TRY(take_list(c, thread, list, &same, &sound));
		if (sound) {
			thread->quality = QUALITY_EXACT;
			if (!learn(c, thread, same))
				return &error_no_memory;
		} else {
			TRY(repair(c, thread));
		}
	}
	thread->stack = thread->seen.count ? thread->seen.data[thread->seen.count - 1].node : 0;
	thread->changed = thread->stack != before;
	return NULL;
}
