/* rss_plot.h: memory over time as a report shows it: a curve for each process (or, of several recordings, for each of
 * them), their sum, the functions that were on, and the steps in which memory moved. */
#pragma once
#include "profile/rss.h"

struct rss_curve {
	uint32_t pid;
	const char *title;			    /* of a recording beside others; else NULL */
	uint32_t process;			    /* of the recording: the last one of this pid; 0: a sum */
	struct rss_points points;		    /* in the order of time */
	struct rss_point peak;			    /* the first of the highest */
	struct rss_point shares_peak[RSS_KIND_END]; /* PSS, USS: the highest that was read; bytes 0: none was */
	uint64_t shares_read;
};

/* A function that was on from `from` to `until`, without a sample that says otherwise. */
struct rss_mark {
	uint32_t process, thread; /* of the recording */
	uint32_t function;	  /* of the profile; PROFILE_NONE: `name` is all that is known */
	struct text name;
	uint32_t level; /* functions of the program's own that were on above it */
	uint32_t line;	/* of its caller; 0: not known */
	struct rss_point from, until;
	double weight; /* how much there is to see: its share of the time or of the memory, whichever is more */
};

/* Memory that rose or fell in one go. */
struct rss_step {
	uint32_t curve;
	struct rss_point from, until;
	uint32_t stack;		/* what the process did most in that time; 0: not known, it was idle */
	uint32_t before, after; /* what it did before and after then; 0: not known */
};

/* What memory moved by in all while the program was in one line. */
struct rss_line {
	uint32_t frame; /* of the profile; PROFILE_NONE: no Python was seen */
	uint64_t rose, fell;
};

struct rss_plot {
	struct profile *profile;
	VEC(struct rss_curve) curves;
	struct rss_curve sum;	    /* of several curves of one recording; else without points */
	VEC(struct rss_mark) marks; /* by begin */
	VEC(struct rss_step) steps; /* by time */
	VEC(struct rss_line) lines; /* those that rose most first */
	uint64_t until;		    /* the last reading of all */
	uint64_t most;		    /* bytes */
	bool several_recordings;    /* curve i is the sum of recording i */
};

/* Of profile->rss, which is there; with the recordings beside it, if there are any. ERROR_FAILED: nothing was read. */
struct error *rss_plot_init(struct profile *profile, struct rss_plot *ret_plot);
void rss_plot_deinit(struct rss_plot *plot);
#define _cleanup_rss_plot_ __attribute__((cleanup(rss_plot_deinit)))

/* The highest curve: the sum where there is one. */
const struct rss_curve *rss_plot_top(const struct rss_plot *plot);
/* The last reading not after that time, else the first one. The curve has points. */
struct rss_point rss_curve_at(const struct rss_curve *curve, uint64_t time);
/* The one that is nearest to it. */
struct rss_point rss_curve_nearest(const struct rss_curve *curve, uint64_t time);
/* The curve of this process of the recording, or NULL. */
const struct rss_curve *rss_plot_curve_of(const struct rss_plot *plot, uint32_t process);
/* The innermost function of the program's own on the stack, else the innermost at all: a frame of the profile. */
uint32_t rss_own_frame(const struct profile *profile, uint32_t stack, uint32_t *ret_stack);

/* rss_marks.c, rss_steps.c: parts of rss_plot_init. */
struct error *rss_marks_find(struct rss_plot *plot);
struct error *rss_steps_find(struct rss_plot *plot);
