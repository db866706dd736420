/* family.h: the processes of one recording: the one that was asked for and, with `follow`, those that it starts.
 *
 * A process is looked at again and again until its interpreter has begun, as long as it lives: one that executes Python
 * late (a shell, pyenv's shims) is found when it does. When a process executes another program it becomes a new process
 * of the recording.
 *
 * Children are announced by the kernel (os/process_events.h) where we may listen, from their first moment and to the
 * last one. Elsewhere the kernel's list of children of every followed process is read once a millisecond, and a child
 * that began and ended between two looks is not known of. */
#pragma once
#include "base/map.h"
#include "base/vec.h"
#include "sample/target.h"

struct member {
	pid_t pid, parent_pid; /* parent_pid 0: it was asked for */
	uint32_t parent;       /* process id of the recording */
	uint32_t id;	       /* its own, once its interpreter was found; else 0 */
	struct target *target; /* NULL until then */
	int memory_fd;	       /* of the memory that the target lies in; -1: none */
	uint64_t look_at;      /* when to look for an interpreter again */
	uint32_t looks;
	bool gone;
	bool from_birth; /* seen from its start: its counters begin at 0 */

	/* What is known of one in which no interpreter was found. */
	bool copy;	    /* forked by a Python, and it has executed nothing since */
	bool no_python;	    /* it runs something else: seen while it lived, or in the one that forked it */
	uint64_t files;	    /* maps_hash_files when no_python was found; 0: it was not */
	bool seen;	    /* an interpreter was found, after its last execution */
	uint64_t begun_at;  /* CLOCK_MONOTONIC: not later than this it began to execute its program; 0: not known */
	uint64_t opened_at; /* CLOCK_MONOTONIC: when the last look for an interpreter began */
	uint64_t ended_at;  /* CLOCK_MONOTONIC; 0: not known */
	bool decided;	    /* nothing more will be known of it */
	uint64_t gone_at;   /* CLOCK_MONOTONIC: when it was found gone and more was waited for */

	uint64_t child_faults; /* of children waited for before it was known */

	/* For housekeeping.h. */
	uint64_t sampled_at;	       /* of its last sample */
	uint64_t times_at, names_at;   /* when its threads' times and names are read next */
	size_t times_next, names_next; /* the thread at which that goes on */
	bool names_indexed;	       /* target_index_names was called for this round */
	uint32_t main_thread;	       /* thread id of the recording; 0: not known */
	uint64_t main_cpu,
		main_cpu_born; /* its CPU time as last read, and before this process of the recording began */
};

/* How children were found, and what that means for their number. */
struct family_children {
	enum children_found found;
	uint32_t unseen;  /* ended before an interpreter could be read in them, and were or may have been Python */
	bool may_be_more; /* there may have been others, of which nothing is known */
};

struct family {
	VEC(struct member *)
	members;	   /* those that have gone, too, as long as the kernel's last word of them is awaited */
	struct map by_pid; /* -> the member's address */
	struct registry *registry;
	bool follow;
	int events_fd;	      /* -1: the list is read instead */
	uint64_t children_at; /* when to read it again */
	uint64_t memory_at;   /* when to see again who has other memory than was opened */
	bool had_children;
	size_t looked, tended; /* whose turn it is for a look, and for housekeeping.h, modulo the number of members */
	uint64_t housekeeping_at; /* when there is anything to do in housekeeping.h */
	struct family_children children;
	char *problem;	   /* why a process could not be sampled, the first that was heard; or NULL */
	pid_t problem_pid; /* whose it is */
};

void family_init(struct family *family, struct registry *registry, bool follow);
void family_deinit(struct family *family);
/* `parent`: NULL for the process that was asked for. */
struct error *family_add(struct family *family, pid_t pid, const struct member *parent, bool from_birth);
/* Finds interpreters that have begun, processes that have gone, and children; after the time `until` (CLOCK_MONOTONIC)
 * one process at most is looked at. `now`: event time. Errors are of the sink or of memory; that a process cannot be
 * sampled is in `problem`. */
struct error *family_tend(struct family *family, uint64_t now, uint64_t until);
/* Whether nothing is being waited for but ends: no children are followed, and each member's interpreter is known. */
bool family_is_calm(const struct family *family);
/* The member has ended or executed something else. */
struct error *family_lose(struct family *family, struct member *member, uint64_t now);
/* At the end of the recording: the last words of those that have ended by now. */
struct error *family_finish(struct family *family, uint64_t now);
/* What is known of children at the end of the recording. */
struct family_children family_children(const struct family *family);
