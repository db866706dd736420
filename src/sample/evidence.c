#include "sample/evidence.h"

static const int32_t no_site = -2; /* -1 is a place: code that has not begun */

static uint64_t key_of(uint32_t code, int32_t instruction, uint32_t callee)
{
	uint64_t h = ((uint64_t)code << 32 | (uint32_t)instruction) * 0x9e3779b97f4a7c15u;
	h = (h ^ h >> 32 ^ callee) * 0xd6e8feb86659fd93u;
	return (h ^ h >> 31) | 1;
}

static uint64_t place_key(uint32_t code, int32_t instruction)
{
	const uint32_t any_callee = UINT32_MAX;
	return key_of(code, instruction, any_callee);
}

static uint64_t site_key(uint32_t code, uint32_t callee)
{
	return (uint64_t)code << 32 | callee;
}

/* ---- finding ---- */

static bool is_pair(const struct evidence_pair *pair, uint32_t code, int32_t instruction, uint32_t callee)
{
	return pair->code == code && pair->instruction == instruction && pair->callee == callee;
}

/* NULL: nothing is known of that step. */
static struct evidence_pair *find_pair(struct evidence *evidence, uint32_t code, int32_t instruction, uint32_t callee)
{
	if (evidence->last < evidence->pairs.count &&
		is_pair(&evidence->pairs.data[evidence->last], code, instruction, callee))
		return &evidence->pairs.data[evidence->last];
	const uint64_t *index = map_get(&evidence->pair_index, key_of(code, instruction, callee));
	if (!index)
		return NULL;
	evidence->last = *index - 1;
	return &evidence->pairs.data[evidence->last];
}

static struct evidence_place *find_place(struct evidence *evidence, uint32_t code, int32_t instruction)
{
	const uint64_t *index = map_get(&evidence->place_index, place_key(code, instruction));
	return index ? &evidence->places.data[*index - 1] : NULL;
}

static struct evidence_code *find_code(struct evidence *evidence, uint32_t code)
{
	const uint64_t *index = map_get(&evidence->code_index, code);
	return index ? &evidence->codes.data[*index - 1] : NULL;
}

/* ---- adding ---- */

/* The index that a key has; a new one gets that behind the last, `count`. False: no memory. */
static bool take_index(struct map *map, uint64_t key, size_t count, uint32_t *ret_index)
{
	const uint64_t *known = map_get(map, key);
	*ret_index = known ? (uint32_t)(*known - 1) : (uint32_t)count;
	return known || map_put(map, key, count + 1);
}

static bool add_place(struct evidence *evidence, uint32_t code, int32_t instruction, uint32_t *ret_index)
{
	size_t count = evidence->places.count;
	return vec_reserve(&evidence->places, count + 1) &&
	       take_index(&evidence->place_index, place_key(code, instruction), count, ret_index) &&
	       (*ret_index < count || vec_push(&evidence->places, (struct evidence_place){ 0 }));
}

static bool add_site(struct evidence *evidence, uint32_t code, uint32_t callee, uint32_t *ret_index)
{
	size_t count = evidence->sites.count;
	return vec_reserve(&evidence->sites, count + 1) &&
	       take_index(&evidence->site_index, site_key(code, callee), count, ret_index) &&
	       (*ret_index < count || vec_push(&evidence->sites, no_site));
}

static bool add_code(struct evidence *evidence, uint32_t code, uint32_t *ret_index)
{
	size_t count = evidence->codes.count;
	return vec_reserve(&evidence->codes, count + 1) && take_index(&evidence->code_index, code, count, ret_index) &&
	       (*ret_index < count || vec_push(&evidence->codes, (struct evidence_code){ 0 }));
}

/* The pair, which is made if it is new. NULL: no memory. */
static struct evidence_pair *add_pair(struct evidence *evidence, uint32_t code, int32_t instruction, uint32_t callee)
{
	struct evidence_pair *known = find_pair(evidence, code, instruction, callee);
	struct evidence_pair pair = { .code = code, .instruction = instruction, .callee = callee };
	if (known)
		return known;
	if (!add_place(evidence, code, instruction, &pair.place) || !add_site(evidence, code, callee, &pair.site) ||
		!add_code(evidence, callee, &pair.called) || !vec_push(&evidence->pairs, pair) ||
		!map_put(&evidence->pair_index, key_of(code, instruction, callee), evidence->pairs.count))
		return NULL;
	evidence->last = evidence->pairs.count - 1;
	return &evidence->pairs.data[evidence->last];
}

static bool add_caller(struct evidence *evidence, const struct evidence_pair *pair)
{
	struct evidence_code *callee = &evidence->codes.data[pair->called];
	struct evidence_caller caller = { pair->code, pair->instruction, callee->callers };
	if (!vec_push(&evidence->callers, caller))
		return false;
	callee->callers = (uint32_t)evidence->callers.count;
	return true;
}

/* ---- what the code says ---- */

enum step evidence_step(struct evidence *evidence, uint32_t code, int32_t instruction, uint32_t callee)
{
	const struct evidence_pair *pair = find_pair(evidence, code, instruction, callee);
	return pair ? pair->step : STEP_UNKNOWN;
}

