/* source.c: see source.h. The path comes from the target and may name anything: what is opened is read only if it is a
 * plain file, and opening never waits. */
#include "report/source.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

enum { LARGEST = 16 << 20 };

/* Opens `folder`/`file`; -1: no. */
static int open_in(struct text folder, struct text file)
{
	char path[4096];
	int length = snprintf(path, sizeof path, "%.*s%s%.*s", (int)folder.size, folder.data ? folder.data : "",
		folder.size ? "/" : "", (int)file.size, file.data);
	if (length < 0 || (size_t)length >= sizeof path || memchr(file.data, '\0', file.size))
		return -1;
	return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

/* A relative name is relative to a folder of the target's sys.path, as it was when Python found the file. */
static int open_relative(const struct profile *profile, struct text file)
{
	for (size_t i = 1; i < profile->processes.count; i++) {
		struct text path = profile->processes.data[i].search_path;
		if (i > 1 && path.data == profile->processes.data[i - 1].search_path.data)
			continue;
		for (const char *at = path.data, *end = path.data + path.size; at < end;) {
			const char *newline = memchr(at, '\n', (size_t)(end - at));
			struct text folder = { at, (size_t)((newline ? newline : end) - at) };
			int fd = folder.size && *at == '/' ? open_in(folder, file) : -1;
			if (fd >= 0)
				return fd;
			at += folder.size + 1;
		}
	}
	return -1;
}

static int open_source(const struct sources *sources, struct text file)
{
	if (!file.size || file.size > PATH_MAX || file.data[0] == '<')
		return -1;
	int fd = file.data[0] == '/' ? -1 : open_relative(sources->profile, file);
	return fd < 0 && (file.data[0] == '/' || sources->as_named) ? open_in((struct text){ 0 }, file) : fd;
}

/* The unix time, in ns, up to which the recording went; 0: not known. */
static uint64_t end_of_recording(const struct profile *profile)
{
	uint64_t length = profile->ended ? profile->end.duration : profile->last_time;
	return profile->info.start_unix_ns ? profile->info.start_unix_ns + length : 0;
}

/* Lines as Python counts them: ended by \n, \r\n or \r. */
static void split_lines(struct source_file *file)
{
	static const char mark[] = "\xef\xbb\xbf"; /* of UTF-8, which is no part of the first line */
	const char *at = file->data, *end = file->data + file->size;
	if (file->size >= sizeof mark - 1 && memcmp(at, mark, sizeof mark - 1) == 0)
		at += sizeof mark - 1;
	while (at < end) {
		const char *stop = at;
		while (stop < end && *stop != '\n' && *stop != '\r')
			stop++;
		if (!vec_push(&file->lines, (struct text){ at, (size_t)(stop - at) }))
			return;
		at = stop + 1 < end && stop[0] == '\r' && stop[1] == '\n' ? stop + 2 : stop + 1;
	}
}

static void read_file(const struct sources *sources, struct source_file *file, int fd)
{
	struct stat status;
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > LARGEST)
		return;
	uint64_t changed = (uint64_t)status.st_mtim.tv_sec * NS_PER_S + (uint64_t)status.st_mtim.tv_nsec,
		 end = end_of_recording(sources->profile);
	file->changed = end && changed > end;
	if (file->changed && !sources->as_named) {
		file->state = SOURCE_NEWER;
		return;
	}
	file->data = malloc((size_t)status.st_size + 1);
	ssize_t got = file->data ? read(fd, file->data, (size_t)status.st_size) : -1;
	if (got < 0)
		return;
	file->size = (size_t)got;
	file->state = SOURCE_READ;
	split_lines(file);
}

const struct source_file *sources_find(struct sources *sources, uint32_t function)
{
	return sources_find_file(sources, sources->profile->functions.data[function].file_number);
}

const struct source_file *sources_find_file(struct sources *sources, uint32_t file_number)
{
	for (size_t i = 0; i < sources->files.count; i++)
		if (sources->files.data[i].file_number == file_number)
			return &sources->files.data[i];
	struct source_file file = { .file_number = file_number, .state = SOURCE_UNREADABLE };
	_cleanup_close_ int fd = open_source(sources, profile_strings_get(&sources->profile->strings, file_number));
	if (fd >= 0)
		read_file(sources, &file, fd);
	if (!vec_push(&sources->files, file)) {
		free(file.data);
		vec_free(&file.lines);
		return NULL;
	}
	return &sources->files.data[sources->files.count - 1];
}

struct text source_line(const struct source_file *file, uint32_t line)
{
	if (file->state != SOURCE_READ || !line || line > file->lines.count)
		return (struct text){ "", 0 };
	return file->lines.data[line - 1];
}

struct text source_line_unindented(const struct source_file *file, uint32_t line)
{
	struct text text = source_line(file, line);
	while (text.size && (text.data[0] == ' ' || text.data[0] == '\t')) {
		text.data++;
		text.size--;
	}
	return text;
}

void sources_deinit(struct sources *sources)
{
	for (size_t i = 0; i < sources->files.count; i++) {
		free(sources->files.data[i].data);
		vec_free(&sources->files.data[i].lines);
	}
	vec_free(&sources->files);
}
