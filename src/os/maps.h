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
	char *path; /* "" when anonymous; " (deleted)" is taken off */
};

struct maps {
	VEC(struct map_area) areas; /* by address */
};

struct error *maps_read(pid_t pid, struct maps *ret_maps);
void maps_deinit(struct maps *maps);
#define _cleanup_maps_ __attribute__((cleanup(maps_deinit)))
