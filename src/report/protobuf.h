/* protobuf.h: the few lines of protobuf's wire format that writing needs. A message is a buffer; one within another is
 * written to a buffer of its own first, because its length stands before it. */
#pragma once
#include "base/buffer.h"

enum { WIRE_VARINT = 0, WIRE_BYTES = 2 };

/* Nothing for 0, which is what a field that is absent means. */
static inline void protobuf_add_number(struct buffer *out, unsigned field, uint64_t value)
{
	if (!value)
		return;
	buffer_add_varint(out, field << 3 | WIRE_VARINT);
	buffer_add_varint(out, value);
}

/* Even an empty one. */
static inline void protobuf_add_bytes(struct buffer *out, unsigned field, const void *data, size_t size)
{
	buffer_add_varint(out, field << 3 | WIRE_BYTES);
	buffer_add_varint(out, size);
	buffer_add(out, data, size);
}

/* Empties the message, so that it can be used for the next one. */
static inline void protobuf_add_message(struct buffer *out, unsigned field, struct buffer *message)
{
	protobuf_add_bytes(out, field, message->data, message->size);
	out->failed |= message->failed;
	message->size = 0;
}
