/* maps.h: what a process has mapped where. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/vec.h"

struct map_area {
	uint64_t start, end, offset;
	uint64_t inode;
	bool readable, writable, executable;
	bool deleted; /* what stands under its path now, if anything, is another file */
	char *path;   /* "" when anonymous; " (deleted)" is taken off */
};

struct maps {
	pid_t pid;		    /* 0: of no process that runs, and no files */
	VEC(struct map_area) areas; /* by address */
};

struct error *maps_read(pid_t pid, struct maps *ret_maps);
/* A number that changes when a file is mapped or unmapped, and does not when memory grows. Never 0. */
uint64_t maps_hash_files(const struct maps *maps);
/* Opens the very file that is mapped there, for reading: also one that was deleted or replaced, or that lies below
 * another root. -1: it cannot be had. */
int maps_open_file(const struct maps *maps, const struct map_area *area);
void maps_deinit(struct maps *maps);
#define _cleanup_maps_ __attribute__((cleanup(maps_deinit)))
