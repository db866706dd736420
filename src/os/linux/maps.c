#include "os/maps.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

static bool parse_line(const char *line, struct map_area *ret_area)
{
	unsigned long long start, end, offset, inode;
	char flags[5];
	int path_at = 0;
	if (sscanf(line, "%llx-%llx %4s %llx %*x:%*x %llu %n", &start, &end, flags, &offset, &inode, &path_at) < 5 ||
		end <= start)
		return false;
	char *path = strdup(line + path_at);
	if (!path)
		return false;
	path[strcspn(path, "\n")] = '\0';
	static const char deleted[] = " (deleted)";
	size_t length = strlen(path);
	if (length >= sizeof deleted && strcmp(path + length - (sizeof deleted - 1), deleted) == 0)
		path[length - (sizeof deleted - 1)] = '\0';
	*ret_area = (struct map_area){
		.start = start,
		.end = end,
		.offset = offset,
		.inode = inode,
		.readable = flags[0] == 'r',
		.writable = flags[1] == 'w',
		.executable = flags[2] == 'x',
		.path = path,
	};
	return true;
}

struct error *maps_read(pid_t pid, struct maps *ret_maps)
{
	char name[64];
	snprintf(name, sizeof name, "/proc/%d/maps", pid);
	_cleanup_fclose_ FILE *file = fopen(name, "re");
	if (!file) {
		int why = errno;
		struct error *error = error_os(why, "cannot read the memory map of process %d", pid);
		if (error != &error_no_memory)
			error->kind = why == ENOENT || why == ESRCH ? ERROR_GONE : ERROR_DENIED;
		return error;
	}
	_cleanup_maps_ struct maps maps = { 0 };
	_cleanup_free_ char *line = NULL;
	size_t room = 0;
	while (getline(&line, &room, file) > 0) {
		struct map_area area;
		if (!parse_line(line, &area))
			continue;
		if (!vec_push(&maps.areas, area)) {
			free(area.path);
			return &error_no_memory;
		}
	}
	*ret_maps = maps;
	maps = (struct maps){ 0 };
	return NULL;
}

void maps_deinit(struct maps *maps)
{
	for (size_t i = 0; i < maps->areas.count; i++)
		free(maps->areas.data[i].path);
	vec_free(&maps->areas);
}
