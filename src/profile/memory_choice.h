/* memory_choice.h: which of a profile's numbers of memory is shown (memory.h has them). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum memory_view {
	MEMORY_PEAK = 0,  /* live at the moment when most was */
	MEMORY_LEAKS,	  /* got since the main program began, and live when it ended */
	MEMORY_TEMPORARY, /* freed or reallocated before the next allocation of the thread that got it */
	MEMORY_TOTAL,	  /* all that was ever got */
	MEMORY_AT,	  /* live at `to` */
	MEMORY_BETWEEN,	  /* what is live at `to`, less what was at `from` */
	MEMORY_LAST, /* live at the end of a recording that does not know its peak: in place of one that nobody asked
			for */
};

/* A moment: event time, or one that is known by its name. */
struct memory_moment {
	enum { MOMENT_TIME = 0, MOMENT_START, MOMENT_END } kind; /* of the main program */
	uint64_t time;
};

struct memory_choice {
	bool given; /* somebody asked for it; else lines that were measured are shown */
	enum memory_view view;
	struct memory_moment from, to;
};
