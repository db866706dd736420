/* proc.h: reading /proc/PID/NAME as text, for the files of os/linux. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "base/buffer.h"

/* Appends at most `limit` bytes of /proc/PID/NAME (pid 0: /proc/self). False, with errno, when it cannot be read. */
bool proc_read(pid_t pid, const char *name, size_t limit, struct buffer *text);
/* The same for any file. */
bool proc_read_path(const char *path, size_t limit, struct buffer *text);
/* What a link of /proc/PID points to, for the caller to free; NULL with errno. */
char *proc_read_link(pid_t pid, const char *name);
/* What follows "NAME:" and blanks at the start of a line of /proc/PID/status; NULL when there is no such line. */
const char *proc_status_field(const char *status, const char *name);
