/* Dictionaries from outside: 2.7's open table of entries, the compact dict of 3.6+, its split values, and the places
 * where instances keep theirs (a dictionary pointer, a managed one before the object, values inside the object). */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cpython/object.h"

enum { AT_ONCE = 64 }; /* entries that are read together */

/* How the entries lie, once the keys object is understood. */
struct entries {
	uint64_t start;
	uint64_t count;
	unsigned stride, key, value;
};

static bool entries_of_python2(struct memory *memory, const struct layout *l, uint64_t dict, struct entries *ret)
{
	uint64_t mask, table;
	if (!memory_read_u64(memory, dict + l->dict.mask, &mask) ||
		!memory_read_u64(memory, dict + l->dict.keys, &table) || mask >= OBJECT_DICT_MAX)
		return false;
	*ret = (struct entries){ table, mask + 1, l->dict_entry.size, l->dict_entry.key, l->dict_entry.value };
	return true;
}

/* The index table before the entries: 1, 2, 4 or 8 bytes a slot, by the number of slots. */
static bool index_bytes(struct memory *memory, const struct layout *l, uint64_t keys, uint64_t *ret_bytes)
{
	if (l->dict_keys.log2_index_bytes != LAYOUT_NONE) {
		uint8_t log2_bytes;
		if (!memory_read(memory, keys + l->dict_keys.log2_index_bytes, &log2_bytes, 1) || log2_bytes > 30)
			return false;
		*ret_bytes = 1ull << log2_bytes;
		return true;
	}
	uint64_t slots;
	if (!memory_read_u64(memory, keys + l->dict_keys.size, &slots) || slots > 2 * OBJECT_DICT_MAX)
		return false;
	*ret_bytes = slots * (slots <= 0xff ? 1 : slots <= 0xffff ? 2 : 4);
	return true;
}

static bool entries_of_keys(struct memory *memory, const struct layout *l, uint64_t keys, struct entries *ret)
{
	uint64_t bytes, count;
	uint8_t kind = 0; /* 0: general; else the keys are all str and no hash is kept */
	if (!index_bytes(memory, l, keys, &bytes) || !memory_read_u64(memory, keys + l->dict_keys.nentries, &count) ||
		count > OBJECT_DICT_MAX)
		return false;
	if (l->dict_keys.kind != LAYOUT_NONE && !memory_read(memory, keys + l->dict_keys.kind, &kind, 1))
		return false;
	*ret = (struct entries){ .start = keys + l->dict_keys.indices + bytes, .count = count };
	if (kind) {
		ret->stride = l->dict_unicode_entry.size;
		ret->key = l->dict_unicode_entry.key;
		ret->value = l->dict_unicode_entry.value;
	} else {
		ret->stride = l->dict_entry.size;
		ret->key = l->dict_entry.key;
		ret->value = l->dict_entry.value;
	}
	return true;
}

/* Whoever visits entries reads their keys. */
static void expect_keys(struct memory *memory, const struct entries *entries, const unsigned char *bytes, size_t count)
{
	enum { KEY = 64 }; /* of most keys that is all */
	uint64_t keys[AT_ONCE];
	size_t found = 0;
	for (size_t i = 0; i < count; i++) {
		memcpy(&keys[found], bytes + i * entries->stride + entries->key, 8);
		found += keys[found] != 0;
	}
	memory_expect(memory, keys, found, KEY);
}

/* One entry, from its bytes; *ret_go_on as the visitor says. False when a split value cannot be read. */
static bool visit_entry(struct memory *memory, const struct entries *entries, const unsigned char *bytes,
	uint64_t values, uint64_t index, dict_visitor *visit, void *context, bool *ret_go_on)
{
	uint64_t key, value;
	memcpy(&key, bytes + entries->key, 8);
	memcpy(&value, bytes + entries->value, 8);
	if (key && values && !memory_read_u64(memory, values + index * 8, &value))
		return false;
	if (key && value)
		*ret_go_on = visit(context, key, value);
	return true;
}

/* `values`: address of the split values, or 0 when each entry holds its own. */
static bool visit_entries(
	struct memory *memory, const struct entries *entries, uint64_t values, dict_visitor *visit, void *context)
{
	enum { STRIDE_MAX = 64 };
	unsigned char bytes[STRIDE_MAX * AT_ONCE];
	bool go_on = true;
	if (!entries->stride || entries->stride > STRIDE_MAX || entries->key + 8 > entries->stride ||
		entries->value + 8 > entries->stride)
		return false;
	for (uint64_t i = 0; i < entries->count && go_on; i += AT_ONCE) {
		uint64_t some = entries->count - i < AT_ONCE ? entries->count - i : AT_ONCE;
		if (!memory_read(memory, entries->start + i * entries->stride, bytes, some * entries->stride))
			return false;
		expect_keys(memory, entries, bytes, some);
		for (uint64_t k = 0; k < some && go_on; k++)
			if (!visit_entry(memory, entries, bytes + k * entries->stride, values, i + k, visit, context,
				    &go_on))
				return false;
	}
	return true;
}

