/* reader.h: from a recording to a sink. The file is not trusted: what reaches the sink keeps all rules of sink.h,
 * whatever the file says. Reading stops at the first block that is not whole and right.
 */
#pragma once
#include <stdbool.h>
#include <stdio.h>

#include "recording/sink.h"

struct recording_status {
	uint64_t blocks; /* whole ones */
	uint64_t events;
	uint64_t bytes_read; /* up to the end of the last whole block */
	uint64_t bytes_lost; /* after it */
	bool complete;	     /* the recorder ended it properly */
	char reason[256];    /* a sentence when something is missing, with the offset of a damage; else empty */
};

/* Gives all of PATH to the sink, in order. A recording that breaks off is no error: ret_status says so. Errors:
 * ERROR_FAILED, the file cannot be read; ERROR_CORRUPT, it has no complete block or is no recording;
 * ERROR_UNSUPPORTED, its format is newer than this reader; and whatever the sink returns, at once. */
struct error *recording_read(const char *path, struct sink *sink, struct recording_status *ret_status);

/* Opens PATH for recording_read_fd. The sentence for a PATH that does not exist mentions PATH.part where there is one.
 */
struct error *recording_open(const char *path, int *ret_fd);

/* A block as it stands in the file. */
struct recording_block {
	uint64_t offset;
	unsigned type, flags; /* block.h */
	uint32_t stored_size, raw_size, sequence;
};
struct recording_observer {
	/* Called for each block whose checksum is right, before what it holds goes to the sink. */
	struct error *(*block)(struct recording_observer *, const struct recording_block *);
};
/* The same for an open file, which is read from where it stands; `name` is what sentences call it; the observer may be
 * NULL. ret_status is also written when there is no complete block. */
struct error *recording_read_fd(int fd, const char *name, struct sink *sink, struct recording_observer *observer,
	struct recording_status *ret_status);

/* Prints all blocks and records as lines of text, one each, also of a damaged file. */
struct error *recording_print_raw(const char *path, FILE *out);
