/* codes.h: which unit of the segment stands for a code object or a builtin. The number hangs off the code object itself
 * (co_extra); a small cache before it saves the call. */
#pragma once
#include "agent/python/python.h"
#include "agent/segment/recorder.h"

enum { CODES_CACHED = 1024 };

/* A thread's own, so that no two write it. */
struct codes_cache {
	struct {
		const void *key;
		uint32_t unit, generation;
	} slots[CODES_CACHED];
};

/* With the GIL (or attached). False: the interpreter gives no more room in code objects. */
bool codes_begin(void);

/* Where the package `pyrometer` lies, whose calls are not to count: "/x/pyrometer/". */
void codes_set_package(const char *folder);

/* enum segment_code_flag: whether it is of the package, or our own. */
uint32_t codes_flags_of_file(struct recorder_text file);

/* What Python code of our own is said to be in. */
#define CODES_OWN_FILE "<pyrometer>"

/* It is measured, whatever the filter says; from now on only such code is, and what a pattern names. Its unit,
 * or 0; `ret_known`: it has begun before, maybe unwanted. For hooks_choose(). */
uint32_t codes_choose(object *code, bool *ret_known);

extern _Atomic uint32_t codes_generation; /* moves when a code object ends: addresses are used again */

/* The rare way. 0: it is left out (agent/codes/filter.h), cannot be described, or there is no room. */
uint32_t codes_describe(object *code);
uint32_t codes_describe_builtin(const void *definition, object *callable, bool descriptor);

static inline unsigned codes_slot(const void *key)
{
	return (unsigned)(((uintptr_t)key >> 5) ^ ((uintptr_t)key >> 15)) % CODES_CACHED;
}

static inline uint32_t codes_get(struct codes_cache *cache, object *code)
{
	unsigned slot = codes_slot(code);
	uint32_t generation = atomic_load_explicit(&codes_generation, memory_order_relaxed);
	if (__builtin_expect(cache->slots[slot].key == code && cache->slots[slot].generation == generation, 1))
		return cache->slots[slot].unit;
	uint32_t unit = codes_describe(code);
	cache->slots[slot].key = code;
	cache->slots[slot].unit = unit;
	cache->slots[slot].generation = generation;
	return unit;
}

/* `definition`: its PyMethodDef, which outlives us unless it was made at run time. */
static inline uint32_t codes_get_builtin(
	struct codes_cache *cache, const void *definition, object *callable, bool descriptor)
{
	unsigned slot = codes_slot(definition);
	if (__builtin_expect(cache->slots[slot].key == definition, 1))
		return cache->slots[slot].unit;
	uint32_t unit = codes_describe_builtin(definition, callable, descriptor);
	cache->slots[slot].key = definition;
	cache->slots[slot].unit = unit;
	return unit;
}
