/* compress.h: the content of a block to and from one zstd frame. */
#pragma once
#include "recording/columns.h"

struct compressor;
/* NULL: no memory. */
struct compressor *compressor_create(void);
void compressor_destroy(struct compressor *compressor);
enum content_kind { CONTENT_NUMBERS, CONTENT_TEXT };
/* The compressed form of `content`, with a new table of byte frequencies at each of its cuts; it lives until the next
 * call. False: it would not be smaller (or there is no memory); the content is then stored as it is. */
bool compressor_run(struct compressor *compressor, enum content_kind kind, const struct packed *content,
	const void **ret, size_t *ret_size);

struct decompressor;
struct decompressor *decompressor_create(void);
void decompressor_destroy(struct decompressor *decompressor);
/* Exactly raw_size bytes, or ERROR_CORRUPT; they live until the next call. raw_size <= BLOCK_RAW_MAX. */
struct error *decompressor_run(
	struct decompressor *decompressor, const void *stored, size_t stored_size, size_t raw_size, const void **ret);
