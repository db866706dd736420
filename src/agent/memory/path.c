/* path.c: see path.h. */
#include "agent/memory/path.h"

#include "agent/memory/interpreter.h"
#include "cpython/frame.h"

enum { DEPTH_MAX = 1 << 20 }; /* frames: more is no stack any more */

/* ---- steps ---- */

static size_t slot_of(const struct memory_writer *w, uint32_t parent, uint32_t code, int32_t instruction)
{
	uint64_t h = ((uint64_t)parent << 32 | code) * 0x9e3779b97f4a7c15u;
	h = (h ^ h >> 29 ^ (uint32_t)instruction) * 0xbf58476d1ce4e5b9u;
	return (size_t)(h >> 24) & w->slot_mask;
}

static bool grow_slots(struct memory_writer *w)
{
	struct step_slot *before = w->slots;
	size_t room = w->slot_mask + 1;
	struct step_slot *slots = memory_take_pages(2 * room * sizeof *slots);
	if (!slots)
		return false;
	w->slots = slots;
	w->slot_mask = 2 * room - 1;
	for (size_t i = 0; i < room; i++) {
		if (!before[i].step)
			continue;
		size_t at = slot_of(w, before[i].parent, before[i].code, before[i].instruction);
		while (slots[at].step)
			at = (at + 1) & w->slot_mask;
		slots[at] = before[i];
	}
	memory_give_pages(before, room * sizeof *before);
	return true;
}

static uint32_t add_step(struct memory_writer *w, struct step_slot *slot)
{
	enum { STEPS = 256 };
	if (w->fresh == w->fresh_end) {
		w->fresh = recorder_take(w->recorder, STEPS * sizeof *w->fresh);
		w->fresh_end = w->fresh ? w->fresh + STEPS : NULL;
		if (!w->fresh)
			return 0;
	}
	*w->fresh = (struct stream_step){ slot->parent, slot->code, slot->instruction, 0 };
	slot->step = (uint32_t)(((unsigned char *)w->fresh++ - recorder.base) / STREAM_STEP_UNIT);
	w->slot_count++;
	return slot->step;
}

static uint32_t find_step(struct memory_writer *w, uint32_t parent, uint32_t code, int32_t instruction)
{
	if (w->slot_count * 2 > w->slot_mask && !grow_slots(w))
		return 0;
	for (size_t i = slot_of(w, parent, code, instruction);; i = (i + 1) & w->slot_mask) {
		struct step_slot *slot = &w->slots[i];
		if (!slot->step) {
			slot->parent = parent;
			slot->code = code;
			slot->instruction = instruction;
			return add_step(w, slot);
		}
		if (slot->parent == parent && slot->code == code && slot->instruction == instruction)
			return slot->step;
	}
}

/* ---- codes ---- */

static uint32_t find_code(struct memory_writer *w, const char *code)
{
	size_t i = ((uintptr_t)code >> 5 ^ (uintptr_t)code >> 14) % CODE_SLOTS;
	if (w->codes[i].code != code || w->codes[i].generation != w->generation) {
		w->codes[i].unit = interpreter_describe(code);
		w->codes[i].code = code;
		w->codes[i].generation = w->generation;
	}
	return w->codes[i].unit;
}

/* In bytes. */
static int32_t offset_of(const struct walked_frame *f)
{
	int64_t offset = frame_offset_in(interpreter.layout, (uintptr_t)f->code, f->instruction);
	return offset < 0 ? -1 : (int32_t)offset;
}

/* ---- the walk ---- */

static inline bool is_shim(const char *frame)
{
	return interpreter.owner != LAYOUT_NONE && frame_owner_is_shim((unsigned char)frame[interpreter.owner]);
}

static inline int64_t instruction_at(const char *frame, bool heap_frames)
{
	int32_t narrow;
	if (!heap_frames)
		return (int64_t)interpreter_word(frame, interpreter.instruction);
	memcpy(&narrow, frame + interpreter.instruction, sizeof narrow);
	return narrow;
}

static inline const char *code_at(const char *frame)
{
	return (const char *)(uintptr_t)(interpreter_word(frame, interpreter.code) & interpreter.code_mask);
}

static inline const char *link_of(const char *frame)
{
	return interpreter_pointer(frame, interpreter.previous);
}

static inline const char *skip_shims(const char *frame)
{
	while (frame && is_shim(frame))
		frame = link_of(frame);
	return frame;
}

static inline const char *previous_of(const char *frame)
{
	return skip_shims(link_of(frame));
}

