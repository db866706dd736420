/* hash.h: mixing of integers and hashing of bytes, for tables in memory. Neither is stable across versions of
 * Pyrometer: what stands in a file is checked with XXH64 (recording/block.h). */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t hash_u64(uint64_t x)
{
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93u;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93u;
	x ^= x >> 32;
	return x;
}

static inline uint64_t hash_bytes(const void *data, size_t size)
{
	const unsigned char *p = data;
	uint64_t h = size * 0x9e3779b97f4a7c15u;
	for (; size >= 8; size -= 8, p += 8) {
		uint64_t word;
		memcpy(&word, p, 8);
		h = hash_u64(h ^ word);
	}
	uint64_t tail = 0;
	memcpy(&tail, p, size);
	return hash_u64(h ^ tail);
}
