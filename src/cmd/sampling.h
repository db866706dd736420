/* sampling.h: one run of the sampler on a program that is started or attached to, to its end or ours: what `record` and
 * `memory --rss` have in common. */
#pragma once
#include "cmd/cmd.h"
#include "cmd/outputs.h"
#include "cmd/progress.h"
#include "cmd/target_options.h"
#include "sample/sampler.h"

/* The command fills the first part; the rest is zero beforehand. */
struct sampling {
	const struct target_options *target; /* checked (target_options_check) */
	const struct invocation *invocation;
	struct sampler_options how; /* but for duration, follow and the texts of `info` */
	/* Why there is no process in the recording. `what`: "process 4242", or the program's name. */
	struct error *(*explain)(const struct sampling *sampling, const char *what);
	struct outputs outputs; /* its `report`, but for full_paths */

	struct sampler *sampler; /* for `explain` */
	struct progress progress;
	pid_t pid;  /* 0: not started yet */
	bool ended; /* it is our child, and this is its status as wait() gave it */
	int status;
};

/* Attaching fails at once, with the doctor's reason; a program that is started has time to become a Python. With
 * how.memory_every any program will do. *ret_status: the exit status of a program that was started, also beside an
 * error. What the run has made is gone afterwards. */
struct error *sampling_run(struct sampling *sampling, int *ret_status);
