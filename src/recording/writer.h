/* writer.h: the sink that writes a recording.
 *
 * What it is given it copies into a batch; a batch that is full, or a second old, goes to a thread which packs,
 * compresses and writes it, so that the caller waits neither for zstd nor for the disk (unless WRITER_PENDING_MAX bytes
 * wait to be written). The file grows as PATH.part and is readable to its last block at any moment;
 * recording_writer_finish gives it its name.
 *
 * One thread at a time may call. A write that fails is reported by the next call to the sink, once; from then on the
 * sink takes everything and keeps nothing. A call that breaks the rules of sink.h (ids that are not dense, ...) is
 * refused with ERROR_CORRUPT and leaves the recording as it was.
 *
 * Texts above the sizes in definitions.h are cut, and a line table above LINE_TABLE_MAX is left out.
 */
#pragma once
#include "recording/sink.h"

enum {
	WRITER_PENDING_MAX = 64 << 20, /* bytes in memory before the caller has to wait */
	WRITER_BATCH_EVENTS = 32768,
	WRITER_BATCH_DEFINITIONS = 1 << 20, /* bytes */
};
#define WRITER_BATCH_AGE_NS 1000000000u

/* Begins PATH.part. */
struct error *recording_writer_create(const char *path, struct sink **ret);
/* Hands on a batch that is older than WRITER_BATCH_AGE_NS. To be called every 100 ms or so; now: as event times. */
struct error *recording_writer_flush(struct sink *sink, uint64_t now);
/* All that it was given so far can be read in the file when this returns. */
struct error *recording_writer_sync(struct sink *sink);
/* Writes what is left, waits for the disk, renames PATH.part to PATH and frees the sink. After a failure PATH is as it
 * was, PATH.part has what could be written, and the sink is freed all the same; a failed write that was reported before
 * is reported again. */
struct error *recording_writer_finish(struct sink *sink);
/* Writes what is left and frees the sink; PATH stays as it was. PATH.part stays and is readable; it is removed when
 * nothing was ever recorded. NULL-safe. */
void recording_writer_abort(struct sink *sink);
