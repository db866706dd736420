/* memory.h: a profile's allocations: what each call path, thread and allocator got, gave back and had at the moments
 * that can be asked for. Bytes are those asked for of the allocators.
 *
 * A view (enum memory_view) chooses one of these numbers; it becomes the rows of the profile, so that trees, pictures
 * and foreign formats show it like any other weight. */
#pragma once
#include "profile/profile.h"

enum memory_view {
	MEMORY_PEAK = 0,  /* live at the moment when most was */
	MEMORY_LEAKS,	  /* got since the main program began, and live when it ended */
	MEMORY_TEMPORARY, /* freed before its thread's next allocation */
	MEMORY_TOTAL,	  /* all that was ever got */
	MEMORY_AT,	  /* live at `to` */
	MEMORY_BETWEEN,	  /* what is live at `to`, less what was at `from` */
};

/* A moment: event time, or one that is known by its name. */
struct memory_moment {
	enum { MOMENT_TIME = 0, MOMENT_START, MOMENT_END } kind; /* of the main program */
	uint64_t time;
};

struct memory_choice {
	enum memory_view view;
	struct memory_moment from, to;
};

struct memory_sum {
	int64_t bytes, count;
};

struct memory_row {
	uint32_t process, thread, stack;
	uint8_t allocator; /* enum stream_allocator */
	struct memory_sum got, live, peak, temporary;
	struct memory_sum at_start, at_end; /* live when the main program began, and ended */
	struct memory_sum from, to;	    /* live at the two moments of the choice */
};

enum { MEMORY_SIZES = 64 };

struct profile_memory {
	struct memory_choice choice;
	VEC(struct memory_row) rows;
	struct map index;
	bool made; /* the rows of the choice stand in the profile */
	struct memory_sum peak, sizes[MEMORY_SIZES];
	uint64_t peak_time, main_began, main_ended; /* event time; 0: not known */
};

/* Before the first event: what is to be shown. */
struct error *profile_memory_choose(struct profile *profile, const struct memory_choice *choice);

/* Whether an event is one of memory, and what it says. */
bool profile_memory_is_it(const struct event *event);
struct error *profile_memory_add(struct profile *profile, const struct event *event);
/* Rows for views: those of the choice. */
struct error *profile_memory_make_rows(struct profile *profile);
void profile_memory_destroy(struct profile_memory *memory);

/* Maps of files and of mere addresses are shown, but are in no sum. */
bool memory_counts(unsigned allocator);
const char *memory_allocator_name(unsigned allocator);
/* "Live at the peak" */
const char *memory_view_title(enum memory_view view);
/* What the choice shows of a row; of MEMORY_BETWEEN, what is there at `to`. */
struct memory_sum memory_shown(const struct profile_memory *memory, const struct memory_row *row);
/* The difference that it shows, too: 0 but of MEMORY_BETWEEN. */
struct memory_sum memory_difference(const struct profile_memory *memory, const struct memory_row *row);
