/* interpreter.h: what is read of the interpreter amid an allocation, where none of its functions may be called: the
 * thread's frames, by the offsets that also the sampler has (cpython/layout.h). */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "agent/memory/writer.h"
#include "cpython/layout.h"

struct interpreter {
	const struct layout *layout; /* NULL: no Python that we know: there are no call paths */
	void *(*own_state)(void);    /* of this thread, with or without the GIL; NULL: it has none */
	/* Of the layout, for the walk. */
	uint32_t first, second; /* from the thread state to its innermost frame; second LAYOUT_NONE: in one step */
	uint32_t previous, code, instruction, owner;
	const uint64_t *finalizing; /* of the runtime: not 0 when it tears itself down; NULL: no Python */
	bool heap_frames;	    /* until 3.10: the instruction is a number of 32 bits */
	uint64_t code_mask;
};
extern struct interpreter interpreter;

/* A sentence when there is no way into this Python, or NULL. python_find() comes first. */
const char *interpreter_find(void);
/* Whether it has begun to tear itself down. */
static inline bool interpreter_ends(void)
{
	const uint64_t *finalizing = interpreter.finalizing;
	return finalizing && __atomic_load_n(finalizing, __ATOMIC_RELAXED);
}

/* In the child of a fork: whoever held our lock is not there. */
void interpreter_forget_threads(void);

extern _Atomic uint32_t interpreter_codes_generation; /* moves when a code object ends that was described */

/* The unit of what is described of this code object; 0: it cannot be, or there is no room. */
uint32_t interpreter_describe(const char *code);

static inline uint64_t interpreter_word(const char *base, uint32_t offset)
{
	uint64_t value;
	memcpy(&value, base + offset, sizeof value);
	return value;
}
static inline const char *interpreter_pointer(const char *base, uint32_t offset)
{
	return (const char *)(uintptr_t)interpreter_word(base, offset);
}
