/* What is asked of a target now and then, off the timed path: names of threads, sys.path, the collector's counts. */
#include "cpython/object.h"
#include "sample/target.h"

/* An attribute of a module, by way of sys.modules. */
static uint64_t module_attribute(struct target *target, const char *module, const char *name)
{
	const struct runtime *runtime = &target->runtime;
	uint64_t modules, dict;
	if (!memory_read_u64(target->memory, target->interpreter + runtime->layout.interp.modules, &modules) ||
		!modules)
		return 0;
	uint64_t object = object_dict_get(target->memory, runtime, modules, module);
	if (!object || !memory_read_u64(target->memory, object + runtime->layout.module.dict, &dict))
		return 0;
	return object_dict_get(target->memory, runtime, dict, name);
}

static bool add_thread_object(void *context, uint64_t key, uint64_t value)
{
	struct target *target = context;
	int64_t ident;
	if (object_read_int(target->memory, &target->runtime, key, &ident) && ident)
		return map_put(&target->thread_objects, (uint64_t)ident, value);
	return true;
}

void target_index_names(struct target *target)
{
	map_clear(&target->thread_objects);
	uint64_t active = module_attribute(target, "threading", "_active");
	if (active)
		object_read_dict(target->memory, &target->runtime, active, add_thread_object, target);
}

bool target_thread_name(struct target *target, const struct thread *thread, struct buffer *name)
{
	const struct runtime *runtime = &target->runtime;
	const uint64_t *object = thread->ident ? map_get(&target->thread_objects, thread->ident) : NULL;
	if (!object)
		return false;
	uint64_t text = object_get_attribute(
		target->memory, runtime, *object, runtime->version < 0x0300 ? "_Thread__name" : "_name");
	return text && object_read_text(target->memory, runtime, text, name);
}

bool target_search_path(struct target *target, struct buffer *path)
{
	enum { ENTRIES_MAX = 1024 };
	const struct runtime *runtime = &target->runtime;
	uint64_t list = module_attribute(target, "sys", "path"), count, items;
	char type[8];
	if (!list || !object_type_name(target->memory, runtime, list, type, sizeof type) || strcmp(type, "list") != 0 ||
		!memory_read_u64(target->memory, list + runtime->layout.var_object.size, &count) ||
		count > ENTRIES_MAX ||
		!memory_read_u64(target->memory, list + runtime->layout.var_object.size + 8, &items))
		return false;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t entry;
		size_t before = path->size;
		if (!memory_read_u64(target->memory, items + i * 8, &entry) ||
			!object_read_text(target->memory, runtime, entry, path))
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
