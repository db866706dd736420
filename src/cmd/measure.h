/* measure.h: a program with the agent in it, started or attached to, to its end or ours, and what the agent counted:
 * what `calls` and `lines` have in common. */
#pragma once
#include "cmd/calls_filter.h"
#include "cmd/cmd.h"
#include "cmd/memory_limits.h"
#include "cmd/outputs.h"
#include "cmd/table_options.h"
#include "cmd/target_options.h"
#include "inject/attach.h"
#include "inject/drain.h"
#include "inject/launch.h"

/* Part of the options struct of each of the two. */
struct measure_options {
	struct target_options target;
	struct calls_filter filter;
	struct table_options table;
};

/* One run. The command fills the first part. */
struct measuring {
	const struct measure_options *options;
	const struct invocation *invocation;
	const char *command_name, *what; /* "calls", "calls were counted" */
	enum recording_mode mode;
	struct calls_orders orders; /* but for patterns and whom they are for */
	enum report_by by;	    /* of the report at the end */
	const char *collected;	    /* a folder in which the process measures itself, and which goes with it; or NULL */
	struct memory_limits limits;
	uint64_t most_kept; /* of single calls */
	struct outputs outputs;
	struct launch launch;
	struct attach attach;
	struct drain drain;
	struct buffer command; /* of the target: words joined by NUL */
	uint64_t began;	       /* CLOCK_MONOTONIC at time 0 */
	pid_t pid;
	uint64_t pause; /* ns, until the next look at what was measured */
	int status;
	bool ended, gives_rights; /* spawn_gives_rights() */
	struct error *failed;	  /* while the program ran; it is handed on */
};

struct error *measure_run(struct measuring *measuring, int *ret_status);