bool evidence_set_step(struct evidence *evidence, uint32_t code, int32_t instruction, uint32_t callee, enum step step)
{
	struct evidence_pair *pair = add_pair(evidence, code, instruction, callee);
	if (!pair)
		return false;
	pair->step = step;
	if (step == STEP_NAMED) {
		evidence->places.data[pair->place].by_name = true;
		evidence->codes.data[pair->called].by_name = true;
	}
	return true;
}

/* The callee is called by its name elsewhere, and here something else is. */
static bool is_refuted(const struct evidence *evidence, const struct evidence_pair *pair)
{
	if (!pair)
		return false;
	bool else_called = pair->step == STEP_NO_CALL ||
			   (pair->step == STEP_OTHER_NAME && evidence->places.data[pair->place].by_name);
	return pair->step == STEP_ELSEWHERE || (else_called && evidence->codes.data[pair->called].by_name);
}

/* ---- what is seen ---- */

bool evidence_add(struct evidence *evidence, uint32_t code, int32_t instruction, uint32_t callee)
{
	struct evidence_pair *pair = add_pair(evidence, code, instruction, callee);
	if (!pair)
		return false;
	if (is_refuted(evidence, pair))
		return true;
	evidence->sites.data[pair->site] = instruction;
	evidence->places.data[pair->place].votes++;
	evidence->codes.data[pair->called].called++;
	if (pair->votes++)
		return true;
	evidence->places.data[pair->place].callees++;
	return add_caller(evidence, pair);
}

bool evidence_add_root(struct evidence *evidence, uint32_t code)
{
	uint32_t index;
	if (!add_code(evidence, code, &index))
		return false;
	evidence->codes.data[index].roots++;
	return true;
}

uint64_t evidence_place_votes(struct evidence *evidence, uint32_t code, int32_t instruction)
{
	const struct evidence_place *place = find_place(evidence, code, instruction);
	return place ? place->votes : 0;
}

/* ---- judgement ---- */

bool evidence_is_root(struct evidence *evidence, uint32_t code)
{
	const struct evidence_code *seen = find_code(evidence, code);
	if (!seen || !seen->by_name)
		return seen && seen->roots;
	return seen->roots >= EVIDENCE_ENOUGH && seen->roots * EVIDENCE_ROOT >= seen->called;
}

bool evidence_is_only_root(struct evidence *evidence, uint32_t code)
{
	const struct evidence_code *seen = find_code(evidence, code);
	return seen && seen->roots && !seen->by_name && !seen->called;
}

bool evidence_is_chance(struct evidence *evidence, uint32_t code, int32_t instruction, uint32_t callee)
{
	const struct evidence_pair *pair = find_pair(evidence, code, instruction, callee);
	if (!pair)
		return evidence_place_votes(evidence, code, instruction);
	return pair->step != STEP_NAMED &&
	       (is_refuted(evidence, pair) || pair->votes * EVIDENCE_CHANCE < evidence->places.data[pair->place].votes);
}

bool evidence_can_be(struct evidence *evidence, uint32_t code, int32_t instruction, uint32_t callee)
{
	const struct evidence_pair *pair = find_pair(evidence, code, instruction, callee);
	uint64_t votes = pair ? pair->votes : 0, all = pair ? evidence->places.data[pair->place].votes
							    : evidence_place_votes(evidence, code, instruction);
	return !is_refuted(evidence, pair) && (votes + 1) * EVIDENCE_CHANCE >= all;
}

static bool trusts(const struct evidence *evidence, const struct evidence_pair *pair)
{
	if (!pair || pair->step == STEP_NAMED)
		return pair;
	const struct evidence_place *place = &evidence->places.data[pair->place];
	/* A place that calls many, through a variable, calls each of them rarely. */
	uint64_t rarity = place->callees < EVIDENCE_MANY ? EVIDENCE_RARE : EVIDENCE_RARE_OF_MANY;
	return pair->votes >= EVIDENCE_ENOUGH && pair->votes * rarity >= place->votes && !is_refuted(evidence, pair);
}

bool evidence_trusts(struct evidence *evidence, uint32_t code, int32_t instruction, uint32_t callee)
{
	return trusts(evidence, find_pair(evidence, code, instruction, callee));
}

bool evidence_site(struct evidence *evidence, uint32_t code, uint32_t callee, int32_t *ret_instruction)
{
	const uint64_t *index = map_get(&evidence->site_index, site_key(code, callee));
	int32_t site = index ? evidence->sites.data[*index - 1] : no_site;
	if (site == no_site)
		return false;
	*ret_instruction = site;
	return evidence_trusts(evidence, code, site, callee);
}

uint32_t evidence_only_caller(struct evidence *evidence, uint32_t callee)
{
	const struct evidence_code *seen = find_code(evidence, callee);
	uint32_t only = 0;
	for (uint32_t i = seen ? seen->callers : 0; i; i = evidence->callers.data[i - 1].next) {
		const struct evidence_caller *caller = &evidence->callers.data[i - 1];
		if (caller->code == only || !evidence_trusts(evidence, caller->code, caller->instruction, callee))
			continue;
		if (only)
			return 0;
		only = caller->code;
	}
	return only;
}

void evidence_deinit(struct evidence *evidence)
{
	map_deinit(&evidence->pair_index);
	map_deinit(&evidence->place_index);
	map_deinit(&evidence->code_index);
	map_deinit(&evidence->site_index);
	vec_free(&evidence->pairs);
	vec_free(&evidence->places);
	vec_free(&evidence->codes);
	vec_free(&evidence->sites);
	vec_free(&evidence->callers);
}
