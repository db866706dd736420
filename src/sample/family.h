/* family.h: the processes of one recording: the one that was asked for and, with `follow`, those that it starts.
 *
 * A process is looked at again and again until its interpreter has begun, as long as it lives: one that executes Python
 * late (a shell, pyenv's shims) is found when it does. When a process executes another program it becomes a new process
 * of the recording. Children are found by reading the kernel's list of children of every followed process, once a
 * millisecond at most; a child that began and ended between two looks is not seen. */
#pragma once
#include "base/vec.h"
#include "sample/target.h"

struct member {
	pid_t pid;
	uint32_t parent;       /* process id of the recording */
	uint32_t id;	       /* its own, once its interpreter was found; else 0 */
	struct target *target; /* NULL until then */
	uint64_t look_at;      /* when to look for an interpreter again */
	uint32_t looks;
	bool gone;
	bool from_birth;      /* seen from its start: its counters begin at 0 */
	uint64_t sampled_at;  /* of its last sample */
	uint64_t last_cpu_at; /* when its threads' times were last read */
	char *problem;	      /* why it cannot be sampled, the last that was heard; or NULL */
};

struct family {
	VEC(struct member *) members;
	struct registry *registry;
	bool follow;
	uint64_t children_at; /* when to look for children again */
};

void family_init(struct family *family, struct registry *registry, bool follow);
void family_deinit(struct family *family);
struct error *family_add(struct family *family, pid_t pid, uint32_t parent, bool from_birth);
/* Finds interpreters that have begun, processes that have gone, and children. `now`: event time. Errors are of the sink
 * or of memory; that a process cannot be sampled is in its `problem`. */
struct error *family_tend(struct family *family, uint64_t now);
/* The member has ended or executed something else. */
struct error *family_lose(struct family *family, struct member *member, uint64_t now);
