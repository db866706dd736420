/* buffer.h: a byte string that grows: text being made, a block being written. A failed growth is remembered in
 * `failed` and makes later writes do nothing, so that a long run of writes is checked once, at its end. */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
	char *data; /* not NUL-terminated unless buffer_string made it so */
	size_t size, capacity;
	bool failed;
};

bool buffer_reserve(struct buffer *buffer, size_t more);
void buffer_add(struct buffer *buffer, const void *data, size_t size);
void buffer_add_string(struct buffer *buffer, const char *string);
void buffer_add_char(struct buffer *buffer, char c);
void buffer_add_varint(struct buffer *buffer, uint64_t value);
void buffer_printf(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buffer_vprintf(struct buffer *buffer, const char *format, va_list args);
/* The content as a C string, owned by the buffer; "" after a failure. */
const char *buffer_string(struct buffer *buffer);
void buffer_deinit(struct buffer *buffer);
#define _cleanup_buffer_ __attribute__((cleanup(buffer_deinit)))
