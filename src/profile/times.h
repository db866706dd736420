/* times.h: where the time of every thread and process went: all samples, idle ones too, whatever the view. */
#pragma once
#include "profile/profile.h"

/* Nanoseconds, but for the counts. */
struct profile_times {
	uint64_t samples, quality[QUALITY_END];
	uint64_t wall;	   /* time of threads: two threads for a second are two */
	uint64_t on_cpu;   /* of `wall`: on a core, as sampled */
	uint64_t runnable; /* wanted a core and had none */
	uint64_t idle, gil_held, gil_wait, gc, in_c;
	uint64_t cpu;	  /* from the kernel's accounting where it was read often enough, else on_cpu */
	bool cpu_exact;	  /* all of `cpu` is the kernel's */
	uint32_t threads; /* that were seen */
};

struct profile_time_table {
	struct profile_times all;
	struct profile_times *processes, *threads; /* by id, as many as the profile has */
};

struct error *profile_time_table_init(const struct profile *profile, struct profile_time_table *ret_table);
void profile_time_table_deinit(struct profile_time_table *table);
#define _cleanup_profile_time_table_ __attribute__((cleanup(profile_time_table_deinit)))
