/* flat.h: a view by function and by line. `total` counts a sample once, however often the function stands on its stack.
 */
#pragma once
#include "profile/tree.h"

struct profile_function_row {
	uint32_t function;
	uint32_t order; /* callers before what they call, where neither calls the other by turns */
	bool is_word;	/* no function but a word of ours, such as <partial> */
	struct profile_measure self, total;
	/* Parts of `self`, in the view's weight. */
	uint64_t in_c; /* the leaf instruction was a call, and what it called was C */
	uint64_t holds_gil, waits_gil;
};

struct profile_line_row {
	uint32_t function; /* the one with the most own time of those on this line */
	uint32_t line;	   /* 0: not known */
	uint32_t order;
	bool is_word; /* no line but a word of ours */
	struct profile_measure self, total;
	struct profile_measure gc; /* collections that this line triggered; not part of self */
	uint64_t heaviest_;	   /* self of `function` on this line, while adding up */
};

/* Sorted by falling self, then total, then order; words of ours come after all functions and lines. */
struct profile_flat {
	VEC(struct profile_function_row) functions;
	VEC(struct profile_line_row) lines;
	struct profile_measure gc; /* samples that ran the collector */
	uint64_t in_c;		   /* self of all functions that was in calls to C */
	uint64_t words;		   /* self of all words of ours */
};

/* `tree` must be one of this view and not folded; its roots do not matter. If it is not by line, the rows of lines are
 * of whole functions. */
struct error *profile_flat_init(
	const struct profile_view *view, const struct profile_tree *tree, struct profile_flat *ret_flat);
void profile_flat_deinit(struct profile_flat *flat);
#define _cleanup_profile_flat_ __attribute__((cleanup(profile_flat_deinit)))

/* Sorts by falling total, then order, words last. */
void profile_flat_sort_by_total(struct profile_flat *flat);
void profile_flat_sort_by_self(struct profile_flat *flat);
