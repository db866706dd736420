/* spawn.h: starting the program that is to be measured, so that it runs as it would without us. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* Starts it in our place: same terminal, same descriptors 0-2, same environment, default signals. The kernel ends
 * nothing of it when we die. ERROR_NOT_EXECUTABLE or ERROR_NOT_FOUND when it cannot be executed. */
struct error *spawn_program(const char *executable, char *const *argv, pid_t *ret_pid);

/* Whether executing it gives it rights that we have not (setuid, setgid, capabilities): its dynamic loader then loads
 * nothing that we ask for. */
bool spawn_gives_rights(const char *executable);

/* Whether the child has ended, without waiting; *ret_status as of wait(). It is not buried: as long as we run, the
 * kernel keeps what it counted of it. */
bool spawn_has_ended(pid_t pid, int *ret_status);
/* The exit status that a shell would give: 128 + N for signal N. */
int spawn_exit_status(int status);
