/* varint.h: LEB128 and zigzag. The reader never runs past its end: it goes to the end and says `bad`. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VARINT_MAX = 10 };

static inline unsigned char *varint_put(unsigned char *p, uint64_t value)
{
	while (value >= 0x80) {
		*p++ = (unsigned char)(value | 0x80);
		value >>= 7;
	}
	*p++ = (unsigned char)value;
	return p;
}

static inline uint64_t zigzag(int64_t value)
{
	return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}
static inline int64_t unzigzag(uint64_t value)
{
	return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

/* A window on bytes that are not trusted. */
struct bytes_reader {
	const unsigned char *at, *end;
	bool bad;
};

static inline uint64_t read_varint(struct bytes_reader *r)
{
	uint64_t value = 0;
	for (unsigned shift = 0; shift < 64 && r->at < r->end; shift += 7) {
		unsigned char byte = *r->at++;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	r->bad = true;
	r->at = r->end;
	return 0;
}

static inline int64_t read_zigzag(struct bytes_reader *r)
{
	return unzigzag(read_varint(r));
}

/* `size` bytes in place, or NULL. */
static inline const unsigned char *read_bytes(struct bytes_reader *r, size_t size)
{
	if (size > (size_t)(r->end - r->at)) {
		r->bad = true;
		r->at = r->end;
		return NULL;
	}
	const unsigned char *bytes = r->at;
	r->at += size;
	return bytes;
}
