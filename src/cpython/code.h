/* code.h: code objects: what one is told apart by, and its raw names and line table.
 *
 * An address is no identity: once a code object is freed, another may take its place. `struct code_head` is what is
 * compared to notice that; it costs one read of the object's fixed part. */
#pragma once
#include "base/buffer.h"
#include "base/text.h"
#include "bytecode/lines.h"
#include "cpython/runtime.h"

enum { CODE_HEAD_MAX = 256 };

/* The words that cannot all be equal in two code objects that differ in anything that we report. */
struct code_head {
	uint64_t filename, name, qualname, linetable;
	uint64_t instructions; /* 3.11+: how many bytes of code follow the fixed part; before: the bytes object */
	uint32_t first_line;
	uint32_t flags;	     /* co_flags */
	uint32_t version;    /* 3.12+: co_version */
	uint32_t frame_size; /* 3.11+: bytes of a frame of it on the data stack: where its callee's begins */
};

/* Generators, coroutines, asynchronous generators: their frames have no caller while they are suspended. */
static inline bool code_head_is_generator(const struct code_head *head)
{
	return head->flags & (0x20 | 0x80 | 0x200);
}

/* How many bytes of the object's start hold its head: what to read. At most CODE_HEAD_MAX. */
size_t code_head_size(const struct layout *layout);
/* From those bytes. False when they cannot be a code object's. */
bool code_head_parse(const struct layout *layout, const unsigned char *bytes, struct code_head *ret_head);
bool code_head_equal(const struct code_head *a, const struct code_head *b);

/* A code object's content, copied. The texts point into `bytes`. */
struct code_content {
	struct buffer bytes;
	struct text file, name, qualname, line_table;
	uint32_t first_line;
	enum lines_kind line_table_kind;
};

/* Reads everything; false when the object changed or went away meanwhile. */
bool code_read(struct memory *memory, const struct runtime *runtime, uint64_t code, const struct code_head *head,
	struct code_content *ret_content);
void code_content_deinit(struct code_content *content);

/* Where the first instruction of the code object lies, and how many bytes of instructions it has at most; before 3.11
 * the frames hold offsets, and this is 0. */
static inline uint64_t code_instructions(const struct layout *layout, uint64_t code)
{
	return layout->code.code_adaptive == LAYOUT_NONE ? 0 : code + layout->code.code_adaptive;
}
