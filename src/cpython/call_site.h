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
	bool calls;  /* a call of anything: as the leaf's instruction, of C code */
	bool pushes; /* may have put a Python frame on the stack itself; true where the version needs no such proof */
};

/* `frame` as it was walked; its code object is read. What cannot be read is no call. */
struct call_site call_site_look(struct memory *memory, const struct runtime *runtime, uint64_t code, int64_t offset);
