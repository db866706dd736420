/* image.h: a process's memory as far as a walk looks at it, frozen in a file, so that every version of CPython is read
 * on every machine. The file: zstd over a head, the map of the process, the addresses of pages, the pages. */
#pragma once
#include "os/maps.h"
#include "os/memory.h"

enum { IMAGE_PAGE = 4096 };

/* Passes reads on to `inner`, which it owns, and remembers the pages. */
struct error *image_record(struct memory *inner, struct memory **ret_memory);
struct error *image_save(const char *path, struct memory *recorded, const struct maps *maps);
/* The memory answers from the file's pages, and for all others as if nothing were there. */
struct error *image_open(const char *path, struct maps *ret_maps, struct memory **ret_memory);
