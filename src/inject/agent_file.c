#include "inject/agent_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/buffer.h"
#include "base/cleanup.h"

/* agent_image.S */
extern const unsigned char agent_image[], memory_agent_image[];
extern const uint64_t agent_image_size, memory_agent_image_size;

static const struct image {
	const char *name;
	const unsigned char *bytes;
	const uint64_t *size;
} images[] = {
	[AGENT_CALLS] = { "agent", agent_image, &agent_image_size },
	[AGENT_MEMORY] = { "memory", memory_agent_image, &memory_agent_image_size },
};

/* A folder of our own that nobody else can put a file into. */
static struct error *check_folder(const char *path)
{
	struct stat is;
	if (mkdir(path, 0700) && errno != EEXIST)
		return error_os(errno, "cannot make the folder %s", path);
	if (lstat(path, &is))
		return error_os(errno, "cannot look at the folder %s", path);
	if (!S_ISDIR(is.st_mode) || is.st_uid != geteuid() || is.st_mode & 022)
		return error_new(
			ERROR_DENIED, "others can write to %s: what is loaded into a program must not lie there", path);
	return NULL;
}

/* $XDG_CACHE_HOME, ~/.cache, or, for who has no home, a folder of the system's for temporary files. */
static struct error *find_folder(struct buffer *path)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	if (cache && *cache == '/')
		buffer_add_string(path, cache);
	else if (home && *home == '/' && access(home, W_OK) == 0)
		buffer_printf(path, "%s/.cache", home);
	if (path->size && !path->failed)
		mkdir(buffer_string(path), 0700); /* if it is not there */
	if (path->size)
		buffer_add_string(path, "/pyrometer");
	else
		buffer_printf(path, "/tmp/pyrometer-%u", (unsigned)geteuid());
	return path->failed ? &error_no_memory : NULL;
}

static bool is_whole(const char *path, size_t size)
{
	struct stat is;
	return lstat(path, &is) == 0 && S_ISREG(is.st_mode) && is.st_uid == geteuid() && (size_t)is.st_size == size;
}

static struct error *write_file(const char *path, const unsigned char *bytes, size_t size)
{
	_cleanup_buffer_ struct buffer beside = { 0 };
	buffer_printf(&beside, "%s.%d", path, (int)getpid());
	if (beside.failed)
		return &error_no_memory;
	_cleanup_close_ int fd = open(beside.data, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	ssize_t written = fd < 0 ? -1 : write(fd, bytes, size);
	if (written == (ssize_t)size && rename(beside.data, path) == 0)
		return NULL;
	int why = written >= 0 && written < (ssize_t)size ? ENOSPC : errno;
	if (fd >= 0)
		unlink(beside.data);
	return error_os(why, "cannot write %s", path);
}

char *agent_file_name(enum agent_kind kind)
{
	const struct image *image = &images[kind];
	_cleanup_buffer_ struct buffer name = { 0 };
	buffer_printf(&name, "%s-%016llx.so", image->name, (unsigned long long)XXH64(image->bytes, *image->size, 0));
	return name.failed ? NULL : strdup(buffer_string(&name));
}

struct error *agent_file_write(enum agent_kind kind, const char *folder, char **ret_path)
{
	_cleanup_free_ char *name = agent_file_name(kind);
	_cleanup_buffer_ struct buffer path = { 0 };
	buffer_printf(&path, "%s/%s", folder, name ? name : "");
	const char *file = buffer_string(&path);
	if (!name || path.failed)
		return &error_no_memory;
	if (!is_whole(file, *images[kind].size))
		TRY(write_file(file, images[kind].bytes, *images[kind].size));
	*ret_path = strdup(file);
	return *ret_path ? NULL : &error_no_memory;
}

struct error *agent_file_make(enum agent_kind kind, char **ret_path)
{
	_cleanup_buffer_ struct buffer folder = { 0 };
	TRY(find_folder(&folder));
	const char *path = buffer_string(&folder);
	TRY(check_folder(path));
	return agent_file_write(kind, path, ret_path);
}
