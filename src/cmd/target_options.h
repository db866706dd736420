/* target_options.h: what every command that measures a program is told: which one, for how long, and where the result
 * goes. */
#pragma once
#include "cmd/program.h"

/* Part of the options struct of each of them. */
struct target_options {
	struct program_options program; /* to start, with the words that are no options */
	pid_t pid;			/* to attach to; 0: the program is started */
	uint64_t duration;		/* ns; 0: to its end */
	struct option_list outputs;
	const char *format; /* of outputs whose name does not tell; or NULL */
	bool follow, quiet, full_paths;
};

/* ERROR_USAGE unless one thing is named, a program or a process. `to_do`: what there is else nothing to do with:
 * "record". */
struct error *target_options_check(const struct target_options *options, char *const *words, const char *to_do);
