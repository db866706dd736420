/* reader.c: block by block: header, stored bytes, checksum, decompression, content. What goes wrong in the file is kept
 * as a sentence and ends the reading; what goes wrong in the sink is passed on.
 */
#include "recording/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "recording/block.h"
#include "recording/compress.h"
#include "recording/definitions.h"
#include "recording/events.h"

enum { READ_STEP = 1 << 20 /* memory for a block grows as its bytes arrive, not as its header claims */ };

struct reader {
	int fd;
	const char *name;
	struct sink *sink;
	struct recording_observer *observer;
	uint64_t offset; /* of what is read next */
	bool at_end;
	struct buffer stored;
	struct decompressor *decompressor;
	struct events_decoder *decoder;
	struct ids ids;
	struct recording_status status;
};

/* One block while it is read. */
struct block {
	struct block_header header;
	const void *content;
};

static struct error *reader_init(struct reader *reader)
{
	reader->decompressor = decompressor_create();
	reader->decoder = events_decoder_create();
	return reader->decompressor && reader->decoder ? NULL : &error_no_memory;
}

static void reader_deinit(struct reader *reader)
{
	buffer_deinit(&reader->stored);
	decompressor_destroy(reader->decompressor);
	events_decoder_destroy(reader->decoder);
	ids_deinit(&reader->ids);
}

/* Up to `size` bytes; fewer only at the end of the file. */
static struct error *read_some(struct reader *reader, void *bytes, size_t size, size_t *ret_size)
{
	size_t got = 0;
	while (got < size) {
		ssize_t some = read(reader->fd, (char *)bytes + got, size - got);
		if (some < 0 && errno == EINTR)
			continue;
		if (some < 0)
			return error_os(errno, "cannot read '%s'", reader->name);
		if (!some)
			break;
		got += (size_t)some;
	}
	reader->offset += got;
	*ret_size = got;
	return NULL;
}

/* What is wrong with the block at status.bytes_read; the first complaint counts. */
static struct error *damaged(struct reader *reader, const char *what)
{
	return error_new(
		ERROR_CORRUPT, "the block at byte %" PRIu64 " is damaged: %s", reader->status.bytes_read, what);
}

static struct error *cut_off(struct reader *reader, uint64_t wanted)
{
	return error_new(ERROR_CORRUPT,
		"the block at byte %" PRIu64 " is cut off: %" PRIu64 " of its %" PRIu64 " bytes are there",
		reader->status.bytes_read, reader->offset - reader->status.bytes_read, wanted);
}

static struct error *read_stored(struct reader *reader, const struct block_header *header)
{
	reader->stored.size = 0;
	while (reader->stored.size < header->stored_size) {
		size_t step = header->stored_size - reader->stored.size, got;
		if (step > READ_STEP)
			step = READ_STEP;
		if (!buffer_reserve(&reader->stored, step))
			return &error_no_memory;
		TRY(read_some(reader, reader->stored.data + reader->stored.size, step, &got));
		reader->stored.size += got;
		if (got < step)
			return cut_off(reader, sizeof *header + header->stored_size);
	}
	return NULL;
}

/* A complaint of another part gets the block's place. */
static struct error *place(struct reader *reader, struct error *error)
{
	if (!error || error->kind != ERROR_CORRUPT)
		return error;
	struct error *placed = damaged(reader, error_message(error));
	error_free(error);
	return placed;
}

/* A whole block with its content as it was before compression; none at the end of the file. */
static struct error *read_block(struct reader *reader, struct block *ret)
{
	size_t got;
	TRY(read_some(reader, &ret->header, sizeof ret->header, &got));
	if (!got) {
		reader->at_end = true;
		return NULL;
	}
	if (got < sizeof ret->header)
		return cut_off(reader, sizeof ret->header);
	const char *problem = block_header_problem(&ret->header, (uint32_t)reader->status.blocks);
	if (problem)
		return damaged(reader, problem);
	TRY(read_stored(reader, &ret->header));
	const void *stored = reader->stored.size ? reader->stored.data : "";
	if (block_checksum(&ret->header, stored) != ret->header.checksum)
		return damaged(reader, "its checksum does not match");
	ret->content = stored;
	if (ret->header.flags & BLOCK_COMPRESSED)
		return place(reader, decompressor_run(reader->decompressor, stored, ret->header.stored_size,
					     ret->header.raw_size, &ret->content));
	return NULL;
}

static struct error *read_events(struct reader *reader, const struct block *block, bool *ret_sink_failed)
{
	const struct event *events;
	size_t count;
	TRY(ids_check_open(&reader->ids));
	TRY(events_decode(reader->decoder, block->content, block->header.raw_size, &reader->ids, &events, &count));
	struct error *error = reader->sink->ops->events(reader->sink, events, count);
	*ret_sink_failed = error != NULL;
	if (!error)
		reader->status.events += count;
	return error;
}

