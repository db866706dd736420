/* idle.h: what threads sleep in: the name of a system call, and what that means to somebody who wrote Python. */
#pragma once
#include "profile/profile.h"

struct idle_call {
	const char *name;    /* as the kernel's: "futex"; NULL: its name is not known here */
	const char *meaning; /* "a lock"; NULL: none is known */
};

/* Of an entry of profile->idle. */
struct idle_call idle_find_call(const struct profile *profile, int system_call);
/* The numbers of profile->idle's entries, the longest time first, profile->idle.count of them; NULL: no memory. The
 * caller frees it. */
uint32_t *idle_order(const struct profile *profile);
