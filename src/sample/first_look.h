/* first_look.h: where the frames of threads lie that have not been read before. */
#pragma once
#include "sample/target.h"

/* Plans all threads that were never planned, together: their chains are followed one step of each at a time, in one
 * system call. After threads_list(). What cannot be found so is left to the first sample. */
struct error *first_look(struct target *target);
