#include "sample/evidence.h"

enum { ANY_CALLEE = -1 };

static bool vote(struct map *votes, uint64_t key)
{
	uint64_t *count = map_get(votes, key);
	if (!count)
		return map_put(votes, key, 1);
	++*count;
	return true;
}

static uint64_t site_key(uint32_t code, uint32_t callee)
{
	return (uint64_t)code << 32 | callee;
}

bool evidence_site(const struct evidence *evidence, uint32_t code, uint32_t callee, int32_t *ret_instruction)
{
	const uint64_t *site = map_get(&evidence->sites, site_key(code, callee));
	if (site)
		*ret_instruction = (int32_t)((int64_t)*site - 2);
	return site && evidence_trusts(evidence, code, *ret_instruction, callee);
}

bool evidence_add(struct evidence *evidence, uint32_t code, int32_t instruction, uint32_t callee)
{
	return map_put(&evidence->sites, site_key(code, callee), (uint64_t)(instruction + 2)) &&
	       vote(&evidence->votes, evidence_key_(code, instruction, callee)) &&
	       vote(&evidence->votes, evidence_key_(code, instruction, (uint32_t)ANY_CALLEE));
}

uint64_t evidence_place_votes(const struct evidence *evidence, uint32_t code, int32_t instruction)
{
	return evidence_votes(evidence, code, instruction, (uint32_t)ANY_CALLEE);
}

static bool is_below(
	const struct evidence *evidence, uint32_t code, int32_t instruction, uint32_t callee, uint64_t one_in)
{
	uint64_t votes = evidence_votes(evidence, code, instruction, callee);
	return votes * one_in < evidence_place_votes(evidence, code, instruction);
}

bool evidence_is_chance(const struct evidence *evidence, uint32_t code, int32_t instruction, uint32_t callee)
{
	return is_below(evidence, code, instruction, callee, EVIDENCE_CHANCE);
}

bool evidence_trusts(const struct evidence *evidence, uint32_t code, int32_t instruction, uint32_t callee)
{
	uint64_t votes = evidence_votes(evidence, code, instruction, callee);
	return votes >= EVIDENCE_ENOUGH && !is_below(evidence, code, instruction, callee, EVIDENCE_RARE);
}

void evidence_deinit(struct evidence *evidence)
{
	map_deinit(&evidence->votes);
	map_deinit(&evidence->possible);
	map_deinit(&evidence->sites);
}
