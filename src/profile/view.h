/* view.h: which rows of a profile count, and by what weight. One recording, many views: hiding idle time or looking
 * only at who holds the GIL never needs another recording. */
#pragma once
#include "profile/profile.h"

enum profile_weight {
	PROFILE_SAMPLES = 0,
	PROFILE_WALL, /* nanoseconds */
	PROFILE_CPU,  /* nanoseconds: wall time of the samples that were on a core */
	PROFILE_BYTES,
	PROFILE_COUNT,
	PROFILE_WEIGHT_END
};

struct profile_view_options {
	enum profile_weight weight;
	bool idle;		  /* samples of threads that wait for something other than the GIL count, too */
	bool only_gil;		  /* only samples that held the GIL */
	bool only_cpu;		  /* only samples on a core */
	uint32_t process, thread; /* only those of this id of the recording; 0: all */
};

/* What a row, a node or a function weighs. */
struct profile_measure {
	uint64_t weight, samples;
};

struct profile_view {
	struct profile *profile;
	struct profile_view_options options;
	struct profile_measure all; /* the whole: what shares are of */
	VEC(uint32_t) rows;	    /* numbers of rows of the profile */
};

/* The profile must outlive the view, and must not be fed while the view is used. */
struct error *profile_view_init(
	struct profile *profile, const struct profile_view_options *options, struct profile_view *ret_view);
void profile_view_deinit(struct profile_view *view);
#define _cleanup_profile_view_ __attribute__((cleanup(profile_view_deinit)))

uint64_t profile_row_weight(const struct profile_row *row, enum profile_weight weight);

static inline bool profile_state_is_idle(uint16_t state)
{
	return !(state & STATE_BUSY_MASK);
}

/* A share of a whole of so many samples, and its 95 % interval after Wilson: what the share would be if one sampled for
 * ever lies between low and high, were the samples independent. */
struct profile_share {
	double share, low, high; /* 0 to 1 */
};
struct profile_share profile_share_of(uint64_t weight, uint64_t whole, uint64_t samples);
