/* agent_file.h: the agents' bytes, which are in this program, each as a file that a loader can load. */
#pragma once
#include "base/error.h"

enum agent_kind {
	AGENT_CALLS = 0, /* and lines */
	AGENT_MEMORY,	 /* it stands before malloc */
};

/* Writes it if it is not there yet: named by its content, in a folder that only this user can write. *ret_path is the
 * caller's to free. */
struct error *agent_file_make(enum agent_kind kind, char **ret_path);
/* The same in a folder that the caller has made, however it is named there. */
struct error *agent_file_write(enum agent_kind kind, const char *folder, char **ret_path);
/* The name that it has in any folder, for the caller to free; NULL: no memory. */
char *agent_file_name(enum agent_kind kind);
