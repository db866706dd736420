/* evidence.h: what exact samples have proven about a program: which call sites call which code, and at which
 * instructions a function is the leaf. A stack that was torn while it was read is put together only from proven steps,
 * so that a repaired stack never holds a caller that does not call its callee. */
#pragma once
#include "base/map.h"

struct evidence {
	struct map known;
};

static inline uint64_t evidence_key_(uint32_t code, int32_t instruction, uint32_t callee)
{
	uint64_t h = ((uint64_t)code << 32 | (uint32_t)instruction) * 0x9e3779b97f4a7c15u;
	h = (h ^ h >> 32 ^ callee) * 0xd6e8feb86659fd93u;
	return (h ^ h >> 31) | 1;
}

/* callee 0: the function was the leaf there. */
static inline bool evidence_has(const struct evidence *evidence, uint32_t code, int32_t instruction, uint32_t callee)
{
	return map_get(&evidence->known, evidence_key_(code, instruction, callee)) != NULL;
}

static inline bool evidence_add(struct evidence *evidence, uint32_t code, int32_t instruction, uint32_t callee)
{
	return map_put(&evidence->known, evidence_key_(code, instruction, callee), 1);
}
