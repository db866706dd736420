/* version.h: what `pyrometer --version` says: of which program, and what is built into it. */
#pragma once
#include "base/buffer.h"

/* PYROMETER_VERSION, "0.1.0", is given by the build. */
void version_write(struct buffer *text);

/* "pyrometer 0.1.0", for recordings. */
void version_write_short(struct buffer *text);

/* "2.7, 3.6-3.15; free-threaded: 3.13": the CPythons for which there are layouts. */
void version_write_pythons(struct buffer *text);
