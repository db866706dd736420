/* frame.h: one interpreter frame from its bytes, for every version: the step of the one stack walk.
 *
 * Header-only and without any state, because it serves both sides: the sampler, on copies of a target's memory, and the
 * agent, on the memory that it lives in. */
#pragma once
#include <string.h>

#include "cpython/layout.h"

enum frame_kind {
	FRAME_PYTHON,
	FRAME_SHIM, /* an entry from C (3.12+): no code, only a link */
};

struct frame {
	uint64_t address;
	uint64_t previous;   /* the caller's frame; 0: none */
	uint64_t code;	     /* 0: none, the frame is dead */
	int64_t instruction; /* address of the instruction from 3.11, its index as the version counts before */
	enum frame_kind kind;
	bool revived; /* was left when it was read: its link or code is what it had before */
	bool from_c;  /* 3.11: the C evaluator was entered with it; from 3.12 a shim lies below such a frame */
};

/* Where in the struct the bytes that are needed begin, and how many they are. */
static inline uint32_t frame_bytes_start(const struct layout *l)
{
	return l->pyframe.back != LAYOUT_NONE ? l->pyframe.back : 0;
}
static inline uint32_t frame_bytes_size(const struct layout *l)
{
	return l->pyframe.back != LAYOUT_NONE ? l->pyframe.lasti + 4u - l->pyframe.back
					      : l->iframe.owner + 8u - l->iframe.owner % 8u;
}

static inline uint64_t frame_word_(const unsigned char *bytes, uint32_t offset)
{
	uint64_t value;
	memcpy(&value, bytes + offset, sizeof value);
	return value;
}

/* From 3.12 on an entry from C is a frame of its own. */
static inline bool layout_has_shims(const struct layout *l)
{
	return l->version >= 0x030c;
}
/* Where there are shims. Owners: 0 a thread's stack, 1 a generator, 2 a frame object; 3, and 4 in 3.14, are entries
 * from C. */
static inline bool frame_owner_is_shim(unsigned char owner)
{
	return owner >= 3;
}

/* What of a frame's word is its code's address: from 3.14 on it is tagged. */
static inline uint64_t layout_code_mask(const struct layout *l)
{
	return ~(l->version >= 0x030e ? 3ull : 0ull);
}

/* `bytes`: frame_bytes_size() bytes from address + frame_bytes_start(). */
static inline struct frame frame_parse(const struct layout *l, uint64_t address, const unsigned char *bytes)
{
	struct frame frame = { .address = address };
	if (l->pyframe.back != LAYOUT_NONE) {
		int32_t lasti;
		memcpy(&lasti, bytes + l->pyframe.lasti - l->pyframe.back, sizeof lasti);
		frame.previous = frame_word_(bytes, 0);
		frame.code = frame_word_(bytes, l->pyframe.code - l->pyframe.back);
		frame.instruction = lasti;
		return frame;
	}
	frame.previous = frame_word_(bytes, l->iframe.previous);
	frame.code = frame_word_(bytes, l->iframe.executable) & layout_code_mask(l);
	frame.instruction = (int64_t)frame_word_(bytes, l->iframe.instruction);
	if (layout_has_shims(l) && frame_owner_is_shim(bytes[l->iframe.owner]))
		frame.kind = FRAME_SHIM;
	if (l->iframe.is_entry != LAYOUT_NONE)
		frame.from_c = bytes[l->iframe.is_entry] != 0;
	return frame;
}

/* From 3.11 on; before, each frame is an object of its own. */
static inline bool layout_has_data_stack(const struct layout *l)
{
	return l->tstate.datastack_chunk != LAYOUT_NONE;
}

/* Byte offset of the instruction in its code; -1: the code has not begun. May be out of the code's bounds when the
 * frame was torn: the caller checks. */
static inline int64_t frame_offset_in(const struct layout *l, uint64_t code, int64_t instruction)
{
	if (l->pyframe.back != LAYOUT_NONE)
		return l->version == 0x030a && instruction >= 0 ? instruction * 2 : instruction;
	int64_t offset = instruction - (int64_t)(code + l->code.code_adaptive);
	return offset == -2 ? -1 : offset;
}
static inline int64_t frame_offset(const struct layout *l, const struct frame *frame)
{
	return frame_offset_in(l, frame->code, frame->instruction);
}
