/* waiting.h: which system calls a thread may be taken out of, and how it is put back into them. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct waiting_call {
	long number; /* -1: none */
	uint64_t arguments[6];
};

enum waiting {
	WAITING_NOT = 0,   /* in no call, or in one that it is to be left in */
	WAITING_EVENT,	   /* for what comes from outside, or for time: no lock of libc's is held around these */
	WAITING_SEMAPHORE, /* for a semaphore or a condition: those who wait for a lock of libc's own wait otherwise */
};
enum waiting waiting_kind(const struct waiting_call *call);

/* Whether `result`, the kernel's own at the stop, says that the call was waiting and has done nothing yet. */
bool waiting_was_interrupted(const struct waiting_call *call, long result);

enum {
	WAITING_RESTART = 512,	       /* ERESTARTSYS */
	WAITING_RESTART_ALWAYS = 513,  /* ERESTARTNOINTR */
	WAITING_RESTART_UNLESS = 514,  /* ERESTARTNOHAND: unless a handler runs */
	WAITING_RESTART_THE_REST = 516 /* ERESTART_RESTARTBLOCK: with the time that is left */
};

/* Which argument is a timeout in ms; -1: none is. */
int waiting_timeout_argument(const struct waiting_call *call);

/* What the thread is in; false: it is in none, or that may not be known. */
bool waiting_read(pid_t pid, pid_t tid, struct waiting_call *ret_call);
/* When it last ran, as clock_now() says it, or somewhat later; 0: not told. */
uint64_t waiting_since(pid_t pid, pid_t tid);
/* How often it has gone to wait: once more at a stop. */
uint64_t waiting_switches(pid_t pid, pid_t tid);
