/* memory_limits.h: --limit-peak and --limit-leak: whether a program stayed below, and who is to blame if not: for CI.
 */
#pragma once
#include <stdio.h>

#include "profile/profile.h"

struct memory_limits {
	uint64_t peak, leak; /* bytes; 0: none */
};

enum { MEMORY_LIMITS_STATUS = 100 }; /* of pyrometer, when the program's own was 0 */

/* Says on the stream what is above, of a recording of memory. `*ret_exceeded`: something is. */
struct error *memory_limits_check(
	const struct memory_limits *limits, struct profile *profile, FILE *stream, bool *ret_exceeded);
