/* zip.h: whether a file is a zip archive that holds a certain member. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* False, too, when the file cannot be read. */
bool zip_file_has(const char *path, const char *member);

/* The same on the last bytes of a file, which hold at least its central directory. */
bool zip_tail_has(const unsigned char *tail, size_t size, const char *member);
