/* output.h: the file that a recording grows in: PATH.part, which gets the name PATH when it is whole. Until then an
 * existing PATH stays as it was. A lock on PATH.part keeps two recorders from writing into one.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct output {
	int fd;
	char *path, *part;
	uint64_t size;	 /* bytes of whole blocks */
	bool has_blocks; /* more than the file's header */
};

/* Makes PATH.part, empty; one that a killed recorder left there is replaced. */
struct error *output_init(struct output *output, const char *path);
void output_deinit(struct output *output);
/* Appends a block, or the file's header, which has no body: both pieces or nothing: after a failure the file ends where
 * it ended before. */
struct error *output_append(
	struct output *output, const void *head, size_t head_size, const void *body, size_t body_size);
/* Waits for the disk and gives the file its name. */
struct error *output_commit(struct output *output);
/* Removes the file. */
void output_remove(struct output *output);
