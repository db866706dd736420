/* evidence.h: what sound samples have shown about a program: which call sites call which code. A stack that was torn
 * while it was read is put together only from such steps, so that a repaired stack holds no caller that does not call
 * its callee.
 *
 * Two copies of a thread that calls and returns every hundred nanoseconds can agree by chance, a few times in a hundred
 * thousand. So a step counts only when it was seen several times, and more than rarely at its place. */
#pragma once
#include "base/map.h"

struct evidence {
	struct map votes;    /* of a step, and of a place in all */
	struct map possible; /* of a step: whether its instruction can make such a call at all */
	struct map sites;    /* of caller and callee: the instruction of the call last seen, plus 2 */
};

enum step { STEP_UNKNOWN, STEP_POSSIBLE, STEP_IMPOSSIBLE };

enum { EVIDENCE_ENOUGH = 3, EVIDENCE_RARE = 20, EVIDENCE_CHANCE = 2000 /* one in */ };

static inline uint64_t evidence_key_(uint32_t code, int32_t instruction, uint32_t callee)
{
	uint64_t h = ((uint64_t)code << 32 | (uint32_t)instruction) * 0x9e3779b97f4a7c15u;
	h = (h ^ h >> 32 ^ callee) * 0xd6e8feb86659fd93u;
	return (h ^ h >> 31) | 1;
}

static inline uint64_t evidence_votes(
	const struct evidence *evidence, uint32_t code, int32_t instruction, uint32_t callee)
{
	const uint64_t *votes = map_get(&evidence->votes, evidence_key_(code, instruction, callee));
	return votes ? *votes : 0;
}

/* How many calls have been seen at a place in all. */
uint64_t evidence_place_votes(const struct evidence *evidence, uint32_t code, int32_t instruction);
/* A vote for: at this instruction the code calls `callee`. False when there is no memory. */
bool evidence_add(struct evidence *evidence, uint32_t code, int32_t instruction, uint32_t callee);
/* What was found out about the step before; STEP_UNKNOWN: nothing. */
static inline enum step evidence_step(
	const struct evidence *evidence, uint32_t code, int32_t instruction, uint32_t callee)
{
	const uint64_t *step = map_get(&evidence->possible, evidence_key_(code, instruction, callee));
	return step ? (enum step) * step : STEP_UNKNOWN;
}
static inline bool evidence_set_step(
	struct evidence *evidence, uint32_t code, int32_t instruction, uint32_t callee, enum step step)
{
	return map_put(&evidence->possible, evidence_key_(code, instruction, callee), step);
}
/* Where a code was last seen to call another; false when it never was. */
bool evidence_site(const struct evidence *evidence, uint32_t code, uint32_t callee, int32_t *ret_instruction);
void evidence_deinit(struct evidence *evidence);

/* Whether that is known: seen often enough, and not only rarely there. */
bool evidence_trusts(const struct evidence *evidence, uint32_t code, int32_t instruction, uint32_t callee);
/* Whether it is seen so seldom at its place that it can only be chance. */
bool evidence_is_chance(const struct evidence *evidence, uint32_t code, int32_t instruction, uint32_t callee);
