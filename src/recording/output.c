#include "recording/output.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { OPEN_ATTEMPTS = 100 };

static struct error *cannot_create(int errnum, const struct output *output)
{
	return error_os(errnum, "cannot create '%s'", output->part);
}

/* A file that is open, locked and still has the name `part`: the recorder that had it before may just have given it its
 * final name, and that one is not to be emptied. ret_fd is -1 when that happened. */
static struct error *open_locked(const struct output *output, int *ret_fd)
{
	_cleanup_close_ int fd = open(output->part, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666);
	if (fd < 0)
		return cannot_create(errno, output);
	struct stat opened, named;
	if (fstat(fd, &opened))
		return cannot_create(errno, output);
	if (!S_ISREG(opened.st_mode))
		return error_new(
			ERROR_FAILED, "cannot create '%s': something that is not a file has that name", output->part);
	/* A file system without locks is no reason to fail. */
	if (flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
		return error_new(
			ERROR_FAILED, "another recording is being written to '%s': choose another name", output->part);
	if (stat(output->part, &named) || named.st_ino != opened.st_ino || named.st_dev != opened.st_dev)
		return NULL;
	if (ftruncate(fd, 0))
		return cannot_create(errno, output);
	*ret_fd = take_fd(&fd);
	return NULL;
}

static struct error *open_part(struct output *output)
{
	struct stat existing;
	if (!stat(output->path, &existing) && !S_ISREG(existing.st_mode))
		return error_new(ERROR_FAILED, "cannot write a recording to '%s': it is %s", output->path,
			S_ISDIR(existing.st_mode) ? "a directory" : "no file but a device or a pipe");
	for (int i = 0; i < OPEN_ATTEMPTS; i++) {
		TRY(open_locked(output, &output->fd));
		if (output->fd >= 0)
			return NULL;
	}
	return error_new(ERROR_FAILED, "cannot create '%s': it is renamed again and again", output->part);
}

struct error *output_init(struct output *output, const char *path)
{
	*output = (struct output){ .fd = -1, .path = strdup(path) };
	if (!output->path || asprintf(&output->part, "%s.part", path) < 0) {
		output->part = NULL;
		output_deinit(output);
		return &error_no_memory;
	}
	struct error *error = open_part(output);
	if (error)
		output_deinit(output);
	return error;
}

void output_deinit(struct output *output)
{
	if (output->fd >= 0)
		close(output->fd);
	free(output->path);
	free(output->part);
	*output = (struct output){ .fd = -1 };
}

/* 0 or errno. */
static int write_all(int fd, struct iovec *pieces, int count)
{
	while (count) {
		ssize_t written = writev(fd, pieces, count);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return errno;
		size_t left = (size_t)written;
		while (count && left >= pieces->iov_len) {
			left -= pieces->iov_len;
			pieces++;
			count--;
		}
		if (count) {
			pieces->iov_base = (char *)pieces->iov_base + left;
			pieces->iov_len -= left;
		}
	}
	return 0;
}

struct error *output_append(
	struct output *output, const void *head, size_t head_size, const void *body, size_t body_size)
{
	struct iovec pieces[] = { { (void *)head, head_size }, { (void *)body, body_size } };
	int errnum = write_all(output->fd, pieces, body_size ? 2 : 1);
	if (!errnum) {
		output->size += head_size + body_size;
		output->has_blocks |= body_size > 0;
		return NULL;
	}
	/* Where this fails too, the reader finds a block that is cut off, and stops there all the same. */
	bool whole = !ftruncate(output->fd, (off_t)output->size);
	if (!output->has_blocks)
		return error_os(errnum, "cannot write to '%s'", output->part);
	return error_os(errnum, "cannot write more to '%s' (what it has%s, %" PRIu64 " bytes, can be read)",
		output->part, whole ? "" : " in whole blocks", output->size);
}

/* So that the name is on the disk too. A file system that cannot do it is not our failure. */
static void sync_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *directory = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	_cleanup_close_ int fd = directory ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fd >= 0)
		(void)fsync(fd);
}

struct error *output_commit(struct output *output)
{
	if (fdatasync(output->fd) && errno != EINVAL && errno != EROFS)
		return error_os(errno, "cannot be sure that '%s' is on the disk", output->part);
	int failed = rename(output->part, output->path) ? errno : 0;
	if (failed == ENOENT)
		return error_new(
			ERROR_FAILED, "'%s' is lost: it or its folder was removed while it was written", output->part);
	if (failed)
		return error_os(failed, "cannot rename '%s' to '%s'", output->part, output->path);
	sync_directory(output->path);
	return NULL;
}

void output_remove(struct output *output)
{
	if (output->part)
		unlink(output->part);
}