static struct error *observe(struct reader *reader, const struct block_header *header)
{
	if (!reader->observer)
		return NULL;
	struct recording_block block = { reader->status.bytes_read, header->type, header->flags, header->stored_size,
		header->raw_size, header->sequence };
	return reader->observer->block(reader->observer, &block);
}

/* What a block holds goes to the sink. */
static struct error *read_content(struct reader *reader, const struct block *block, bool *ret_sink_failed)
{
	struct error *error = observe(reader, &block->header);
	*ret_sink_failed = error != NULL;
	if (error)
		return error;
	if (block->header.type == BLOCK_DEFINITIONS)
		error = definitions_decode(
			block->content, block->header.raw_size, &reader->ids, reader->sink, ret_sink_failed);
	else if (block->header.type == BLOCK_EVENTS)
		error = read_events(reader, block, ret_sink_failed);
	return *ret_sink_failed ? error : place(reader, error);
}

/* Until the end or the first error. */
static struct error *read_blocks(struct reader *reader, bool *ret_sink_failed)
{
	*ret_sink_failed = false;
	for (;;) {
		struct block block;
		struct error *error = read_block(reader, &block);
		if (error || reader->at_end)
			return error;
		TRY(read_content(reader, &block, ret_sink_failed));
		reader->status.blocks++;
		reader->status.bytes_read = reader->offset;
	}
}

static struct error *read_file_header(struct reader *reader)
{
	struct block_file_header header;
	size_t got;
	TRY(read_some(reader, &header, sizeof header, &got));
	if (!got)
		return error_new(ERROR_CORRUPT, "'%s' is empty", reader->name);
	if (got < sizeof header || memcmp(header.magic, BLOCK_FILE_MAGIC, sizeof header.magic))
		return error_new(ERROR_CORRUPT, "'%s' is not a recording of Pyrometer", reader->name);
	if (header.version > BLOCK_FORMAT_VERSION)
		return error_new(ERROR_UNSUPPORTED,
			"'%s' has format version %u and this pyrometer reads up to %u: a newer one "
			"is needed",
			reader->name, header.version, BLOCK_FORMAT_VERSION);
	if (!header.version || header.reserved)
		return error_new(ERROR_CORRUPT, "'%s' is damaged at its beginning", reader->name);
	reader->status.bytes_read = sizeof header;
	return NULL;
}

/* How much there is from the beginning, as far as it can be told. */
static uint64_t file_size(const struct reader *reader)
{
	struct stat stat;
	if (fstat(reader->fd, &stat) || !S_ISREG(stat.st_mode) || (uint64_t)stat.st_size < reader->offset)
		return reader->offset;
	return (uint64_t)stat.st_size;
}

static void set_reason(struct reader *reader, const char *reason)
{
	snprintf(reader->status.reason, sizeof reader->status.reason, "%s", reason);
}

static struct error *read_all(struct reader *reader)
{
	bool sink_failed;
	TRY(read_file_header(reader));
	_cleanup_error_ struct error *error = read_blocks(reader, &sink_failed);
	if (sink_failed || error == &error_no_memory)
		return take_ptr(error);
	reader->status.complete = reader->ids.ended;
	if (error) {
		set_reason(reader, error_message(error));
		reader->status.bytes_lost = file_size(reader) - reader->status.bytes_read;
	} else if (!reader->ids.ended) {
		set_reason(reader, "it was not ended: the recorder was killed, or is still at work");
	}
	if (!reader->status.blocks)
		return error_new(ERROR_CORRUPT, "'%s' has no complete block%s%s", reader->name, error ? ": " : "",
			error ? error_message(error) : "");
	if (!reader->ids.begun)
		return error_new(ERROR_CORRUPT, "'%s' has no beginning", reader->name);
	return NULL;
}

struct error *recording_read_fd(int fd, const char *name, struct sink *sink, struct recording_observer *observer,
	struct recording_status *ret_status)
{
	struct reader reader = { .fd = fd, .name = name, .sink = sink, .observer = observer };
	struct error *error = reader_init(&reader);
	if (!error)
		error = read_all(&reader);
	*ret_status = reader.status;
	reader_deinit(&reader);
	return error;
}

static struct error *cannot_open(const char *path, int errnum)
{
	_cleanup_free_ char *part = NULL;
	struct stat stat_part;
	if (errnum != ENOENT || asprintf(&part, "%s.part", path) < 0)
		return error_os(errnum, "cannot read '%s'", path);
	if (stat(part, &stat_part))
		return error_os(errnum, "cannot read '%s'", path);
	return error_new(ERROR_FAILED,
		"there is no '%s', but '%s': a recording that is still being made, or whose recorder "
		"was killed; `pyrometer report %s` reads it",
		path, part, part);
}

struct error *recording_open(const char *path, int *ret_fd)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return cannot_open(path, errno);
	*ret_fd = fd;
	return NULL;
}

struct error *recording_read(const char *path, struct sink *sink, struct recording_status *ret_status)
{
	_cleanup_close_ int fd = -1;
	TRY(recording_open(path, &fd));
	return recording_read_fd(fd, path, sink, NULL, ret_status);
}
