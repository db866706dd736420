/* call_site.h: what the instruction at which a frame stands can be doing.
 *
 * From 3.11 a call of Python code from Python code pushes a frame without any C call between, and only a few opcodes do
 * that. Until 3.13 a frame that was left keeps its content, so a caller that has just begun or is about to return looks
 * as if the callee of an earlier call were still there; its instruction tells. A leaf at any opcode that calls is in C.
 */
#pragma once
#include "cpython/frame.h"
#include "cpython/runtime.h"

struct call_site {
	bool calls;   /* a call of anything: as the leaf's instruction, of C code */
	bool pushes;  /* may have put a Python frame on the stack itself; true where the version needs no such proof */
	int32_t name; /* by which it calls: index in co_names; -1: not known */
};

/* What cannot be read is no call. */
struct call_site call_site_look(struct memory *memory, const struct runtime *runtime, uint64_t code, int64_t offset);
/* The address of the str at an index of co_names; 0: there is none. */
uint64_t call_site_name(struct memory *memory, const struct runtime *runtime, uint64_t code, int32_t index);

/* Where a code object calls by a name (the address of an interned str), or, `resumes`, runs a generator on: the place
 * at which its frame stands meanwhile. Where there are several, the last one that is not behind `before`. -1: nowhere.
 */
int64_t call_site_find(struct memory *memory, const struct runtime *runtime, uint64_t code, uint64_t name, bool resumes,
	int64_t before);
