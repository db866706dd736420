/* object.h: the few built-in objects that must be understood from outside: strings, bytes, ints, dicts, types.
 * Everything is bounded and checked: the pointers come from a process that may be changing or broken. */
#pragma once
#include "base/buffer.h"
#include "cpython/runtime.h"

enum {
	OBJECT_TEXT_MAX = 1 << 20,   /* characters of a name or path that we take */
	OBJECT_BYTES_MAX = 16 << 20, /* bytes of a line table */
	OBJECT_DICT_MAX = 1 << 20,   /* entries of a dict that we look through */
};

/* A str (2.7: str or unicode) as UTF-8, appended; lone surrogates come as their three bytes. False when it is none. */
bool object_read_text(struct memory *memory, const struct runtime *runtime, uint64_t object, struct buffer *text);
/* Whether it is that text, of ASCII alone. */
bool object_text_is(struct memory *memory, const struct runtime *runtime, uint64_t object, const char *text);
/* A bytes object's content, appended. */
bool object_read_bytes(struct memory *memory, const struct runtime *runtime, uint64_t object, struct buffer *bytes);
/* What is known to be an int (2.7: a small one) that fits 64 bits. */
bool object_read_int(struct memory *memory, const struct runtime *runtime, uint64_t object, int64_t *ret_value);
/* The name of an object's type, cut to the room. */
bool object_type_name(struct memory *memory, const struct runtime *runtime, uint64_t object, char *name, size_t size);

/* Calls `visit` for each (key, value) of a dict object until it returns false. */
typedef bool dict_visitor(void *context, uint64_t key, uint64_t value);
bool object_read_dict(
	struct memory *memory, const struct runtime *runtime, uint64_t dict, dict_visitor *visit, void *context);
/* The value of a str key, or 0. */
uint64_t object_dict_get(struct memory *memory, const struct runtime *runtime, uint64_t dict, const char *key);
/* An instance's attribute from its own dictionary, wherever that version keeps it; 0 when it has none. */
uint64_t object_get_attribute(struct memory *memory, const struct runtime *runtime, uint64_t object, const char *name);
