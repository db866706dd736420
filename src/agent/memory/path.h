/* path.h: the call path of an allocation: walked when it happens, and compared with that of the thread's last one, so
 * that only what has changed since is looked up. Calls and returns cost nothing. */
#pragma once
#include "agent/memory/writer.h"

/* The step of the innermost frame; 0: no Python frame, or no room. */
uint32_t path_of_thread(struct memory_writer *writer);
