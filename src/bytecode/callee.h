/* callee.h: the instructions of a code object, and by which name each calls what it calls: `f` in `f(x)`, `d` in
 * `a.b.d(*c)`.
 *
 * Where instructions begin is only known from the first one on: a cache entry may look like any opcode. The
 * instructions before a call are followed backwards by their effect on the stack to the one that put the callable
 * there. A jump among them, or an opcode whose effect is not known, ends that: no name. */
#pragma once
#include <stddef.h>

#include "bytecode/opcode.h"

struct callee {
	const struct opcode_info
		*info;	   /* of the instruction; NULL: the code ends before, or the version is not known */
	size_t start, end; /* byte offsets, cache entries included */
	int32_t name;	   /* index in co_names; -1: no call, or its callable was not just loaded by name */
};

/* The instruction at a byte offset, which may be that of one of its cache entries. `code`: from the first instruction
 * to at least that one. Any bytes are allowed; `table` may be NULL. */
struct callee callee_find(const struct opcode_table *table, const uint8_t *code, size_t size, size_t offset);

/* All instructions in turn. */
struct callee_instruction {
	const struct opcode_info *info;
	uint32_t argument;
	size_t start, end;
};
enum { CALLEE_EXPRESSION_MAX = 256 };
struct callee_scan {
	const struct opcode_table *table;
	const uint8_t *code;
	size_t size, at;
	uint32_t extended;
	struct callee_instruction last[CALLEE_EXPRESSION_MAX]; /* a ring */
	size_t count;					       /* of all that were decoded */
};
void callee_scan_begin(struct callee_scan *scan, const struct opcode_table *table, const uint8_t *code, size_t size);
/* False at the end of the code. */
bool callee_scan_next(struct callee_scan *scan, struct callee *ret_callee);
