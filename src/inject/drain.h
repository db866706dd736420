/* drain.h: from a segment (agent/segment/segment.h) to the events of a recording. The target wrote it, and may have
 * been killed amid a word: nothing in it is believed, and reading it ends. */
#pragma once
#include "base/buffer.h"
#include "sample/registry.h"

struct timeline_of_process;
struct memory_of_process;

struct drain {
	struct registry registry; /* of call paths */
	struct sink *sink;
	uint32_t codes;	    /* ids given */
	uint64_t calls;	    /* seen in all */
	uint64_t entries;   /* into measured lines, among allocations */
	uint64_t taken;	    /* events of allocations, frees and what stands among them */
	char sealed[256];   /* why an agent stopped before the end; empty: none did */
	uint64_t matched;   /* patterns that matched in some process: bits, in the order in which the agent has them */
	uint64_t kept;	    /* single calls (timeline.h) */
	uint64_t most_kept; /* of these; then no more are wanted */
	VEC(struct timeline_of_process *) timelines;
	VEC(struct memory_of_process *) memories;
	bool wants_words;    /* fill `words` */
	struct buffer words; /* names of functions, files and folders that were seen, each ended by NUL */
};

void drain_init(struct drain *drain, struct sink *sink);
void drain_deinit(struct drain *drain);

/* What a segment says of itself. */
struct drain_head {
	uint32_t pid, owner; /* owner: pyrometer; 0: not known */
	uint32_t mode;	     /* enum recording_mode */
	uint64_t start_ns;   /* CLOCK_MONOTONIC */
};
/* ERROR_CORRUPT when it is none. */
struct error *drain_read_head(const char *path, struct drain_head *ret_head);

/* Adds one process, `def`, but for its id and version, which are found here. ERROR_CORRUPT when it is no segment;
 * ERROR_NOT_READY when nothing was measured in it. `began_ns`: CLOCK_MONOTONIC at time 0 of the recording. */
struct error *drain_segment(struct drain *drain, const char *path, const struct process_def *def, uint64_t began_ns);
