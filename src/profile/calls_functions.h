/* calls_functions.h: which code objects are one function of a table of calls. */
#pragma once
#include "profile/calls.h"

/* By code, the number of its function, from 0 by the first code of each; PROFILE_NONE for codes of no node that counts
 * (function != PROFILE_NONE). The caller frees the array. */
struct error *calls_functions_find(
	const struct profile *profile, const struct calls_node *nodes, uint32_t **ret_function_of, uint32_t *ret_count);
