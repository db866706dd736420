#include "cmd/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

enum { DRAW_EVERY = NS_PER_S / 2 };

void progress_init(struct progress *progress, uint64_t duration, bool quiet)
{
	const char *terminal = getenv("TERM");
	bool can_draw = isatty(STDERR_FILENO) && terminal && strcmp(terminal, "dumb") != 0;
	*progress = (struct progress){ .duration = duration, .next = DRAW_EVERY, .enabled = can_draw && !quiet };
}

void progress_show(struct progress *progress, const struct recording_end *so_far)
{
	if (!progress->enabled || so_far->duration < progress->next)
		return;
	progress->next = so_far->duration + DRAW_EVERY;
	progress->shown = true;
	uint64_t samples = 0;
	for (int i = 0; i < QUALITY_END; i++)
		samples += so_far->samples[i];
	fprintf(stderr, "\r\033[Krecording %.1f s", (double)so_far->duration / NS_PER_S);
	if (progress->duration > so_far->duration)
		fprintf(stderr, ", %.1f s left", (double)(progress->duration - so_far->duration) / NS_PER_S);
	fprintf(stderr, ", %llu samples", (unsigned long long)samples);
	if (so_far->samples[QUALITY_PARTIAL])
		fprintf(stderr, ", %llu partial", (unsigned long long)so_far->samples[QUALITY_PARTIAL]);
	if (so_far->ticks_missed)
		fprintf(stderr, ", %llu ticks missed", (unsigned long long)so_far->ticks_missed);
	fputs("  (Ctrl-C ends) ", stderr);
	fflush(stderr);
}

void progress_clear(struct progress *progress)
{
	if (!progress->shown)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	progress->shown = false;
}
