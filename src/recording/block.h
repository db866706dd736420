/* block.h: the framing of a recording: a file header, then blocks one after another, each with its size and a checksum.
 *
 * It needs libc and nothing else (XXH64 is compiled in from its header), because the agent inside a target frames its
 * spools with it too; compression happens elsewhere. A reader goes from block to block and stops at the first one that
 * is not whole, so whatever was written before a kill or a full disk stays readable. docs/format.md gives the byte
 * tables and the reasons.
 */
#pragma once
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	"the file is little-endian and is read and written in place: a big-endian build must swap here");

enum {
	BLOCK_FORMAT_VERSION = 1, /* a reader refuses a newer one */
	BLOCK_RAW_MAX = 16 << 20, /* bytes of a block's content, uncompressed */
	BLOCK_COMPRESS_MIN = 64,  /* smaller content is stored as it is: zstd's frame would eat the gain */
};

enum block_type {
	BLOCK_DEFINITIONS = 1, /* records: what ids mean (definitions.h) */
	BLOCK_EVENTS = 2,      /* columns (events.h) */
};

enum block_flags { BLOCK_COMPRESSED = 1 << 0 /* one zstd frame */ };

/* The first byte is not ASCII, the line ends and ^Z show a transfer that changed them: as in PNG. */
#define BLOCK_FILE_MAGIC "\x89PYRO\r\n\x1a"

struct block_file_header {
	unsigned char magic[8];
	uint32_t version;
	uint32_t reserved; /* 0 */
};

struct block_header {
	uint8_t type;	      /* enum block_type; a reader skips a type that it does not know */
	uint8_t flags;	      /* enum block_flags */
	uint16_t reserved;    /* 0 */
	uint32_t stored_size; /* bytes that follow this header */
	uint32_t raw_size;    /* bytes after decompression; equal to stored_size unless BLOCK_COMPRESSED */
	uint32_t sequence;    /* 0, 1, 2, ... */
	uint64_t checksum;    /* block_checksum */
};

static_assert(
	sizeof(struct block_file_header) == 16, "this is on disk: change BLOCK_FORMAT_VERSION and docs/format.md");
static_assert(sizeof(struct block_header) == 24, "this is on disk: change BLOCK_FORMAT_VERSION and docs/format.md");
static_assert(offsetof(struct block_header, checksum) == 16, "the checksum covers what stands before it");
static_assert(sizeof BLOCK_FILE_MAGIC - 1 == 8, "this is on disk");

static inline struct block_file_header block_file_header_make(void)
{
	struct block_file_header header = { .version = BLOCK_FORMAT_VERSION };
	memcpy(header.magic, BLOCK_FILE_MAGIC, sizeof header.magic);
	return header;
}

/* XXH64 of the stored bytes, seeded with the XXH64 of the header before its checksum. */
static inline uint64_t block_checksum(const struct block_header *header, const void *stored)
{
	uint64_t seed = XXH64(header, offsetof(struct block_header, checksum), 0);
	return XXH64(stored, header->stored_size, seed);
}

/* The header of `stored`, complete with its checksum. */
static inline struct block_header block_header_make(enum block_type type, unsigned flags, const void *stored,
	uint32_t stored_size, uint32_t raw_size, uint32_t sequence)
{
	struct block_header header = { .type = (uint8_t)type,
		.flags = (uint8_t)flags,
		.stored_size = stored_size,
		.raw_size = raw_size,
		.sequence = sequence };
	header.checksum = block_checksum(&header, stored);
	return header;
}

/* What is wrong with a header before its content is looked at; NULL: nothing. */
static inline const char *block_header_problem(const struct block_header *header, uint32_t sequence)
{
	if (!header->type || header->reserved || header->flags & ~BLOCK_COMPRESSED)
		return "no block begins there";
	if (header->raw_size > BLOCK_RAW_MAX || header->stored_size > header->raw_size ||
		(!(header->flags & BLOCK_COMPRESSED) && header->stored_size != header->raw_size))
		return "its sizes are impossible";
	if (header->sequence != sequence)
		return "it is not the next in order";
	return NULL;
}
