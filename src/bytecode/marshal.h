/* marshal.h: Python's marshal format, versions 0 to 5, as far as it holds data: numbers, strings, tuples, lists and
 * dictionaries. No code objects.
 *
 * The bytes may be anything: nothing is read beyond them, nesting is bounded, and memory grows with the bytes that are
 * there. Texts point into them, so they must outlive the values. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "base/vec.h"

enum marshal_kind {
	MARSHAL_NONE = 0, /* also what has no data that we know: Ellipsis, StopIteration */
	MARSHAL_INTEGER,  /* booleans, too; beyond 64 bits it stops at their end */
	MARSHAL_REAL,
	MARSHAL_TEXT,  /* str of any width, bytes */
	MARSHAL_TUPLE, /* lists, too */
	MARSHAL_DICT,  /* its items are key, value, key, value ... */
};

struct marshal_value {
	enum marshal_kind kind;
	union {
		int64_t integer;
		double real;
		struct text text;
		struct {
			uint32_t first, count; /* of `items` */
		} items;
	};
};

struct marshal {
	VEC(struct marshal_value) values; /* the last one is the whole */
	VEC(uint32_t) items;		  /* numbers of values */
};

/* ERROR_CORRUPT says at which byte. What stands behind the value is ignored, as Python does. */
struct error *marshal_read(const void *data, size_t size, struct marshal *ret_marshal);
void marshal_deinit(struct marshal *marshal);
#define _cleanup_marshal_ __attribute__((cleanup(marshal_deinit)))

const struct marshal_value *marshal_whole(const struct marshal *marshal);
/* The item of a tuple or dictionary; NULL: there is no such one. */
const struct marshal_value *marshal_item(
	const struct marshal *marshal, const struct marshal_value *value, uint32_t number);
