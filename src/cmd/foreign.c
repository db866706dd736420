/* foreign.c: see foreign.h. */
#include "cmd/foreign.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "profile/lprof_reader.h"
#include "profile/pstats_reader.h"
#include "profile/rss_dat.h"

enum { LARGEST = 512 << 20 };

static struct error *read_rest(int fd, const char *path, struct buffer *content)
{
	char chunk[1 << 16];
	for (;;) {
		ssize_t count = read(fd, chunk, sizeof chunk);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return error_os(errno, "cannot read %s", path);
		if (!count)
			return content->failed ? &error_no_memory : NULL;
		if (content->size > LARGEST)
			return error_new(
				ERROR_CORRUPT, "%s is too large for a file of cProfile, line_profiler or mprof", path);
		buffer_add(content, chunk, (size_t)count);
	}
}

/* "Sat Nov 21 12:00:00 2026    x.pstats" */
static char *make_title(const struct stat *status, const char *path)
{
	char when[32], *title;
	struct tm local;
	if (!localtime_r(&status->st_mtime, &local) || !strftime(when, sizeof when, "%a %b %e %H:%M:%S %Y", &local))
		when[0] = '\0';
	return asprintf(&title, "%s    %s", when, path) < 0 ? NULL : title;
}

static struct error *read_into(struct outputs *outputs, const struct buffer *content, const char *path)
{
	for (size_t i = 0; i < outputs->items.count; i++) {
		const struct output *output = &outputs->items.data[i];
		if (!output->format)
			return error_new(ERROR_USAGE,
				"%s is no recording and cannot be made one: name another format than %s", path,
				output->path);
		if (output->format->open)
			return error_new(
				ERROR_USAGE, "%s has no single calls: name another format than %s", path, output->path);
	}
	bool lines = lprof_is_it(content->data, content->size), memory = rss_dat_is_it(content->data, content->size);
	_cleanup_error_ struct error *error = memory  ? rss_dat_read(content->data, content->size, outputs->profile)
					      : lines ? lprof_read(content->data, content->size, outputs->profile)
						      : pstats_read(content->data, content->size, outputs->profile);
	return error ? error_new(error->kind, "cannot read %s: %s", path, error_message(error)) : NULL;
}

struct error *foreign_read(const char *path, struct outputs *outputs, char **ret_title)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	_cleanup_buffer_ struct buffer content = { 0 };
	struct stat status;
	unsigned char first[DAT_HEAD];
	/* What cannot be read at all is the reader of recordings' to explain. */
	ssize_t got = fd < 0 || fstat(fd, &status) || !S_ISREG(status.st_mode) ? -1 : pread(fd, first, sizeof first, 0);
	if (got <= 0 || (!pstats_is_it(first, (size_t)got) && !lprof_is_it(first, (size_t)got) &&
				!rss_dat_is_it(first, (size_t)got)))
		return NULL;
	TRY(read_rest(fd, path, &content));
	TRY(read_into(outputs, &content, path));
	*ret_title = make_title(&status, path);
	return *ret_title ? NULL : &error_no_memory;
}
