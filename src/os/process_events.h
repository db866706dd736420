/* process_events.h: the kernel's own word on every process that begins, executes a program or ends, as it happens.
 *
 * Not everybody may listen: on Linux it takes root or CAP_NET_ADMIN (before 6.6), and the machine's own process and
 * network namespaces. All processes of the machine are told of; threads are not. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum process_event_kind { PROCESS_FORKED = 1, PROCESS_EXECUTED, PROCESS_ENDED };

struct process_event {
	enum process_event_kind kind;
	pid_t pid, parent; /* parent: of a fork */
	uint64_t time;	   /* CLOCK_MONOTONIC, ns */
};

enum process_events_answer {
	PROCESS_EVENTS_NONE = 0, /* none is waiting */
	PROCESS_EVENTS_ONE,
	PROCESS_EVENTS_LOST, /* some came faster than they were read: those are gone */
};

/* A descriptor to read from, which the caller closes; -1 when we may not listen. Never waits. */
int process_events_open(void);
/* Takes the next one, without waiting. *ret_event is written for PROCESS_EVENTS_ONE only. */
enum process_events_answer process_events_next(int fd, struct process_event *ret_event);
