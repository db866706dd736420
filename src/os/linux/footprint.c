/* footprint.c: see footprint.h. */
#include "os/footprint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/linux/proc.h"

enum { STATM_LIMIT = 256, ROLLUP_LIMIT = 8192 };

/* "size resident shared ..." in pages. */
bool footprint_read_resident(pid_t pid, uint64_t *ret_bytes)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	unsigned long long size, resident;
	if (!proc_read(pid, "statm", STATM_LIMIT, &text) ||
		sscanf(buffer_string(&text), "%llu %llu", &size, &resident) != 2 || !size)
		return false;
	*ret_bytes = resident * (uint64_t)sysconf(_SC_PAGESIZE);
	return true;
}

static uint64_t field(const char *text, const char *name)
{
	enum { KIB = 1024 };
	const char *value = proc_status_field(text, name);
	return value ? strtoull(value, NULL, 10) * KIB : 0;
}

bool footprint_read_shares(pid_t pid, struct footprint_shares *ret_shares)
{
	_cleanup_buffer_ struct buffer buffer = { 0 };
	if (!proc_read(pid, "smaps_rollup", ROLLUP_LIMIT, &buffer))
		return false;
	const char *text = buffer_string(&buffer);
	if (!proc_status_field(text, "Pss"))
		return false;
	ret_shares->proportional = field(text, "Pss");
	ret_shares->unique = field(text, "Private_Clean") + field(text, "Private_Dirty") +
			     field(text, "Private_Hugetlb");
	return true;
}
