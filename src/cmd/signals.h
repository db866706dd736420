/* signals.h: the signals of a command that watches a target.
 *
 * Ctrl-C on the terminal goes to the target as well, from the terminal; we only end and report, and a second one makes
 * us leave. A signal that somebody sends to us alone is passed on once to a target that we started. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

/* Catches SIGINT, SIGTERM and SIGHUP, unless they are ignored. */
void signals_catch(void);
/* Sends the target what was sent to us alone, once for each signal. */
void signals_pass_on(pid_t pid);
bool signals_asked_to_end(void);
bool signals_asked_to_leave(void);
/* Waits for the end of a target that we started, passing signals on. False: we are asked to leave before. `meanwhile`:
 * called every 2 ms, or NULL. */
bool signals_await_end(pid_t pid, void (*meanwhile)(void *), void *context, int *ret_status);
