/* pickle.h: Python's pickles, protocols 2 to 5, as far as they hold data: numbers, strings, tuples, lists,
 * dictionaries, and objects with their class's name and their state. Nothing is imported and nothing is run: an object
 * is what the file says of it.
 *
 * The bytes may be anything: nothing is read beyond them, nothing recurses, and memory grows with the bytes that are
 * there. Values may hold themselves, so that who follows them must bound it. Texts point into the bytes, so these must
 * outlive the values. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "base/vec.h"

enum pickle_kind {
	PICKLE_NONE = 0,
	PICKLE_INTEGER, /* booleans, too; beyond 64 bits it stops at their end */
	PICKLE_REAL,
	PICKLE_TEXT,   /* str, bytes */
	PICKLE_TUPLE,  /* lists, too */
	PICKLE_DICT,   /* its items are key, value, key, value ... */
	PICKLE_CLASS,  /* its items are module and name */
	PICKLE_OBJECT, /* its items are the class, what it was made from, and its state if it has one */
};

struct pickle_value {
	enum pickle_kind kind;
	union {
		int64_t integer;
		double real;
		struct text text;
		struct {
			uint32_t first, last; /* number of an item + 1; 0: there are none */
			uint32_t count;
		} items;
	};
};

/* Lists grow while they are referred to: items are linked. */
struct pickle_item {
	uint32_t value, next; /* next: number + 1; 0: the last */
};

struct pickle {
	VEC(struct pickle_value) values;
	VEC(struct pickle_item) items;
	uint32_t whole;
};

/* ERROR_CORRUPT says at which byte. What stands behind the value is ignored, as Python does. */
struct error *pickle_read(const void *data, size_t size, struct pickle *ret_pickle);
void pickle_deinit(struct pickle *pickle);
#define _cleanup_pickle_ __attribute__((cleanup(pickle_deinit)))

const struct pickle_value *pickle_whole(const struct pickle *pickle);
/* The items of a value, one by one: for (item = pickle_first(p, value); item; item = pickle_next(p, item)). */
const struct pickle_item *pickle_first(const struct pickle *pickle, const struct pickle_value *value);
const struct pickle_item *pickle_next(const struct pickle *pickle, const struct pickle_item *item);
const struct pickle_value *pickle_value(const struct pickle *pickle, const struct pickle_item *item);
/* The item with this number, of one that has few; PICKLE_NONE where there is no such one. */
const struct pickle_value *pickle_item(const struct pickle *pickle, const struct pickle_value *value, uint32_t number);
