/* compress.c: zstd's Huffman tables belong to its own inner blocks, so a flush at a cut gives each column its own
 * table; the reader of the frame need not know. Numbers are mostly noise by now: matches shorter than 7 bytes are
 * coincidence and cost more than Huffman codes of the same bytes (5 % of a file, measured), and a higher level finds
 * nothing more.
 */
#include "recording/compress.h"

#include <stdlib.h>
#include <zstd.h>

#include "base/error.h"
#include "recording/block.h"

enum { LEVEL_NUMBERS = 1, MIN_MATCH_NUMBERS = 7, LEVEL_TEXT = 6, MIN_MATCH_TEXT = 0 /* the level's own */ };

struct compressor {
	ZSTD_CCtx *context;
	struct buffer out;
};

struct compressor *compressor_create(void)
{
	struct compressor *compressor = calloc(1, sizeof *compressor);
	if (!compressor)
		return NULL;
	compressor->context = ZSTD_createCCtx();
	if (!compressor->context) {
		compressor_destroy(compressor);
		return NULL;
	}
	return compressor;
}

void compressor_destroy(struct compressor *compressor)
{
	if (!compressor)
		return;
	ZSTD_freeCCtx(compressor->context);
	buffer_deinit(&compressor->out);
	free(compressor);
}

bool compressor_run(struct compressor *compressor, enum content_kind kind, const struct packed *content,
	const void **ret, size_t *ret_size)
{
	bool text = kind == CONTENT_TEXT;
	size_t size = content->bytes.size;
	compressor->out.size = 0;
	if (size < BLOCK_COMPRESS_MIN || !buffer_reserve(&compressor->out, size))
		return false;
	ZSTD_CCtx_reset(compressor->context, ZSTD_reset_session_only);
	ZSTD_CCtx_setParameter(compressor->context, ZSTD_c_compressionLevel, text ? LEVEL_TEXT : LEVEL_NUMBERS);
	ZSTD_CCtx_setParameter(compressor->context, ZSTD_c_minMatch, text ? MIN_MATCH_TEXT : MIN_MATCH_NUMBERS);
	ZSTD_CCtx_setPledgedSrcSize(compressor->context, size);
	ZSTD_outBuffer out = { compressor->out.data, size - 1, 0 };
	size_t at = 0;
	for (size_t i = 0; i <= content->cuts.count; i++) {
		size_t end = i < content->cuts.count ? content->cuts.data[i] : size;
		bool last = end == size;
		ZSTD_inBuffer in = { content->bytes.data + at, end - at, 0 };
		size_t left = ZSTD_compressStream2(compressor->context, &out, &in, last ? ZSTD_e_end : ZSTD_e_flush);
		if (left) /* an error, or no room for a frame that is smaller than its content */
			return false;
		at = end;
		if (last)
			break;
	}
	*ret = compressor->out.data;
	*ret_size = out.pos;
	return true;
}

struct decompressor {
	ZSTD_DCtx *context;
	struct buffer out;
};

struct decompressor *decompressor_create(void)
{
	struct decompressor *decompressor = calloc(1, sizeof *decompressor);
	if (!decompressor)
		return NULL;
	decompressor->context = ZSTD_createDCtx();
	if (!decompressor->context) {
		decompressor_destroy(decompressor);
		return NULL;
	}
	return decompressor;
}

void decompressor_destroy(struct decompressor *decompressor)
{
	if (!decompressor)
		return;
	ZSTD_freeDCtx(decompressor->context);
	buffer_deinit(&decompressor->out);
	free(decompressor);
}

struct error *decompressor_run(
	struct decompressor *decompressor, const void *stored, size_t stored_size, size_t raw_size, const void **ret)
{
	decompressor->out.size = 0;
	/* The frame says its size too: a header that claims more than the frame makes no big allocation. */
	if (ZSTD_getFrameContentSize(stored, stored_size) != raw_size)
		return error_new(ERROR_CORRUPT, "its compressed content has another size than it should");
	if (!buffer_reserve(&decompressor->out, raw_size + 1))
		return &error_no_memory;
	size_t size = ZSTD_decompressDCtx(decompressor->context, decompressor->out.data, raw_size, stored, stored_size);
	if (ZSTD_isError(size))
		return error_new(ERROR_CORRUPT, "its content cannot be decompressed (%s)", ZSTD_getErrorName(size));
	if (size != raw_size)
		return error_new(ERROR_CORRUPT, "its compressed content has another size than it should");
	*ret = decompressor->out.data;
	return NULL;
}
