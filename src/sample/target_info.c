/* What is asked of a target now and then, off the timed path: names of threads, sys.path, the collector's counts. */
#include "cpython/object.h"
#include "os/memory_cache.h"
#include "sample/target.h"

/* ---- names ---- */

/* An attribute of a module, by way of sys.modules. */
static uint64_t module_attribute(struct target *target, const char *module, const char *name)
{
	const struct runtime *runtime = &target->runtime;
	uint64_t modules, dict;
	if (!memory_read_u64(target->info, target->interpreter + runtime->layout.interp.modules, &modules) || !modules)
		return 0;
	uint64_t object = object_dict_get(target->info, runtime, modules, module);
	if (!object || !memory_read_u64(target->info, object + runtime->layout.module.dict, &dict))
		return 0;
	return object_dict_get(target->info, runtime, dict, name);
}

struct pairs {
	VEC(uint64_t) keys;
	VEC(uint64_t) values;
};

static bool add_pair(void *context, uint64_t key, uint64_t value)
{
	struct pairs *pairs = context;
	return vec_push(&pairs->keys, key) && vec_push(&pairs->values, value);
}

void target_index_names(struct target *target)
{
	enum { INT = 32 };
	struct pairs pairs = { 0 };
	map_clear(&target->thread_objects);
	map_clear(&target->thread_names);
	memory_cache_clear(target->info);
	uint64_t active = module_attribute(target, "threading", "_active");
	if (active)
		object_read_dict(target->info, &target->runtime, active, add_pair, &pairs);
	memory_expect(target->info, pairs.keys.data, pairs.keys.count, INT);
	for (size_t i = 0; i < pairs.values.count; i++) {
		int64_t ident;
		if (object_read_int(target->info, &target->runtime, pairs.keys.data[i], &ident) && ident &&
			!map_put(&target->thread_objects, (uint64_t)ident, pairs.values.data[i]))
			break;
	}
	vec_free(&pairs.keys);
	vec_free(&pairs.values);
}

static uint64_t find_name(struct target *target, const struct thread *thread)
{
	const uint64_t *object = thread->ident ? map_get(&target->thread_objects, thread->ident) : NULL;
	return object ? object_get_attribute(target->info, &target->runtime, *object,
				target->runtime.version < 0x0300 ? "_Thread__name" : "_name")
		      : 0;
}

void target_find_names(struct target *target)
{
	enum { BEFORE = 32, OBJECT = BEFORE + 160, TEXT = 80 };
	VEC(uint64_t) addresses = { 0 };
	for (size_t i = 0; i < target->threads.count; i++) {
		const uint64_t *object = map_get(&target->thread_objects, target->threads.data[i]->ident);
		if (object && !vec_push(&addresses, *object - BEFORE))
			break;
	}
	memory_expect(target->info, addresses.data, addresses.count, OBJECT);
	addresses.count = 0;
	for (size_t i = 0; i < target->threads.count; i++) {
		const struct thread *thread = target->threads.data[i];
		uint64_t text = find_name(target, thread);
		if (text && (!vec_push(&addresses, text) || !map_put(&target->thread_names, thread->ident, text)))
			break;
	}
	memory_expect(target->info, addresses.data, addresses.count, TEXT);
	vec_free(&addresses);
}

bool target_thread_name(struct target *target, const struct thread *thread, struct buffer *name)
{
	const uint64_t *found = thread->ident ? map_get(&target->thread_names, thread->ident) : NULL;
	uint64_t text = found ? *found : find_name(target, thread);
	return text && object_read_text(target->info, &target->runtime, text, name);
}

/* ---- others ---- */

bool target_search_path(struct target *target, struct buffer *path)
{
	enum { ENTRIES_MAX = 1024 };
	const struct runtime *runtime = &target->runtime;
	memory_cache_clear(target->info);
	uint64_t list = module_attribute(target, "sys", "path"), count, items;
	char type[8];
	if (!list || !object_type_name(target->info, runtime, list, type, sizeof type) || strcmp(type, "list") != 0 ||
		!memory_read_u64(target->info, list + runtime->layout.var_object.size, &count) || count > ENTRIES_MAX ||
		!memory_read_u64(target->info, list + runtime->layout.var_object.size + 8, &items))
		return false;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t entry;
		size_t before = path->size;
		if (!memory_read_u64(target->info, items + i * 8, &entry) ||
			!object_read_text(target->info, runtime, entry, path))
			path->size = before;
		else if (path->size > before)
			buffer_add_char(path, '\n');
	}
	return path->size > 0;
}

bool target_collections(struct target *target, uint64_t ret_counts[static 3])
{
	const struct layout *l = &target->runtime.layout;
	uint64_t start = 0;
	if (l->version >= 0x030f ||
		l->gc_stats.collections == LAYOUT_NONE) /* 3.15 keeps rings of pauses instead of counts */
		return false;
	if (l->interp.gc_generation_stats != LAYOUT_NONE)
		start = target->interpreter + l->interp.gc_generation_stats;
	else if (target->runtime.address && l->runtime.gc_generation_stats != LAYOUT_NONE)
		start = target->runtime.address + l->runtime.gc_generation_stats;
	for (unsigned i = 0; start && i < 3; i++)
		if (!memory_read_u64(
			    target->memory, start + i * l->gc_stats.stride + l->gc_stats.collections, &ret_counts[i]))
			return false;
	return start != 0;
}
