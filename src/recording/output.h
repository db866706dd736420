/* output.h: the file that a recording grows in: PATH.part, which gets the name PATH when it is whole. Until then an
 * existing PATH stays as it was. A lock on PATH.part keeps two recorders from writing into one.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct output {
	int fd;
	char *path, *part;
	uint64_t size; /* bytes of whole blocks */
};

/* Makes PATH.part, empty; one that a killed recorder left there is replaced. */
struct error *output_init(struct output *output, const char *path);
void output_deinit(struct output *output);
/* Appends both pieces or nothing: after a failure the file ends where it ended before. */
struct error *output_append(
	struct output *output, const void *head, size_t head_size, const void *body, size_t body_size);
/* Waits for the disk and gives the file its name. */
struct error *output_commit(struct output *output);
/* Removes the file. */
void output_remove(struct output *output);
