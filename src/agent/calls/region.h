/* region.h: what was counted from one moment to another, any number of times: the difference of the trees, or of the
 * sums of lines.
 *
 * A process has one set of trees. A region that begins subtracts all of them, one that ends adds them, so that it holds
 * what was called in between: of nested regions each by itself, and at no cost for a call. What a call costs therefore
 * does not grow with the regions; to begin and to end one takes some nanoseconds for each call path that there is.
 *
 * A call that was under way when the region began is not in it; one that is under way at the end is, up to then. All
 * with the GIL.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct region;

enum region_flag { REGION_NO_BUILTINS = 1, REGION_THIS_THREAD = 2 };

/* NULL: no memory. */
struct region *region_create(unsigned flags);
void region_destroy(struct region *region);

/* A region that is in already only counts how often; of the thread, with REGION_THIS_THREAD. Each gives a sentence, or
 * NULL. In the child of a fork a region begins anew. */
const char *region_enter(struct region *region);
const char *region_leave(struct region *region);
/* Forgets what was counted; a region that is in begins anew. */
const char *region_clear(struct region *region);

/* A new file that reads as a segment with what the region holds up to now. */
const char *region_write(struct region *region, const char *path);

/* Of lines: only these codes are in it (their units). False: no memory. Where none is chosen, all are. */
bool region_choose(struct region *region, uint32_t code);

/* In how many regions the process is. */
unsigned region_count_open(void);
