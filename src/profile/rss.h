/* rss.h: a profile's memory over time, as it comes: readings of each process, and what the threads did meanwhile.
 * rss_plot.h makes of it what a report shows. */
#pragma once
#include "profile/profile.h"

struct rss_point {
	uint64_t time, bytes;
};
struct rss_points {
	VEC(struct rss_point) items;
};

enum rss_kind { RSS_RESIDENT = 0, RSS_PROPORTIONAL, RSS_UNIQUE, RSS_KIND_END };

struct rss_process {
	struct rss_points kinds[RSS_KIND_END];
};

/* A thread was seen in this one place from the first to the last of some consecutive samples. */
struct rss_run {
	uint64_t from, until;
	uint32_t thread, stack;
	bool busy;
};

/* A function that somebody else saw: a FUNC line of mprof's files. */
struct rss_given_mark {
	struct text name;
	struct rss_point from, until;
	uint32_t level;
};

struct profile_rss {
	VEC(struct rss_process) processes; /* by process of the recording */
	VEC(struct rss_run) runs;	   /* those of one thread in the order of time */
	VEC(uint32_t) last_runs;	   /* by thread: its last run + 1 */
	uint64_t least_gap; /* ns: samples of a thread that come earlier after its last one are left out */
	VEC(struct rss_given_mark) given;
	bool from_dat;	   /* of mprof's files: a name and no file is known of functions */
	bool cut;	   /* the file broke off in a line */
	const char *title; /* of several recordings: what this one is called; not owned */
	/* Other recordings that are to be shown beside this one; owned. */
	VEC(struct profile *) beside;
};

/* Whether the counter is one of memory. */
bool profile_rss_is_it(const struct event *event);
struct error *profile_rss_add(struct profile *profile, const struct event *event);
/* Where a thread is, once memory has been read. */
struct error *profile_rss_add_sample(struct profile *profile, const struct event *event);
/* Makes profile->rss where there is none. */
struct error *profile_rss_need(struct profile *profile);
/* A reading of a process that is defined. */
struct error *profile_rss_add_point(
	struct profile *profile, uint32_t process, enum rss_kind kind, struct rss_point point);
/* NULL-safe. */
void profile_rss_destroy(struct profile_rss *rss);
