/* version.h: which CPython an ELF object in memory is, by its sys.version. */
#pragma once
#include "os/elf_image.h"

/* PY_VERSION_HEX, or 0 when there is no such text (yet). */
uint32_t version_search(struct memory *memory, const struct elf_image *image);
