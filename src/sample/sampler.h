/* sampler.h: the loop: at each tick one sample of every thread of every process of the family, as events to a sink. */
#pragma once
#include "os/stop.h"
#include "sample/family.h"

struct sampler_options {
	uint64_t period_ns;	    /* 0: as fast as it goes */
	uint64_t duration;	    /* ns; 0: until the end */
	bool blocking;		    /* stop the GIL's holder while it is read */
	bool follow;		    /* children too */
	uint64_t memory_every;	    /* ns: read the processes' memory, too, so often; 0: not */
	struct recording_info info; /* its start, rate, seed and period are filled in */
};

/* What the caller wants to know and to decide, every 50 ms or so. */
struct sampler_watch {
	/* False: end now. */
	bool (*go_on)(void *context, const struct recording_end *so_far);
	/* Whatever must be done regularly with the sink, such as flushing it. */
	struct error *(*tend)(void *context, uint64_t now);
	void *context;
};

struct sampler;
struct error *sampler_create(const struct sampler_options *options, struct sink *sink, struct sampler **ret_sampler);
void sampler_destroy(struct sampler *sampler); /* NULL-safe */

/* `started`: it is our child, seen from its birth. */
struct error *sampler_add(struct sampler *sampler, pid_t pid, bool started);

/* Samples until the watch, the duration or the end of all processes says so. When it comes back with an error, what was
 * sampled is with the sink all the same. */
struct error *sampler_run(struct sampler *sampler, const struct sampler_watch *watch);

/* Gives the sink the end of the recording. `status`: of the target as wait() gave it, if it `ended`. */
struct error *sampler_finish(struct sampler *sampler, bool ended, int status);

const struct recording_end *sampler_totals(const struct sampler *sampler);
/* How many processes had an interpreter that was sampled; and why the first one could not be, or NULL. */
size_t sampler_processes(const struct sampler *sampler);
const char *sampler_problem(const struct sampler *sampler);
