#include "os/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "os/linux/proc.h"

/* sscanf takes ten times as long, and a process with hundreds of threads has a thousand lines. */
static uint64_t take_number(const char **at, unsigned base)
{
	uint64_t number = 0;
	for (;; (*at)++) {
		unsigned char c = (unsigned char)**at;
		unsigned digit = c >= '0' && c <= '9' ? c + 0u - '0' : c >= 'a' && c <= 'f' ? c + 10u - 'a' : base;
		if (digit >= base)
			return number;
		number = number * base + digit;
	}
}

static bool take_char(const char **at, char c)
{
	bool found = **at == c;
	*at += found;
	return found;
}

static char *copy_path(const char *at, const char *end, bool *ret_deleted)
{
	static const char deleted[] = " (deleted)";
	const size_t suffix = sizeof deleted - 1;
	*ret_deleted = (size_t)(end - at) >= suffix && memcmp(end - suffix, deleted, suffix) == 0;
	return strndup(at, (size_t)(end - at) - (*ret_deleted ? suffix : 0));
}

/* "START-END rwxp OFFSET MAJOR:MINOR INODE    PATH", up to `end`, where a NUL stands. */
static bool parse_line(const char *at, const char *end, struct map_area *ret_area)
{
	struct map_area area = { .start = take_number(&at, 16) };
	if (!take_char(&at, '-'))
		return false;
	area.end = take_number(&at, 16);
	if (!take_char(&at, ' ') || end - at < 5 || area.end <= area.start)
		return false;
	area.readable = at[0] == 'r';
	area.writable = at[1] == 'w';
	area.executable = at[2] == 'x';
	at += 4;
	if (!take_char(&at, ' '))
		return false;
	area.offset = take_number(&at, 16);
	if (!take_char(&at, ' '))
		return false;
	take_number(&at, 16);
	if (!take_char(&at, ':'))
		return false;
	take_number(&at, 16);
	if (!take_char(&at, ' '))
		return false;
	area.inode = take_number(&at, 10);
	area.path = copy_path(at + strspn(at, " "), end, &area.deleted);
	*ret_area = area;
	return area.path;
}

static struct error *parse(char *text, struct maps *maps)
{
	for (char *end; (end = strchr(text, '\n')); text = end + 1) {
		struct map_area area;
		*end = '\0';
		if (!parse_line(text, end, &area))
			continue;
		if (!vec_push(&maps->areas, area)) {
			free(area.path);
			return &error_no_memory;
		}
	}
	return NULL;
}

struct error *maps_read(pid_t pid, struct maps *ret_maps)
{
	enum { TEXT_MAX = 64 << 20 };
	_cleanup_buffer_ struct buffer text = { 0 };
	if (!proc_read(pid, "maps", TEXT_MAX, &text)) {
		int why = errno;
		struct error *error = error_os(why, "cannot read the memory map of process %d", pid);
		if (error != &error_no_memory)
			error->kind = why == ENOENT || why == ESRCH ? ERROR_GONE : ERROR_DENIED;
		return error;
	}
	_cleanup_maps_ struct maps maps = { .pid = pid };
	buffer_add_char(&text, '\0');
	if (text.failed)
		return &error_no_memory;
	TRY(parse(text.data, &maps));
	*ret_maps = maps;
	maps = (struct maps){ 0 };
	return NULL;
}

uint64_t maps_hash_files(const struct maps *maps)
{
	uint64_t hash = 1;
	for (size_t i = 0; i < maps->areas.count; i++) {
		const struct map_area *area = &maps->areas.data[i];
		if (area->inode)
			hash = hash_u64(hash_u64(hash ^ area->inode) ^ area->start ^ area->offset);
	}
	return hash ? hash : 1;
}

static int open_same(const struct map_area *area, const char *path)
{
	struct stat status;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &status) || !S_ISREG(status.st_mode) || status.st_ino != area->inode)
		return -1;
	return take_fd(&fd);
}

/* map_files is exact, but asks for a capability; so is exe, for the program itself. A path is as the target names it,
 * or as we do when its root was changed by chroot alone. */
int maps_open_file(const struct maps *maps, const struct map_area *area)
{
	char path[PATH_MAX + 32];
	if (!maps->pid || !area->inode)
		return -1;
	snprintf(path, sizeof path, "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, maps->pid, area->start, area->end);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0)
		return fd;
	snprintf(path, sizeof path, "/proc/%d/exe", maps->pid);
	fd = open_same(area, path);
	if (fd >= 0 || area->deleted)
		return fd;
	snprintf(path, sizeof path, "/proc/%d/root%s", maps->pid, area->path);
	fd = open_same(area, path);
	return fd >= 0 ? fd : open_same(area, area->path);
}

void maps_deinit(struct maps *maps)
{
	for (size_t i = 0; i < maps->areas.count; i++)
		free(maps->areas.data[i].path);
	vec_free(&maps->areas);
}