static const char *innermost(void)
{
	const char *state = interpreter.layout ? interpreter.own_state() : NULL;
	if (!state)
		return NULL;
	const char *frame = interpreter_pointer(state, interpreter.first);
	if (frame && interpreter.second != LAYOUT_NONE)
		frame = interpreter_pointer(frame, interpreter.second);
	return skip_shims(frame);
}

static bool make_room(struct memory_writer *w, size_t depth)
{
	size_t room = w->frame_room;
	if (depth > DEPTH_MAX)
		return false;
	while (room < depth)
		room *= 2;
	struct walked_frame *frames = memory_take_pages(room * sizeof *frames);
	if (!frames)
		return false;
	memcpy(frames, w->frames, w->frame_count * sizeof *frames);
	memory_give_pages(w->frames, w->frame_room * sizeof *frames);
	w->frames = frames;
	w->frame_room = room;
	return true;
}

static uint32_t step_of(struct memory_writer *w, const struct walked_frame *f, uint32_t parent)
{
	size_t slot = ((uintptr_t)f->instruction >> 1 ^ (uintptr_t)f->code >> 6 ^ parent) % RECENT_STEPS;
	struct recent_step *recent = &w->recent[slot];
	if (recent->instruction == f->instruction && recent->code == f->code && recent->parent == parent &&
		recent->generation == w->generation && recent->step)
		return recent->step;
	uint32_t code = f->code ? find_code(w, f->code) : 0,
		 step = code ? find_step(w, parent, code, offset_of(f)) : parent;
	*recent = (struct recent_step){ f->code, f->instruction, parent, step, w->generation };
	return step;
}

/* The steps of frames[from..), of which codes and instructions are filled. */
static uint32_t resolve(struct memory_writer *w, size_t from)
{
	uint32_t step = from ? w->frames[from - 1].step : 0;
	for (size_t i = from; i < w->frame_count; i++)
		w->frames[i].step = step = step_of(w, &w->frames[i], step);
	return step;
}

/* As deep as last time or not: counts first, then fills from the innermost one, until it meets what is as it was. */
static uint32_t walk_anew(struct memory_writer *w, const char *leaf)
{
	size_t depth = 0, changed, before = w->frame_count;
	for (const char *frame = leaf; frame; frame = previous_of(frame))
		depth++;
	if (depth > w->frame_room && !make_room(w, depth))
		return 0;
	changed = depth;
	w->frame_count = depth;
	for (const char *frame = leaf; frame; frame = previous_of(frame)) {
		struct walked_frame *f = &w->frames[--depth];
		const char *code = code_at(frame);
		int64_t instruction = instruction_at(frame, interpreter.heap_frames);
		if (depth >= before || !f->step || f->code != code || f->instruction != instruction)
			changed = depth;
		f->frame = frame;
		f->code = code;
		f->instruction = instruction;
	}
	return resolve(w, changed);
}

/* The usual case: the same frames as last time, some at other instructions. The outermost frame that has changed, or
 * their number; `*ret_same` false: the frames are others.
 *
 * From 3.11 on an instruction is an address within its code, which need not be looked at then; and what has the address
 * and the instruction of a frame is none of the shims. */
static inline __attribute__((always_inline)) size_t compare(
	struct memory_writer *w, const char *frame, bool heap_frames, bool *ret_same)
{
	size_t i = w->frame_count, changed = i;
	*ret_same = false;
	while (i) {
		struct walked_frame *f = &w->frames[i - 1];
		if (__builtin_expect(f->frame != frame, 0)) {
			if (!frame || !is_shim(frame))
				return changed;
			frame = link_of(frame);
			continue;
		}
		i--;
		int64_t instruction = instruction_at(frame, heap_frames);
		if (f->instruction != instruction || (heap_frames && f->code != code_at(frame))) {
			f->code = code_at(frame);
			f->instruction = instruction;
			f->step = 0; /* until it is resolved, here or by walk_anew() */
			changed = i;
		}
		frame = link_of(frame);
	}
	*ret_same = !skip_shims(frame);
	return changed;
}

uint32_t path_of_thread(struct memory_writer *w)
{
	const char *leaf = innermost();
	uint32_t generation = atomic_load_explicit(&interpreter_codes_generation, memory_order_relaxed);
	bool same;
	if (!leaf)
		return 0;
	if (__builtin_expect(generation != w->generation, 0)) {
		w->generation = generation;
		w->frame_count = 0;
		return walk_anew(w, leaf);
	}
	size_t changed = interpreter.heap_frames ? compare(w, leaf, true, &same) : compare(w, leaf, false, &same);
	if (!same)
		return walk_anew(w, leaf);
	if (changed < w->frame_count)
		return resolve(w, changed);
	return w->frame_count ? w->frames[w->frame_count - 1].step : 0;
}
