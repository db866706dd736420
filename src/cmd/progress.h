/* progress.h: one line on a terminal while a recording runs: how long, what is left, samples, errors. */
#pragma once
#include "recording/sink.h"

struct progress {
	uint64_t duration; /* ns; 0: open end */
	uint64_t next;	   /* event time of the next line */
	bool shown;	   /* a line stands there */
	bool enabled;
};

void progress_init(struct progress *progress, uint64_t duration, bool quiet);
/* Draws at most twice a second. */
void progress_show(struct progress *progress, const struct recording_end *so_far);
/* Takes the line away. */
void progress_clear(struct progress *progress);
