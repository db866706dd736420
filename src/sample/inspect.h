/* inspect.h: is there a Python in a process, which one, and may it be read: for `ps` and `doctor`. */
#pragma once
#include "cpython/runtime.h"
#include "os/process.h"

enum python_found {
	PYTHON_UNKNOWN = 0, /* its memory may not be read */
	PYTHON_READABLE,
	PYTHON_STARTING, /* its interpreter has not begun yet */
	PYTHON_NONE,	 /* no Python in it, or one that is not read: `why` says which */
};

struct inspection {
	enum python_found found;
	struct runtime runtime; /* when readable */
	bool debug;		/* built with Py_REF_DEBUG (--with-pydebug) */
	char why[256];		/* when not readable: a phrase */
};

void inspect_process(pid_t pid, struct inspection *ret_inspection);

/* Does it look like a Python by the name of what it executes? All that can be said of a process that cannot be read. */
bool inspect_is_named_python(const struct process *process);
