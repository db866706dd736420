/* call_site.h: can the instruction at which a caller stands have put its callee's frame on the stack?
 *
 * From 3.11 a call of Python code from Python code pushes a frame without any C call between, and only a few opcodes do
 * that. Until 3.13 a frame that was left keeps its content, so a caller that has just begun or is about to return looks
 * as if the callee of an earlier call were still there; its instruction tells. */
#pragma once
#include "cpython/frame.h"
#include "cpython/runtime.h"

/* `instruction` as struct frame has it, `offset` as frame_offset. True also where the version needs no such proof. */
bool call_site_can_push(struct memory *memory, const struct runtime *runtime, int64_t instruction, int64_t offset);
