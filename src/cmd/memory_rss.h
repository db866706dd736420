/* memory_rss.h: `memory --rss`: resident memory over time of a program that is started, or of one that runs, with the
 * functions that were on. */
#pragma once
#include "cmd/cmd.h"
#include "cmd/program.h"

struct memory_rss_options {
	const struct program_options *program;
	const struct option_list *outputs;
	pid_t pid;	   /* 0: the program is started */
	uint64_t duration; /* ns; 0: to its end */
	uint64_t interval; /* ns between two readings of resident memory; 0: the usual 10 ms */
	uint64_t rate;	   /* millihertz: samples of what is on; 0: as fast as it goes */
	const char *format;
	bool follow, quiet, full_paths;
};

struct error *memory_rss_run(
	const struct memory_rss_options *options, const struct invocation *invocation, int *ret_status);
