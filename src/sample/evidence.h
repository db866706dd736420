/* evidence.h: what sound samples have shown about a program: which call sites call which code. A stack that was torn
 * while it was read is put together only from such steps, so that a repaired stack holds no caller that does not call
 * its callee.
 *
 * A step is a place (code, byte offset) and the code that it called. Two copies of a thread that calls and returns
 * every hundred nanoseconds can agree by chance, and, where its cycle is as long as the time between the copies, often.
 * So a step counts when the place calls by the name that the callee has; other steps count when they were seen several
 * times, and more than rarely at their place. Where a caller's code calls by that name at another place, it does not do
 * so here; and a place that was seen calling by its name, or that is no call, calls nothing else that is known to be
 * called by its own name. */
#pragma once
#include "base/map.h"
#include "base/vec.h"

struct evidence_caller {
	uint32_t code;
	int32_t instruction;
	uint32_t next; /* index + 1 of another of the same callee; 0: none */
};

/* What the caller's code says of a step. */
enum step {
	STEP_UNKNOWN,	 /* nobody has looked */
	STEP_IMPOSSIBLE, /* such an instruction pushes no frame */
	STEP_POSSIBLE,
	STEP_NAMED,	 /* the place calls by the name that the callee has */
	STEP_OTHER_NAME, /* by another name */
	STEP_NO_CALL,	 /* the place is no call, though C that it runs may call (a property, an operator) */
	STEP_ELSEWHERE,	 /* not by its name, though the caller's code does call by it at another place */
};

/* A step, with where to find all that is counted beside it: a stack that is sampled costs one look-up a step. */
struct evidence_pair {
	uint32_t code;
	int32_t instruction;
	uint32_t callee;
	uint32_t place, called, site; /* indices into `places`, `codes`, `sites` */
	enum step step;
	uint64_t votes;
};
struct evidence_place {
	uint64_t votes;	  /* of all its steps */
	uint32_t callees; /* how many it has */
	bool by_name;	  /* a step with its name was seen */
};
struct evidence_code {
	uint64_t called, roots; /* votes: as a callee; as the outermost of a stack */
	uint32_t callers;	/* index + 1 of the first in `callers`; 0: none */
	bool by_name;		/* it was called by its name */
};

struct evidence {
	struct map pair_index, place_index, code_index, site_index; /* -> index + 1 in: */
	VEC(struct evidence_pair) pairs;
	VEC(struct evidence_place) places;
	VEC(struct evidence_code) codes;
	VEC(int32_t) sites; /* of caller and callee: the instruction of the call last seen */
	VEC(struct evidence_caller) callers;
	size_t last; /* the pair that was asked for last: what one wants to know of a step comes in several questions */
};

enum {
	EVIDENCE_ENOUGH = 3,	     /* votes */
	EVIDENCE_RARE = 20,	     /* one in so many votes of its place is not enough, */
	EVIDENCE_MANY = 5,	     /* or, at a place that calls so many, */
	EVIDENCE_RARE_OF_MANY = 500, /* one in so many */
	EVIDENCE_ROOT = 100,	     /* one in so many: as a root, of all that it is called */
	EVIDENCE_CHANCE = 2000,	     /* one in so many: only chance */
};

/* A vote for: at this instruction the code calls `callee`; it does not count where names speak against it. False when
 * there is no memory. */
bool evidence_add(struct evidence *evidence, uint32_t code, int32_t instruction, uint32_t callee);
/* A vote for: the code is the outermost of a stack. */
bool evidence_add_root(struct evidence *evidence, uint32_t code);
/* How many calls have been seen at a place in all. */
uint64_t evidence_place_votes(struct evidence *evidence, uint32_t code, int32_t instruction);

/* What was found out about the step before. */
enum step evidence_step(struct evidence *evidence, uint32_t code, int32_t instruction, uint32_t callee);
bool evidence_set_step(struct evidence *evidence, uint32_t code, int32_t instruction, uint32_t callee, enum step step);

/* Whether the step is known to happen: by name, or seen often enough and not only rarely there. */
bool evidence_trusts(struct evidence *evidence, uint32_t code, int32_t instruction, uint32_t callee);
/* Whether it can only be chance: names speak against it, or it is seen so seldom at its place. */
bool evidence_is_chance(struct evidence *evidence, uint32_t code, int32_t instruction, uint32_t callee);

/* Whether one more vote would make it anything but chance. */
bool evidence_can_be(struct evidence *evidence, uint32_t code, int32_t instruction, uint32_t callee);
/* Whether stacks begin with this code: they were seen to, and not only rarely beside its calls by name. */
bool evidence_is_root(struct evidence *evidence, uint32_t code);
/* Whether it was never seen anywhere else. */
bool evidence_is_only_root(struct evidence *evidence, uint32_t code);

/* Where a code was last seen to call another; false when it never was. */
bool evidence_site(struct evidence *evidence, uint32_t code, uint32_t callee, int32_t *ret_instruction);
/* The one code that is known to call `callee`; 0: none, or several. */
uint32_t evidence_only_caller(struct evidence *evidence, uint32_t callee);

void evidence_deinit(struct evidence *evidence);
