/* marshal.c: see marshal.h. A value is one byte that says what it is, its top bit that it will be referred to, then its
 * content. References count such values from 0 in the order in which they begin; Python 2 counts interned strings
 * by themselves. */
#include "bytecode/marshal.h"

#include <string.h>

enum { DEEPEST = 32, FLAG_REFERRED = 0x80, NOT_YET = UINT32_MAX };

struct reader {
	const unsigned char *data;
	size_t size, at;
	struct marshal *marshal;
	VEC(uint32_t) references; /* numbers of values; NOT_YET: begun and not ended */
	VEC(uint32_t) interned;
	VEC(uint32_t) open; /* items of containers that are not whole yet */
};

static struct error *damaged(const struct reader *r, const char *what)
{
	return error_new(ERROR_CORRUPT, "the marshalled data is damaged at byte %zu: %s", r->at, what);
}

static struct error *take(struct reader *r, size_t count, const unsigned char **ret_bytes)
{
	if (count > r->size - r->at)
		return damaged(r, "it is cut off");
	*ret_bytes = r->data + r->at;
	r->at += count;
	return NULL;
}

static uint64_t little(const unsigned char *bytes, unsigned count)
{
	uint64_t value = 0;
	for (unsigned i = 0; i < count; i++)
		value |= (uint64_t)bytes[i] << 8 * i;
	return value;
}

static struct error *take_number(struct reader *r, unsigned bytes, uint64_t *ret_number)
{
	const unsigned char *at;
	TRY(take(r, bytes, &at));
	*ret_number = little(at, bytes);
	return NULL;
}

/* ---- what has no items ---- */

/* Digits of 15 bits, the lowest first; their count is negative for negative numbers. */
static struct error *read_long(struct reader *r, struct marshal_value *value)
{
	uint64_t count, sum = 0;
	const unsigned char *digits;
	TRY(take_number(r, 4, &count));
	int64_t digit_count = (int32_t)(uint32_t)count;
	bool negative = digit_count < 0;
	digit_count = negative ? -digit_count : digit_count;
	TRY(take(r, 2 * (size_t)digit_count, &digits));
	for (int64_t i = digit_count; i-- > 0;) {
		uint64_t digit = little(digits + 2 * i, 2);
		sum = sum >> 48 ? INT64_MAX : (sum << 15 | (digit & 0x7fff));
	}
	sum = sum > INT64_MAX ? INT64_MAX : sum;
	value->kind = MARSHAL_INTEGER;
	value->integer = negative ? -(int64_t)sum : (int64_t)sum;
	return NULL;
}

static struct error *read_integer(struct reader *r, unsigned bytes, struct marshal_value *value)
{
	uint64_t number;
	TRY(take_number(r, bytes, &number));
	value->kind = MARSHAL_INTEGER;
	value->integer = bytes == 4 ? (int64_t)(int32_t)(uint32_t)number : (int64_t)number;
	return NULL;
}

static struct error *read_real(struct reader *r, struct marshal_value *value)
{
	uint64_t bits;
	TRY(take_number(r, 8, &bits));
	value->kind = MARSHAL_REAL;
	memcpy(&value->real, &bits, sizeof bits);
	return NULL;
}

/* Versions 0 and 1 write reals as text. */
static struct error *read_real_text(struct reader *r, struct marshal_value *value)
{
	uint64_t length;
	const unsigned char *text;
	char copy[UINT8_MAX + 1];
	TRY(take_number(r, 1, &length));
	TRY(take(r, length, &text));
	memcpy(copy, text, length);
	copy[length] = '\0';
	value->kind = MARSHAL_REAL;
	value->real = strtod(copy, NULL);
	return NULL;
}

static struct error *read_text(struct reader *r, unsigned size_bytes, struct marshal_value *value)
{
	uint64_t size;
	const unsigned char *text;
	TRY(take_number(r, size_bytes, &size));
	TRY(take(r, size, &text));
	value->kind = MARSHAL_TEXT;
	value->text = (struct text){ (const char *)text, size };
	return NULL;
}

static struct error *read_leaf(struct reader *r, unsigned char type, struct marshal_value *value)
{
	switch (type) {
	case 'N':
	case '.':
	case 'S':
		return NULL;
	case 'T':
	case 'F':
		value->kind = MARSHAL_INTEGER;
		value->integer = type == 'T';
		return NULL;
	case 'i':
		return read_integer(r, 4, value);
	case 'I':
		return read_integer(r, 8, value);
	case 'l':
		return read_long(r, value);
	case 'g':
		return read_real(r, value);
	case 'f':
		return read_real_text(r, value);
	case 's':
	case 't':
	case 'u':
	case 'a':
	case 'A':
		return read_text(r, 4, value);
	case 'z':
	case 'Z':
		return read_text(r, 1, value);
	default:
		r->at--;
		return damaged(r, "it holds what is no number, string, tuple or dictionary");
	}
}

/* ---- what has items ---- */

static struct error *read_value(struct reader *r, unsigned depth, uint32_t *ret_number, bool *ret_null);

