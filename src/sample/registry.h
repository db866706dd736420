/* registry.h: the ids of one recording: code objects by content, stacks as nodes of the one trie, processes and
 * threads. Each definition goes to the sink when its id is first given. Bounded by what is distinct, not by what is
 * sampled. */
#pragma once
#include "base/map.h"
#include "base/vec.h"
#include "recording/sink.h"

struct stack_node {
	uint32_t parent, code;
	int32_t instruction;
	uint32_t id; /* 0: an empty slot */
};

/* Content hashes of 128 bits; those that share their lower half are linked. */
struct code_identity {
	uint64_t high;
	uint32_t id, next; /* next: index + 1 of another with the same lower half; 0: none */
};

struct registry {
	struct sink *sink;
	struct map codes; /* 64 bits of the content's hash -> index into code_hashes */
	VEC(struct code_identity) identities;
	struct stack_node *nodes; /* open addressing */
	size_t node_mask;
	uint32_t code_count, stack_count, process_count, thread_count;
	uint32_t synthetic[8]; /* code ids of our own words, by enum synthetic */
};

/* Words of ours that stand on stacks as frames do. */
enum synthetic { SYNTHETIC_PARTIAL, SYNTHETIC_END };

void registry_init(struct registry *registry, struct sink *sink);
void registry_deinit(struct registry *registry);

/* The id of a code object with this content (def->id is not read): the one given before to equal content, or a new one.
 */
struct error *registry_code(struct registry *registry, const struct code_def *def, uint32_t *ret_id);
struct error *registry_synthetic(struct registry *registry, enum synthetic word, uint32_t *ret_id);

struct error *registry_add_stack(
	struct registry *registry, uint32_t parent, uint32_t code, int32_t instruction, uint32_t *ret_id);
static inline size_t registry_stack_hash_(uint32_t parent, uint32_t code, int32_t instruction)
{
	uint64_t h = ((uint64_t)parent << 32 | code) * 0x9e3779b97f4a7c15u;
	h = (h ^ h >> 29 ^ (uint32_t)instruction) * 0xbf58476d1ce4e5b9u;
	return (size_t)(h ^ h >> 32);
}
/* The id of the node, or 0 when it has none yet. */
static inline uint32_t registry_find_stack(
	const struct registry *registry, uint32_t parent, uint32_t code, int32_t instruction)
{
	for (size_t i = registry_stack_hash_(parent, code, instruction);; i++) {
		const struct stack_node *node = &registry->nodes[i & registry->node_mask];
		if (!node->id || (node->parent == parent && node->code == code && node->instruction == instruction))
			return node->id;
	}
}

/* The id of the node, which is added when it is new. */
static inline struct error *registry_stack(
	struct registry *registry, uint32_t parent, uint32_t code, int32_t instruction, uint32_t *ret_id)
{
	*ret_id = registry_find_stack(registry, parent, code, instruction);
	return *ret_id ? NULL : registry_add_stack(registry, parent, code, instruction, ret_id);
}
