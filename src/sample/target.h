/* target.h: one process being sampled: its interpreter, its threads, and one sample of all of them. */
#pragma once
#include <sys/types.h>

#include "sample/batch.h"
#include "sample/sites.h"
#include "sample/stack.h"

enum { GIL_BYTES_MAX = 64, INTERPRETER_BYTES_MAX = 1024 };

struct target {
	pid_t pid;
	pid_t inner_pid;       /* the process's number in its own PID namespace */
	struct map inner_tids; /* in another one than ours: a thread's number there -> here */
	uint32_t id;	       /* process of the recording */
	struct memory *memory;
	struct memory *info; /* the same through a cache, for what is asked off the timed path */
	struct runtime runtime;
	uint64_t interpreter;
	struct gil_addresses gil;

	struct registry *registry;
	struct codes codes;
	struct evidence evidence;
	struct sites sites;
	struct map links;	   /* until 3.10: frame -> its caller's, to predict chains from */
	struct map thread_objects; /* ident -> threading.Thread */
	struct map thread_names;   /* ident -> its name's str, of those that target_find_names has found */
	struct batch batch;

	bool several_looks; /* in one system call may be made (looks.h) */
	struct looks {
		struct thread *thread;
		unsigned copied;       /* how many the last read has copied of that thread, */
		unsigned count, at;    /* how many of them count; which is the present one */
		unsigned each, pieces; /* of the system call, for a look and in all */
		unsigned next;	       /* how many would be made in this one, were nothing against it */
		uint64_t took;	       /* by the system call, ns */
		uint64_t now;	       /* when it began, as target_sample() was told */
		uint64_t random;       /* state of a generator */
	} looks;

	VEC(struct thread *) threads;
	uint64_t threads_head; /* as last read */

	/* Of the last read. `bytes`: the GIL's struct from its last holder to its switch number. */
	struct gil_seen {
		uint64_t holder, switches;
		uint64_t last_holder; /* who had it last, whether it has it still */
		uint32_t locked;
		unsigned char bytes[GIL_BYTES_MAX];
	} gil_first, gil_last;
	uint64_t settled_switches; /* of the GIL when the threads that are settled were read */
	uint64_t unsettle_at;	   /* ns; when all are read again */
	/* The interpreter's fields from the first to the last that is wanted. */
	unsigned char interpreter_bytes[INTERPRETER_BYTES_MAX];
	uint32_t interpreter_start, interpreter_size;
	uint64_t held_by;    /* thread state that holds the GIL; 0: none */
	uint32_t collecting; /* the collector runs */
	bool goes_on;	     /* the process was neither stopped nor traced when states were last asked for, */
	uint64_t goes_on_at; /* at this time; ns */

	uint32_t state_start, state_size; /* which bytes of a PyThreadState are copied */
	uint32_t tid_offset; /* of the kernel's thread id in a pthread_t, where the version does not keep it; 0: unknown
			      */
};

/* Finds the interpreter. ERROR_NOT_READY: ask again soon. */
struct error *target_open(pid_t pid, struct target **ret_target);
/* The same, of a process whose map has just been read. */
struct error *target_open_mapped(const struct maps *maps, struct target **ret_target);
/* For frozen images and tests: any memory, which the target then owns. */
struct error *target_open_memory(struct memory *memory, const struct maps *maps, pid_t pid, struct target **ret_target);
void target_destroy(struct target *target); /* NULL-safe */

/* Where ids and definitions go; before the first sample. */
void target_attach_registry(struct target *target, struct registry *registry);

/* One sample of all threads: afterwards each thread of target->threads has its stack, quality and whether it changed.
 * ERROR_GONE when the process or its interpreter is no more. `now`: ns, any clock that goes on. */
struct error *target_sample(struct target *target, uint64_t now);

/* Whether the read of the last sample has another look, with target->several_looks; target_next_look() makes that the
 * last sample. */
static inline bool target_has_look(const struct target *target)
{
	return target->looks.at + 1 < target->looks.count;
}
struct error *target_next_look(struct target *target);

/* Who holds the GIL now: target->held_by. False when that cannot be read. */
bool target_read_holder(struct target *target);

/* Looks up which threads have a name; before target_thread_name, whenever they may have changed. */
void target_index_names(struct target *target);
/* Before target_thread_name of all threads in a row: does most of their work together, in few calls. */
void target_find_names(struct target *target);
/* The name that threading gives a thread, as it was at target_index_names or is now; false when it has none there. */
bool target_thread_name(struct target *target, const struct thread *thread, struct buffer *name);
/* sys.path, entries joined by newlines. */
bool target_search_path(struct target *target, struct buffer *path);
/* Number of collections of each generation since the interpreter began. */
bool target_collections(struct target *target, uint64_t ret_counts[static 3]);

static inline bool target_holds_gil(const struct target *target, const struct thread *thread)
{
	return target->held_by == thread->tstate;
}

/* A word of the thread's state as it was copied; `field` is its offset in a PyThreadState. */
static inline uint64_t target_state_word(const struct target *target, const struct thread *thread, uint32_t field)
{
	uint64_t value;
	memcpy(&value, thread->state + field - target->state_start, sizeof value);
	return value;
}
