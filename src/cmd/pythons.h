/* pythons.h: the Python processes of this machine, for `ps` and for `doctor` without a process. */
#pragma once
#include "os/process.h"
#include "sample/doctor.h"

struct python_process {
	struct process process;
	struct inspection inspection;
	bool readable;
	struct finding finding; /* what is in the way, when not readable */
	uid_t user;
};

struct pythons {
	VEC(struct python_process) items; /* by pid */
};

/* All but ourselves. A process that cannot be read is listed when its name looks like a Python's. */
struct error *pythons_find(struct pythons *ret_pythons);
void pythons_deinit(struct pythons *pythons);
#define _cleanup_pythons_ __attribute__((cleanup(pythons_deinit)))

/* As a table for people, cut at `width` columns; nothing at all when there are none. */
void pythons_write_table(const struct pythons *pythons, unsigned width, struct buffer *text);
