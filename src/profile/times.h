/* times.h: where the time of every thread and process went: all samples, idle ones too, whatever the view. */
#pragma once
#include "profile/profile.h"

/* Nanoseconds, but for the counts. */
struct profile_times {
	uint64_t samples, quality[QUALITY_END];
	uint64_t wall; /* time of threads: two threads for a second are two */
	/* Parts of `wall` as sampled, which add up to it. */
	uint64_t on_cpu;    /* wanted a core and, as far as a sample can tell, had one */
	uint64_t runnable;  /* wanted one and had none */
	uint64_t gil_wait;  /* for the GIL, not on a core */
	uint64_t disk_wait; /* in uninterruptible wait: disk, page faults */
	uint64_t idle;	    /* asleep: waiting for anything else */
	/* Other parts of it. */
	uint64_t gil_held, gc, in_c;
	/* From the kernel's accounting where it was read often enough, else on_cpu and runnable: a sample seldom tells
	 * a thread on a core from one that waits for it. */
	uint64_t cpu, core_wait;
	bool cpu_exact;	  /* all of both is the kernel's */
	uint32_t threads; /* that were seen */
};

struct profile_time_table {
	struct profile_times all;
	struct profile_times *processes, *threads; /* by id, as many as the profile has */
};

struct error *profile_time_table_init(const struct profile *profile, struct profile_time_table *ret_table);
void profile_time_table_deinit(struct profile_time_table *table);
#define _cleanup_profile_time_table_ __attribute__((cleanup(profile_time_table_deinit)))
