#include "agent/session_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/python/python.h"
#include "agent/segment/recorder.h"

/* A name of its own for each session: a process may have several in one folder. */
const char *session_file_open(const struct orders *orders)
{
	enum { SESSIONS_MAX = 1 << 16 };
	char path[512];
	const char *folder = orders_get(orders, "folder");
	int error = EEXIST; /* by a program that this process was before, too */
	for (unsigned session = 1; error == EEXIST && session < SESSIONS_MAX; session++) {
		int size = snprintf(
			path, sizeof path, "%s/%d-%u.segment", folder ? folder : "", (int)getpid(), session);
		if (!folder || size >= (int)sizeof path)
			return "there is no folder for what is counted";
		error = recorder_open(path, python.version, python.free_threaded);
	}
	const char *owner = orders_get(orders, "owner");
	if (!error)
		recorder_watch(owner ? (int)strtol(owner, NULL, 10) : 0);
	return !error		 ? NULL
	       : error == ENOSPC ? "there is no room for what is counted"
				 : "the file for what is counted cannot be made";
}
