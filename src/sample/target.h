/* target.h: one process being sampled: its interpreter, its threads, and one sample of all of them. */
#pragma once
#include <sys/types.h>

#include "sample/batch.h"
#include "sample/stack.h"

enum { GIL_BYTES_MAX = 64, INTERPRETER_BYTES_MAX = 1024 };

struct target {
	pid_t pid;
	uint32_t id; /* process of the recording */
	struct memory *memory;
	struct runtime runtime;
	uint64_t interpreter;
	struct gil_addresses gil;

	struct registry *registry;
	struct codes codes;
	struct evidence evidence;
	struct map links;	   /* until 3.10: frame -> its caller's, to predict chains from */
	struct map thread_objects; /* ident -> threading.Thread */
	struct map leaf_calls;	   /* code id and offset -> whether a call stands there */
	struct batch batch;

	VEC(struct thread *) threads;
	uint64_t threads_head; /* as last read */

	/* Of the last read. `bytes`: the GIL's struct from its last holder to its switch number. */
	struct gil_seen {
		uint64_t holder, switches;
		uint32_t locked;
		unsigned char bytes[GIL_BYTES_MAX];
	} gil_first, gil_last;
	/* The interpreter's fields from the first to the last that is wanted. */
	unsigned char interpreter_bytes[INTERPRETER_BYTES_MAX];
	uint32_t interpreter_start, interpreter_size;
	uint64_t held_by;    /* thread state that holds the GIL; 0: none */
	uint32_t collecting; /* the collector runs */

	uint32_t state_start, state_size; /* which bytes of a PyThreadState are copied */
	uint32_t tid_offset; /* of the kernel's thread id in a pthread_t, where the version does not keep it; 0: unknown
			      */
};

/* Finds the interpreter. ERROR_NOT_READY: ask again soon. */
struct error *target_open(pid_t pid, struct target **ret_target);
/* For frozen images and tests: any memory, which the target then owns. */
struct error *target_open_memory(struct memory *memory, const struct maps *maps, pid_t pid, struct target **ret_target);
void target_destroy(struct target *target); /* NULL-safe */

/* Where ids and definitions go; before the first sample. */
void target_attach_registry(struct target *target, struct registry *registry);

/* One sample of all threads: afterwards each thread of target->threads has its stack, quality and whether it changed.
 * ERROR_GONE when the process or its interpreter is no more. `now`: ns, any clock that goes on. */
struct error *target_sample(struct target *target, uint64_t now);

/* Looks up which threads have a name; before target_thread_name, whenever they may have changed. */
void target_index_names(struct target *target);
/* The name that threading gives a thread; false when it has none there. */
bool target_thread_name(struct target *target, const struct thread *thread, struct buffer *name);
/* sys.path, entries joined by newlines. */
bool target_search_path(struct target *target, struct buffer *path);
/* Number of collections of each generation since the interpreter began. */
bool target_collections(struct target *target, uint64_t ret_counts[static 3]);

static inline bool target_holds_gil(const struct target *target, const struct thread *thread)
{
	return target->held_by == thread->tstate;
}
