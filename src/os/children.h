/* children.h: which processes a process has started. */
#pragma once
#include <sys/types.h>

#include "base/vec.h"

struct pid_list {
	VEC(pid_t) pids;
};

/* Appends the living children of all threads of a process. */
void children_list(pid_t pid, struct pid_list *list);
