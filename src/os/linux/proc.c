/* proc.c: see proc.h. */
#include "os/linux/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

static void make_path(pid_t pid, const char *name, char *path, size_t size)
{
	if (pid)
		snprintf(path, size, "/proc/%d/%s", pid, name);
	else
		snprintf(path, size, "/proc/self/%s", name);
}

bool proc_read_path(const char *path, size_t limit, struct buffer *text)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	size_t end = text->size + limit;
	while (text->size < end) {
		size_t room = end - text->size < 4096 ? end - text->size : 4096;
		if (!buffer_reserve(text, room)) {
			errno = ENOMEM;
			return false;
		}
		ssize_t got = read(fd, text->data + text->size, room);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return false;
		if (got == 0)
			break;
		text->size += (size_t)got;
	}
	return true;
}

bool proc_read(pid_t pid, const char *name, size_t limit, struct buffer *text)
{
	char path[96];
	make_path(pid, name, path, sizeof path);
	return proc_read_path(path, limit, text);
}

char *proc_read_link(pid_t pid, const char *name)
{
	char path[96], target[PATH_MAX];
	make_path(pid, name, path, sizeof path);
	ssize_t length = readlink(path, target, sizeof target);
	return length < 0 ? NULL : strndup(target, (size_t)length);
}

const char *proc_status_field(const char *status, const char *name)
{
	size_t length = strlen(name);
	for (const char *line = status; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, length) == 0 && line[length] == ':')
			return line + length + 1 + strspn(line + length + 1, " \t");
	}
	return NULL;
}
