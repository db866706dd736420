/* facts.h: what decides whether a process's memory may be read: who we are, what this machine allows, what the process
 * is.
 *
 * Only facts, as they were found; sample/doctor.h draws the conclusions. The rules they are for are the kernel's
 * __ptrace_may_access() and the security modules behind it, for PTRACE_MODE_ATTACH_REALCREDS, which is what
 * process_vm_readv(2) asks for. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

enum fact { FACT_UNKNOWN = 0, FACT_NO, FACT_YES };

enum { FACTS_YAMA_ABSENT = -1, FACTS_NOT_TRIED = -1 };

struct credentials {
	bool known;
	uid_t real_uid, effective_uid, saved_uid;
	gid_t real_gid, effective_gid, saved_gid;
	uint64_t permitted, effective; /* capabilities, a bit each */
	int seccomp;		       /* 0 none, 1 strict, 2 a filter */
	unsigned seccomp_filters;      /* how many apply to it */
	bool no_new_privileges;
	char label[128]; /* AppArmor profile or SELinux context; "" when there is none */
};

enum container { CONTAINER_NONE = 0, CONTAINER_DOCKER, CONTAINER_PODMAN, CONTAINER_KUBERNETES, CONTAINER_OTHER };

struct machine_facts {
	char kernel[65];		  /* "6.1.0-18-amd64" */
	int yama;			  /* ptrace_scope 0..3; FACTS_YAMA_ABSENT */
	bool selinux_denies;		  /* SELinux enforces, with its boolean deny_ptrace on */
	bool apparmor, selinux;		  /* switched on */
	enum container container;	  /* that we run in, as far as can be told */
	enum fact initial_user_namespace; /* our capabilities count everywhere */
	struct credentials own;
	int self_read_errno;  /* of reading our own memory, which needs no right at all: only a seccomp filter or the
			       * kernel's build can forbid it. 0: went */
	int child_read_errno; /* of reading a child of ours, as for programs that we start; FACTS_NOT_TRIED */
};

struct target_facts {
	pid_t pid;
	bool exists;
	bool hidden;	      /* exists, but /proc does not show it (mounted with hidepid) */
	bool descendant;      /* of ours */
	pid_t process;	      /* the process that `pid` is a thread of: usually `pid` itself */
	pid_t parent, tracer; /* tracer 0: nobody traces it */
	char state;	      /* as in os/process.h */
	bool kernel_thread;
	char name[64];
	struct credentials credentials;
	enum fact dumpable; /* no: its memory is protected even from its own user */
	enum fact same_user_namespace;
	enum fact same_pid_namespace_as_parent; /* no: the first process of a container */
	unsigned bits;				/* 32 or 64; 0: could not be seen */
	int read_errno;				/* of a trial read of its memory: 0: allowed; FACTS_NOT_TRIED */
};

/* Starts a child for a moment when `try_child`. Never fails: what cannot be found out is unknown. */
void facts_collect_machine(bool try_child, struct machine_facts *ret_facts);
void facts_collect_target(pid_t pid, struct target_facts *ret_facts);
