#include "sample/registry.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { NODES_FIRST = 1 << 12 };

void registry_init(struct registry *registry, struct sink *sink)
{
	*registry = (struct registry){ .sink = sink };
	registry->nodes = calloc(NODES_FIRST, sizeof *registry->nodes);
	registry->node_mask = registry->nodes ? NODES_FIRST - 1 : 0;
}

void registry_deinit(struct registry *registry)
{
	map_deinit(&registry->codes);
	vec_free(&registry->identities);
	free(registry->nodes);
	*registry = (struct registry){ 0 };
}

/* ---- code ---- */

static void hash_text(XXH3_state_t *state, const struct text *text)
{
	XXH3_128bits_update(state, &text->size, sizeof text->size);
	XXH3_128bits_update(state, text->data, text->size);
}

static XXH128_hash_t hash_code(const struct code_def *def)
{
	uint32_t head[3] = { def->first_line, def->line_table_kind, def->flags };
	XXH3_state_t state;
	XXH3_128bits_reset(&state);
	XXH3_128bits_update(&state, head, sizeof head);
	hash_text(&state, &def->file);
	hash_text(&state, &def->name);
	hash_text(&state, &def->qualname);
	hash_text(&state, &def->line_table);
	return XXH3_128bits_digest(&state);
}

struct error *registry_code(struct registry *registry, const struct code_def *def, uint32_t *ret_id)
{
	XXH128_hash_t hash = hash_code(def);
	uint64_t key = hash.low64 ? hash.low64 : 1;
	uint64_t *first = map_get(&registry->codes, key);
	for (uint64_t i = first ? *first : 0; i; i = registry->identities.data[i - 1].next)
		if (registry->identities.data[i - 1].high == hash.high64) {
			*ret_id = registry->identities.data[i - 1].id;
			return NULL;
		}
	struct code_def copy = *def;
	copy.id = registry->code_count + 1;
	struct code_identity identity = { hash.high64, copy.id, first ? (uint32_t)*first : 0 };
	if (!vec_push(&registry->identities, identity) || !map_put(&registry->codes, key, registry->identities.count))
		return &error_no_memory;
	registry->code_count++;
	*ret_id = copy.id;
	return registry->sink->ops->code(registry->sink, &copy);
}

struct error *registry_synthetic(struct registry *registry, enum synthetic word, uint32_t *ret_id)
{
	static const char *const words[SYNTHETIC_END] = { "<partial>" };
	if (!registry->synthetic[word]) {
		struct code_def def = { .flags = CODE_SYNTHETIC, .name = { words[word], strlen(words[word]) } };
		TRY(registry_code(registry, &def, &registry->synthetic[word]));
	}
	*ret_id = registry->synthetic[word];
	return NULL;
}

/* ---- stacks ---- */

static struct stack_node *slot_of(
	struct stack_node *nodes, size_t mask, uint32_t parent, uint32_t code, int32_t instruction)
{
	size_t i = registry_stack_hash_(parent, code, instruction);
	while (nodes[i & mask].id)
		i++;
	return &nodes[i & mask];
}

static bool grow_nodes(struct registry *registry)
{
	size_t mask = registry->node_mask * 2 + 1;
	struct stack_node *nodes = calloc(mask + 1, sizeof *nodes);
	if (!nodes)
		return false;
	for (size_t i = 0; i <= registry->node_mask; i++) {
		const struct stack_node *node = &registry->nodes[i];
		if (node->id)
			*slot_of(nodes, mask, node->parent, node->code, node->instruction) = *node;
	}
	free(registry->nodes);
	registry->nodes = nodes;
	registry->node_mask = mask;
	return true;
}

struct error *registry_add_stack(
	struct registry *registry, uint32_t parent, uint32_t code, int32_t instruction, uint32_t *ret_id)
{
	if (!registry->nodes)
		return &error_no_memory;
	if (registry->stack_count >= registry->node_mask / 4 * 3 && !grow_nodes(registry))
		return &error_no_memory;
	struct stack_def def = { registry->stack_count + 1, parent, code, instruction };
	*slot_of(registry->nodes, registry->node_mask, parent, code, instruction) = (struct stack_node){ parent, code,
		instruction, def.id };
	registry->stack_count++;
	*ret_id = def.id;
	return registry->sink->ops->stack(registry->sink, &def);
}
