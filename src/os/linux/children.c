#include "os/children.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"

static void add_children_of_task(int tasks, const char *tid, struct pid_list *list)
{
	char path[300], text[4096];
	snprintf(path, sizeof path, "%s/children", tid);
	_cleanup_close_ int fd = openat(tasks, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t got;
	pid_t pid = 0;
	while ((got = read(fd, text, sizeof text)) > 0)
		for (ssize_t i = 0; i < got; i++) {
			if (text[i] >= '0' && text[i] <= '9')
				pid = pid * 10 + (text[i] - '0');
			else if (pid) {
				if (!vec_push(&list->pids, pid))
					return;
				pid = 0;
			}
		}
}

void children_list(pid_t pid, struct pid_list *list)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/task", pid);
	_cleanup_closedir_ DIR *tasks = opendir(path);
	struct dirent *entry;
	while (tasks && (entry = readdir(tasks)))
		if (entry->d_name[0] != '.')
			add_children_of_task(dirfd(tasks), entry->d_name, list);
}
