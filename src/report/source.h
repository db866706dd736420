/* source.h: lines of source files, for showing beside what they cost. A file is read once; one that is no plain file,
 * too large, or newer than the recording has no lines. */
#pragma once
#include <stdbool.h>

#include "base/vec.h"
#include "profile/profile.h"

enum source_state { SOURCE_READ = 0, SOURCE_UNREADABLE, SOURCE_NEWER };

struct source_file {
	uint32_t file_number; /* of the profile's string */
	enum source_state state;
	bool changed; /* since the recording */
	char *data;
	size_t size;
	VEC(struct text) lines;
};

struct sources {
	const struct profile *profile;
	bool as_named; /* also what is newer (`changed` says so), and what is relative to our own folder */
	VEC(struct source_file) files;
};

/* The file that this function is in; NULL without memory. Belongs to `sources`, valid until the next call. */
const struct source_file *sources_find(struct sources *sources, uint32_t function);
/* The same by the number of the file's string. */
const struct source_file *sources_find_file(struct sources *sources, uint32_t file_number);
/* The line's bytes without its end, from 1; empty when there is no such line. */
struct text source_line(const struct source_file *file, uint32_t line);
/* The same from its first character on that is no blank or tab. */
struct text source_line_unindented(const struct source_file *file, uint32_t line);
void sources_deinit(struct sources *sources);
#define _cleanup_sources_ __attribute__((cleanup(sources_deinit)))