/* Items stand in `open` until the container is whole, since its own have items, too. */
static struct error *close_container(struct reader *r, size_t base, struct marshal_value *value)
{
	size_t count = r->open.count - base;
	value->items.first = (uint32_t)r->marshal->items.count;
	value->items.count = (uint32_t)count;
	if (!vec_reserve(&r->marshal->items, r->marshal->items.count + count))
		return &error_no_memory;
	for (size_t i = base; i < r->open.count; i++)
		vec_push(&r->marshal->items, r->open.data[i]);
	r->open.count = base;
	return NULL;
}

static struct error *read_tuple(struct reader *r, unsigned depth, unsigned size_bytes, struct marshal_value *value)
{
	uint64_t count;
	size_t base = r->open.count;
	TRY(take_number(r, size_bytes, &count));
	if (count > r->size - r->at)
		return damaged(r, "a tuple is larger than the rest of the data");
	for (uint64_t i = 0; i < count; i++) {
		uint32_t item;
		bool null;
		TRY(read_value(r, depth + 1, &item, &null));
		if (null)
			return damaged(r, "a tuple lacks an item");
		if (!vec_push(&r->open, item))
			return &error_no_memory;
	}
	value->kind = MARSHAL_TUPLE;
	return close_container(r, base, value);
}

static struct error *read_dict(struct reader *r, unsigned depth, struct marshal_value *value)
{
	size_t base = r->open.count;
	for (;;) {
		uint32_t item;
		bool null;
		TRY(read_value(r, depth + 1, &item, &null));
		bool is_key = (r->open.count - base) % 2 == 0;
		if (null && is_key)
			break;
		if (null)
			return damaged(r, "a key has no value");
		if (!vec_push(&r->open, item))
			return &error_no_memory;
	}
	value->kind = MARSHAL_DICT;
	return close_container(r, base, value);
}

static struct error *read_reference(struct reader *r, bool interned, uint32_t *ret_number)
{
	uint64_t place;
	TRY(take_number(r, 4, &place));
	size_t count = interned ? r->interned.count : r->references.count;
	if (place >= count)
		return damaged(r, "it refers to what is not there");
	*ret_number = interned ? r->interned.data[place] : r->references.data[place];
	return *ret_number == NOT_YET ? damaged(r, "a value holds itself") : NULL;
}

static struct error *read_content(struct reader *r, unsigned depth, unsigned char type, struct marshal_value *value)
{
	switch (type) {
	case '(':
	case '[':
		return read_tuple(r, depth, 4, value);
	case ')':
		return read_tuple(r, depth, 1, value);
	case '{':
		return read_dict(r, depth, value);
	default:
		return read_leaf(r, type, value);
	}
}

/* *ret_null: it was no value but the end of a dictionary. */
static struct error *read_value(struct reader *r, unsigned depth, uint32_t *ret_number, bool *ret_null)
{
	struct marshal_value value = { 0 };
	const unsigned char *byte;
	if (depth > DEEPEST)
		return damaged(r, "it is nested too deeply");
	TRY(take(r, 1, &byte));
	unsigned char type = *byte & (unsigned char)~FLAG_REFERRED;
	size_t reference = r->references.count;
	*ret_null = type == '0';
	*ret_number = 0;
	if (*ret_null)
		return NULL;
	if (type == 'r' || type == 'R')
		return read_reference(r, type == 'R', ret_number);
	if (*byte & FLAG_REFERRED && !vec_push(&r->references, NOT_YET))
		return &error_no_memory;
	TRY(read_content(r, depth, type, &value));
	*ret_number = (uint32_t)r->marshal->values.count;
	if (!vec_push(&r->marshal->values, value) || (type == 't' && !vec_push(&r->interned, *ret_number)))
		return &error_no_memory;
	if (*byte & FLAG_REFERRED)
		r->references.data[reference] = *ret_number;
	return NULL;
}

struct error *marshal_read(const void *data, size_t size, struct marshal *ret_marshal)
{
	_cleanup_marshal_ struct marshal marshal = { 0 };
	struct reader r = { .data = data, .size = size, .marshal = &marshal };
	uint32_t whole;
	bool null;
	if (size >= UINT32_MAX)
		return error_new(ERROR_CORRUPT, "the marshalled data is larger than 4 GiB");
	struct error *error = read_value(&r, 0, &whole, &null);
	if (!error && (null || whole + 1 != marshal.values.count))
		error = damaged(&r, "there is no value");
	vec_free(&r.references);
	vec_free(&r.interned);
	vec_free(&r.open);
	TRY(error);
	*ret_marshal = marshal;
	marshal = (struct marshal){ 0 };
	return NULL;
}

void marshal_deinit(struct marshal *marshal)
{
	vec_free(&marshal->values);
	vec_free(&marshal->items);
}

const struct marshal_value *marshal_whole(const struct marshal *marshal)
{
	return &marshal->values.data[marshal->values.count - 1];
}

const struct marshal_value *marshal_item(
	const struct marshal *marshal, const struct marshal_value *value, uint32_t number)
{
	if ((value->kind != MARSHAL_TUPLE && value->kind != MARSHAL_DICT) || number >= value->items.count)
		return NULL;
	return &marshal->values.data[marshal->items.data[value->items.first + number]];
}