bool object_read_dict(
	struct memory *memory, const struct runtime *runtime, uint64_t dict, dict_visitor *visit, void *context)
{
	const struct layout *l = &runtime->layout;
	struct entries entries;
	uint64_t keys, values = 0;
	if (!dict || dict & 7)
		return false;
	if (l->dict.mask != LAYOUT_NONE)
		return entries_of_python2(memory, l, dict, &entries) &&
		       visit_entries(memory, &entries, 0, visit, context);
	if (!memory_read_u64(memory, dict + l->dict.keys, &keys) ||
		!memory_read_u64(memory, dict + l->dict.values, &values) || !entries_of_keys(memory, l, keys, &entries))
		return false;
	if (values && l->dict_values.values != LAYOUT_NONE)
		values += l->dict_values.values;
	return visit_entries(memory, &entries, values, visit, context);
}

struct search {
	struct memory *memory;
	const struct runtime *runtime;
	const char *name;
	uint64_t found;
};

static bool match_key(void *context, uint64_t key, uint64_t value)
{
	struct search *search = context;
	if (object_text_is(search->memory, search->runtime, key, search->name))
		search->found = value;
	return !search->found;
}

uint64_t object_dict_get(struct memory *memory, const struct runtime *runtime, uint64_t dict, const char *key)
{
	struct search search = { memory, runtime, key, 0 };
	object_read_dict(memory, runtime, dict, match_key, &search);
	return search.found;
}

/* ---- attributes of instances ---- */

enum {
	TYPE_INLINE_VALUES = 1 << 2, /* Py_TPFLAGS_INLINE_VALUES, 3.13+ */
	TYPE_MANAGED_DICT = 1 << 4,  /* Py_TPFLAGS_MANAGED_DICT, 3.11+ */
};

static uint64_t get_from_values(
	struct memory *memory, const struct runtime *runtime, uint64_t type, uint64_t values, const char *name)
{
	uint64_t keys;
	struct entries entries;
	if (!memory_read_u64(memory, type + runtime->layout.heap_type.cached_keys, &keys) || !keys ||
		!entries_of_keys(memory, &runtime->layout, keys, &entries))
		return 0;
	struct search search = { memory, runtime, name, 0 };
	visit_entries(memory, &entries, values + runtime->layout.dict_values.values, match_key, &search);
	return search.found;
}

/* 3.11+: the word before the object's head (two before it for 3.11's dictionary) is a dictionary or its values. */
static uint64_t get_managed(
	struct memory *memory, const struct runtime *runtime, uint64_t object, uint64_t type, const char *name)
{
	const struct layout *l = &runtime->layout;
	uint64_t words[2]; /* object - 32, object - 24 */
	if (!memory_read(memory, object - 32, words, sizeof words))
		return 0;
	if (l->version == 0x030b) {
		/* 3.11: the values at -32, the dictionary at -24 */
		if (words[0])
			return get_from_values(memory, runtime, type, words[0], name);
		return object_dict_get(memory, runtime, words[1], name);
	}
	/* 3.12: one word at -24, which is the address of the values less one, or the dictionary; 3.13+: the dictionary,
	 * or 0 and the values lie in the object itself */
	if (words[1] & 1)
		return get_from_values(memory, runtime, type, words[1] + 1, name);
	return words[1] ? object_dict_get(memory, runtime, words[1], name) : 0;
}

uint64_t object_get_attribute(struct memory *memory, const struct runtime *runtime, uint64_t object, const char *name)
{
	const struct layout *l = &runtime->layout;
	uint64_t type, flags, offset, size, dict;
	if (!object || !memory_read_u64(memory, object + l->object.type, &type) ||
		!memory_read_u64(memory, type + l->type.flags, &flags) ||
		!memory_read_u64(memory, type + l->type.dictoffset, &offset) ||
		!memory_read_u64(memory, type + l->type.basicsize, &size))
		return 0;
	if (l->version >= 0x030d && flags & TYPE_INLINE_VALUES) {
		/* Valid until somebody asks for the dictionary, which then stands in the managed word. */
		uint64_t found = get_managed(memory, runtime, object, type, name);
		return found ? found
			     : get_from_values(memory, runtime, type,
				       object + (l->version >= 0x030e ? size : l->object.size), name);
	}
	if (l->version >= 0x030b && flags & TYPE_MANAGED_DICT)
		return get_managed(memory, runtime, object, type, name);
	char type_name[16];
	if (l->instance.dict != LAYOUT_NONE && object_type_name(memory, runtime, object, type_name, sizeof type_name) &&
		strcmp(type_name, "instance") == 0)
		offset = l->instance.dict; /* 2.7: an instance of a class without a metaclass */
	if (!offset || offset > 1 << 16 || !memory_read_u64(memory, object + offset, &dict))
		return 0;
	return object_dict_get(memory, runtime, dict, name);
}
