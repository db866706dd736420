#include "cpython/object.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cpython/utf8.h"

static bool is_python2(const struct runtime *runtime)
{
	return runtime->version < 0x0300;
}

/* ---- text ---- */

static bool read_characters(
	struct memory *memory, uint64_t address, uint64_t length, unsigned width, bool ascii, struct buffer *text)
{
	if (length > OBJECT_TEXT_MAX)
		return false;
	_cleanup_free_ unsigned char *units = malloc(length * width + 1);
	if (!units || !memory_read(memory, address, units, length * width))
		return false;
	if (ascii) {
		buffer_add(text, units, length);
		return !text->failed;
	}
	for (size_t i = 0; i < length; i++) {
		char bytes[UTF8_MAX];
		uint32_t c = 0;
		memcpy(&c, units + i * width, width);
		buffer_add(text, bytes, utf8_put(bytes, c));
	}
	return !text->failed;
}

/* PEP 393: kind and flags in one bit field behind the hash; the data follows the head when `compact`. */
static bool read_unicode(struct memory *memory, const struct layout *l, uint64_t object, struct buffer *text)
{
	uint64_t length;
	uint32_t state;
	if (!memory_read_u64(memory, object + l->unicode.length, &length) ||
		!memory_read_u32(memory, object + l->unicode.state, &state))
		return false;
	unsigned shift = l->unicode.kind_bit;
	unsigned kind = state >> shift & 7, compact = state >> (shift + 3) & 1, ascii = state >> (shift + 4) & 1;
	if (kind != 1 && kind != 2 && kind != 4)
		return false;
	uint64_t data = object + (ascii ? l->unicode.ascii_data : l->unicode.compact_data);
	if (!compact && !memory_read_u64(memory, object + l->unicode.any_data, &data))
		return false;
	return read_characters(memory, data, length, kind, ascii, text);
}

/* 2.7: Py_UNICODE of two or four bytes; the build's choice shows in the data, since a name's upper halves are 0. */
static bool read_unicode2(struct memory *memory, const struct layout *l, uint64_t object, struct buffer *text)
{
	uint64_t length, data;
	return memory_read_u64(memory, object + l->unicode.length, &length) &&
	       memory_read_u64(memory, object + l->unicode.any_data, &data) &&
	       read_characters(memory, data, length, 4, false, text);
}

bool object_type_name(struct memory *memory, const struct runtime *runtime, uint64_t object, char *name, size_t size)
{
	uint64_t type, text;
	return memory_read_u64(memory, object + runtime->layout.object.type, &type) &&
	       memory_read_u64(memory, type + runtime->layout.type.name, &text) &&
	       memory_read_string(memory, text, name, size);
}

bool object_read_text(struct memory *memory, const struct runtime *runtime, uint64_t object, struct buffer *text)
{
	if (!object || object & 7)
		return false;
	if (!is_python2(runtime))
		return read_unicode(memory, &runtime->layout, object, text);
	char type[16];
	if (!object_type_name(memory, runtime, object, type, sizeof type))
		return false;
	if (strcmp(type, "unicode") == 0)
		return read_unicode2(memory, &runtime->layout, object, text);
	return strcmp(type, "str") == 0 && object_read_bytes(memory, runtime, object, text);
}

/* The name of nearly every attribute and module has another length: then that is all that is read. Where lengths count
 * something else than bytes, in 2.7, it is read in any case. */
bool object_text_is(struct memory *memory, const struct runtime *runtime, uint64_t object, const char *text)
{
	uint64_t length, wanted = strlen(text);
	_cleanup_buffer_ struct buffer found = { 0 };
	if (!is_python2(runtime) &&
		(!object || object & 7 || !memory_read_u64(memory, object + runtime->layout.unicode.length, &length) ||
			length != wanted))
		return false;
	return object_read_text(memory, runtime, object, &found) && found.size == wanted &&
	       memcmp(found.data, text, wanted) == 0;
}

bool object_read_bytes(struct memory *memory, const struct runtime *runtime, uint64_t object, struct buffer *bytes)
{
	const struct layout *l = &runtime->layout;
	uint64_t size;
	if (!object || !memory_read_u64(memory, object + l->var_object.size, &size) || size > OBJECT_BYTES_MAX ||
		!buffer_reserve(bytes, size + 1) ||
		!memory_read(memory, object + l->bytes.data, bytes->data + bytes->size, size))
		return false;
	bytes->size += size;
	return true;
}

/* ---- ints ---- */

/* Digits of 30 bits; their count and sign in ob_size until 3.11, in lv_tag (count << 3 | sign) from 3.12. Both lie
 * before the digits. 2.7: ob_ival is where the count would be. */
bool object_read_int(struct memory *memory, const struct runtime *runtime, uint64_t object, int64_t *ret_value)
{
	const struct layout *l = &runtime->layout;
	struct {
		uint64_t head;
		uint32_t digits[3];
	} number = { 0 };
	if (is_python2(runtime))
		return memory_read_u64(memory, object + l->object.size, (uint64_t *)ret_value);
	bool tagged = l->long_object.lv_tag != LAYOUT_NONE;
	uint64_t start = object + (tagged ? l->long_object.lv_tag : l->var_object.size);
	const size_t whole = sizeof number.head + sizeof number.digits,
		     least = sizeof number.head + sizeof *number.digits;
	if (!memory_read(memory, start, &number, whole) && !memory_read(memory, start, &number, least))
		return false;
	bool negative = tagged ? (number.head & 3) == 2 : (int64_t)number.head < 0;
	uint64_t count = tagged ? number.head >> 3 : negative ? -number.head : number.head;
	if (count > 3)
		return false;
	uint64_t value = 0;
	for (uint64_t i = 0; i < count; i++)
		value |= (uint64_t)number.digits[i] << 30 * i;
	*ret_value = (int64_t)(negative ? -value : value);
	return true;
}
