/* zip.c: see zip.h. An archive is known by its end: there stands the directory of its members, before it anything may
 * stand, such as a "#!" line. As Python does it: the directory lies right before its end record, whatever offset that
 * record claims. */
#include "cmd/zip.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

enum {
	END_SIZE = 22,
	ENTRY_SIZE = 46,
	COMMENT_MAX = 0xffff,
	DIRECTORY_MAX = 16 << 20,
	TAIL_FIRST = END_SIZE + COMMENT_MAX,
};

static uint32_t get_u16(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t get_u32(const unsigned char *p)
{
	return get_u16(p) | get_u16(p + 2) << 16;
}

/* The last end record that reaches exactly to the end of the file; NULL: none. */
static const unsigned char *find_end(const unsigned char *tail, size_t size)
{
	for (size_t back = END_SIZE; back <= size && back <= TAIL_FIRST; back++) {
		const unsigned char *end = tail + size - back;
		if (memcmp(end, "PK\5\6", 4) == 0 && get_u16(end + 20) == back - END_SIZE)
			return end;
	}
	return NULL;
}

bool zip_tail_has(const unsigned char *tail, size_t size, const char *member)
{
	const unsigned char *end = find_end(tail, size);
	size_t length = strlen(member);
	if (!end || get_u32(end + 12) > (size_t)(end - tail))
		return false;
	const unsigned char *entry = end - get_u32(end + 12);
	while (end - entry >= ENTRY_SIZE && memcmp(entry, "PK\1\2", 4) == 0) {
		size_t name = get_u16(entry + 28),
		       whole = ENTRY_SIZE + name + get_u16(entry + 30) + get_u16(entry + 32);
		if (whole > (size_t)(end - entry))
			return false;
		if (name == length && memcmp(entry + ENTRY_SIZE, member, length) == 0)
			return true;
		entry += whole;
	}
	return false;
}

/* The last `size` bytes, or all when there are fewer; NULL on failure. */
static unsigned char *read_tail(int fd, uint64_t file_size, size_t size, size_t *ret_size)
{
	size_t wanted = size < file_size ? size : (size_t)file_size;
	_cleanup_free_ unsigned char *tail = malloc(wanted ? wanted : 1);
	if (!tail || pread(fd, tail, wanted, (off_t)(file_size - wanted)) != (ssize_t)wanted)
		return NULL;
	*ret_size = wanted;
	return take_ptr(tail);
}

bool zip_file_has(const char *path, const char *member)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat stat;
	if (fd < 0 || fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode))
		return false;
	size_t size;
	_cleanup_free_ unsigned char *tail = read_tail(fd, (uint64_t)stat.st_size, TAIL_FIRST, &size);
	const unsigned char *end = tail ? find_end(tail, size) : NULL;
	if (!end || get_u32(end + 12) > DIRECTORY_MAX)
		return false;
	if (get_u32(end + 12) <= (size_t)(end - tail))
		return zip_tail_has(tail, size, member);
	size_t needed = (size_t)(tail + size - end) + get_u32(end + 12);
	_cleanup_free_ unsigned char *more = read_tail(fd, (uint64_t)stat.st_size, needed, &size);
	return more && zip_tail_has(more, size, member);
}
