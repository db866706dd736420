/* rss.h: the memory of a family of processes over time: counters of its resident memory, read at the sampler's ticks.
 *
 * Resident memory costs some microseconds a process. It is read at the ticks in between, too, as long as there are few
 * processes, and what has moved is told at once: so steps and short peaks are known to a tick. The shares of it (PSS,
 * USS) make the kernel walk all pages, and are read only as often as that takes less than a thousandth of the time, by
 * what it was measured to cost.
 *
 * A process without an interpreter is one of the recording, too, once it has lived for a while or has ended: what was
 * read of it until then is kept and told then. */
#pragma once
#include "os/process.h"
#include "sample/family.h"

struct rss_reading {
	uint64_t time, bytes;
};

/* A process whose memory is read. */
struct rss_watched {
	pid_t pid;
	uint32_t parent; /* process id of the recording */
	uint32_t id;	 /* its own; 0: not one yet */
	bool alive;	 /* read at this tick */
	uint64_t bytes, shares_at;
	struct process process; /* while it is not one yet: as it was when last looked at */
	VEC(struct rss_reading) untold;
};

struct rss {
	struct family *family;
	uint64_t every;		   /* ns; 0: nothing is read */
	uint64_t slot;		   /* time / every + 1 of the last reading */
	uint64_t shares_at;	   /* event time of the last reading of shares */
	double shares_ns_per_byte; /* what it costs, as measured last */
	VEC(struct rss_watched) watched;
};

void rss_init(struct rss *rss, struct family *family, uint64_t every);
void rss_deinit(struct rss *rss);
/* Reads what is due at this tick and gives it to the sink. `now`: event time. */
struct error *rss_tick(struct rss *rss, uint64_t now);
/* At the end of the recording: what was read and not told yet. */
struct error *rss_finish(struct rss *rss);
