/* memory.h: a profile's allocations: what each call path, thread and allocator got, gave back and had at the moments
 * that can be asked for. Bytes are those asked for of the allocators.
 *
 * A view (memory_choice.h) chooses one of these numbers; it becomes the rows of the profile, so that trees, pictures
 * and foreign formats show it like any other weight. */
#pragma once
#include "profile/profile.h"

struct memory_sum {
	int64_t bytes, count;
};

struct memory_row {
	uint32_t process, thread, stack;
	uint8_t allocator; /* enum stream_allocator */
	struct memory_sum got, live, peak, temporary;
	struct memory_sum at_start, at_end; /* live when the main program began, and ended */
	struct memory_sum from, to;	    /* live at the two moments of the profile's choice */
};

/* Between two calls of pyrometer.mark(). */
struct memory_phase {
	uint32_t process, stack;  /* the stack's frame has its name; 0: it was before the first one */
	uint64_t ended, duration; /* event time, ns */
	struct memory_sum peak;
};

enum { MEMORY_SIZES = 64 };

struct profile_memory {
	VEC(struct memory_row) rows;
	VEC(struct memory_phase) phases; /* as they ended */
	struct map index;
	bool made; /* the rows of the choice stand in the profile */
	struct memory_sum peak, sizes[MEMORY_SIZES];
	uint64_t peak_time, main_began, main_ended; /* event time; 0: not known */
};

struct error *profile_memory_create(struct profile_memory **ret_memory);
void profile_memory_destroy(struct profile_memory *memory);

/* Whether an event is one of memory. */
bool profile_memory_is_it(const struct event *event);
/* What it says, of a profile that has memory. */
struct error *profile_memory_add(struct profile *profile, const struct event *event);
/* Rows for views: those of the choice. */
struct error *profile_memory_make_rows(struct profile *profile);

/* Maps of files and of mere addresses are shown, but are in no sum. */
bool memory_counts(unsigned allocator);
const char *memory_allocator_name(unsigned allocator);
/* Sums of recordings that lie wrap, and mean nothing then. */
void memory_sum_add(struct memory_sum *sum, struct memory_sum more);
/* "Live at the peak" */
const char *memory_view_title(enum memory_view view);
/* What a view shows of a row; of MEMORY_BETWEEN, what is there at `to`. */
struct memory_sum memory_shown(enum memory_view view, const struct memory_row *row);
/* The difference that it shows, too: 0 but of MEMORY_BETWEEN. */
struct memory_sum memory_difference(enum memory_view view, const struct memory_row *row);
