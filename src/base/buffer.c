#include "base/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/varint.h"

bool buffer_reserve(struct buffer *buffer, size_t more)
{
	if (buffer->failed)
		return false;
	if (more <= buffer->capacity - buffer->size)
		return true;
	size_t wanted = buffer->capacity ? buffer->capacity : 256;
	while (wanted - buffer->size < more)
		if (__builtin_mul_overflow(wanted, 2, &wanted))
			return !(buffer->failed = true);
	char *bigger = realloc(buffer->data, wanted);
	if (!bigger)
		return !(buffer->failed = true);
	buffer->data = bigger;
	buffer->capacity = wanted;
	return true;
}

void buffer_add(struct buffer *buffer, const void *data, size_t size)
{
	if (!size || !buffer_reserve(buffer, size))
		return;
	memcpy(buffer->data + buffer->size, data, size);
	buffer->size += size;
}

void buffer_add_string(struct buffer *buffer, const char *string)
{
	buffer_add(buffer, string, strlen(string));
}

void buffer_add_char(struct buffer *buffer, char c)
{
	buffer_add(buffer, &c, 1);
}

void buffer_add_varint(struct buffer *buffer, uint64_t value)
{
	unsigned char bytes[VARINT_MAX];
	buffer_add(buffer, bytes, (size_t)(varint_put(bytes, value) - bytes));
}

void buffer_vprintf(struct buffer *buffer, const char *format, va_list args)
{
	enum { USUAL = 128 }; /* so much room is made first: formatting twice only to learn the size is dear */
	if (!buffer_reserve(buffer, USUAL))
		return;
	va_list again;
	va_copy(again, args);
	size_t room = buffer->capacity - buffer->size;
	int length = vsnprintf(buffer->data + buffer->size, room, format, args);
	bool fits = length >= 0 && (size_t)length < room;
	if (length >= 0 && !fits && buffer_reserve(buffer, (size_t)length + 1)) {
		vsnprintf(buffer->data + buffer->size, (size_t)length + 1, format, again);
		fits = true;
	}
	buffer->size += fits ? (size_t)length : 0;
	va_end(again);
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	buffer_vprintf(buffer, format, args);
	va_end(args);
}

const char *buffer_string(struct buffer *buffer)
{
	if (!buffer_reserve(buffer, 1))
		return "";
	buffer->data[buffer->size] = '\0';
	return buffer->data;
}

void buffer_deinit(struct buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct buffer){ 0 };
}
