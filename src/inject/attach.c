/* attach.c: see attach.h.
 *
 * A folder that the target can see holds all that there is between us: the agent, what it is asked, the leash that we
 * hold (agent/attach.h), the segment. It is the target's user's. */
#include "inject/attach.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "agent/attach.h"
#include "agent/segment/segment.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "inject/agent_file.h"
#include "inject/places.h"
#include "os/facts.h"
#include "os/process.h"
#include "sample/doctor.h"

static const uint64_t patience = 10ull * NS_PER_S, leave_patience = NS_PER_S;
enum { NOW_AND_LOCAL = 2 };
#define FOLDER "pyrometer-"

/* ---- may we? ---- */

/* Filters that a program has put on itself may end it at a call that the agent needs; those that a container puts on
 * all of its programs do not. */
static bool limits_itself(const struct target_facts *facts)
{
	struct target_facts parent;
	facts_collect_target(facts->parent, &parent);
	return parent.exists && facts->same_pid_namespace_as_parent == FACT_YES &&
	       facts->credentials.seccomp_filters > parent.credentials.seccomp_filters;
}

static struct error *check_facts(const struct target_facts *facts)
{
	if (facts->tracer)
		return error_new(ERROR_DENIED,
			"process %d is being traced by process %d (a debugger, strace): only one can be attached",
			facts->pid, facts->tracer);
	if (facts->state == 'T')
		return error_new(ERROR_DENIED,
			"process %d is stopped by a signal, and nothing can be loaded into it; what helps: kill -CONT %d",
			facts->pid, facts->pid);
	if (facts->credentials.seccomp == 1 || limits_itself(facts))
		return error_new(ERROR_UNSUPPORTED,
			"process %d has forbidden itself system calls (seccomp), and those of what measures in it could end it",
			facts->pid);
	return NULL;
}

static struct error *check_target(pid_t pid, struct doctor_facts *facts)
{
	enum { FIRST_WITH_AGENT = 0x0308 };
	doctor_collect(pid, facts);
	const struct inspection *inspection = &facts->inspection;
	if (inspection->found == PYTHON_STARTING)
		return error_new(ERROR_NOT_READY, "process %d: %s; try again in a moment", pid, inspection->why);
	if (inspection->found != PYTHON_READABLE)
		return doctor_explain(pid, error_new(ERROR_UNSUPPORTED, "process %d: %s", pid, inspection->why));
	if (inspection->runtime.version < FIRST_WITH_AGENT)
		return error_new(ERROR_UNSUPPORTED,
			"process %d runs Python %d.%d, and calls are counted from 3.8 on; `pyrometer record` looks at any version from outside",
			pid, inspection->runtime.version >> 8, inspection->runtime.version & 255);
	return check_facts(&facts->target);
}

/* ---- the folder ---- */

/* What stands before a path of the target's for us to see it. */
static void find_root(pid_t pid, char root[64])
{
	struct stat own, other;
	snprintf(root, 64, "/proc/%d/root", pid);
	char mine[64], its[64], path[64];
	snprintf(path, sizeof path, "/proc/%d/ns/mnt", pid);
	ssize_t a = readlink("/proc/self/ns/mnt", mine, sizeof mine), b = readlink(path, its, sizeof its);
	bool same_mounts = a > 0 && a == b && memcmp(mine, its, (size_t)a) == 0;
	if (same_mounts && stat("/", &own) == 0 && stat(root, &other) == 0 && own.st_ino == other.st_ino &&
		own.st_dev == other.st_dev)
		root[0] = '\0';
}

static bool can_hold_code(const char *path)
{
	struct statvfs is;
	return statvfs(path, &is) == 0 && !(is.f_flag & ST_NOEXEC);
}

static void remove_all(const char *path)
{
	_cleanup_closedir_ DIR *folder = opendir(path);
	for (struct dirent *entry; folder && (entry = readdir(folder));)
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(folder), entry->d_name, 0);
	rmdir(path);
}

/* Of pyrometers that were killed before an agent was there to clean up: a leash that nobody holds. */
static void remove_abandoned(const char *place)
{
	_cleanup_closedir_ DIR *folder = opendir(place);
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		_cleanup_buffer_ struct buffer path = { 0 };
		if (strncmp(entry->d_name, FOLDER, sizeof FOLDER - 1) != 0)
			continue;
		buffer_printf(&path, "%s/%s/" ATTACH_LEASH, place, entry->d_name);
		int fd = path.failed ? -1 : open(path.data, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
		if (fd >= 0)
			close(fd);
		else if (!path.failed && errno == ENXIO) {
			path.data[path.size - sizeof ATTACH_LEASH] = '\0';
			remove_all(path.data);
		}
	}
}

static struct error *make_folder(struct attach *attach, const char *root)
{
	static const char *const places[] = { "/dev/shm", "/tmp", "/var/tmp" };
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		char path[128];
		snprintf(path, sizeof path, "%s%s", root, places[i]);
		if (!can_hold_code(path))
			continue;
		remove_abandoned(path);
		snprintf(path, sizeof path, "%s%s/" FOLDER "XXXXXX", root, places[i]);
		if (!mkdtemp(path))
			continue;
		attach->folder = strdup(path);
		return attach->folder ? NULL : &error_no_memory;
	}
	return error_new(ERROR_FAILED,
		"there is no folder that process %d can load code from and we can write to: /dev/shm, /tmp, /var/tmp",
		attach->pid);
}

static struct error *path_in(const struct attach *attach, const char *name, struct buffer *path)
{
	buffer_printf(path, "%s/%s", attach->folder, name);
	return path->failed ? &error_no_memory : NULL;
}

static struct error *write_orders(const struct attach *attach, const struct calls_orders *orders, const char *inside)
{
	_cleanup_buffer_ struct buffer path = { 0 }, text = { 0 };
	TRY(path_in(attach, ATTACH_ORDERS, &path));
	if (!calls_orders_write(orders, inside, &text))
		return error_new(
			ERROR_USAGE, "more is asked of the agent than it takes: give fewer or shorter options");
	_cleanup_close_ int fd = open(path.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	size_t size = strlen(text.data);
	return fd >= 0 && write(fd, text.data, size) == (ssize_t)size ? NULL
								      : error_os(errno, "cannot write %s", path.data);
}

/* It gets its name when it is held: remove_abandoned() of another pyrometer may come by. */
static struct error *make_leash(struct attach *attach)
{
	_cleanup_buffer_ struct buffer made = { 0 }, path = { 0 };
	TRY(path_in(attach, "making", &made));
	TRY(path_in(attach, ATTACH_LEASH, &path));
	if (mkfifo(made.data, 0600) == 0)
		attach->leash = open(made.data, O_RDWR | O_CLOEXEC);
	if (attach->leash >= 0 && rename(made.data, path.data) == 0)
		return NULL;
	return error_os(errno, "cannot make %s", path.data);
}

/* To the user whose program is to read it. Where we are that user there is nothing to do, and nothing that may fail. */
static void give_away(const struct attach *attach, const struct credentials *credentials)
{
	_cleanup_closedir_ DIR *folder = opendir(attach->folder);
	for (struct dirent *entry; folder && (entry = readdir(folder));)
		if (strcmp(entry->d_name, "..") != 0 &&
			fchownat(dirfd(folder), entry->d_name, credentials->effective_uid, credentials->effective_gid,
				AT_SYMLINK_NOFOLLOW))
			return;
}

/* ---- in ---- */

static struct error *call_with(
	pid_t pid, const struct places *places, uint64_t function, const char *text, uint64_t second)
{
	const struct remote_call call = { .function = function,
		.data = text,
		.size = strlen(text) + 1,
		.second = second,
		.deadline = clock_now() + patience };
	return remote_call_make(pid, &places->remote, &call);
}

static struct error *load(const struct attach *attach, const struct runtime *runtime, const char *agent,
	const char *agent_inside, struct places *places)
{
	if (places->entry)
		return NULL;
	TRY(call_with(attach->pid, places, places->open, agent_inside, NOW_AND_LOCAL));
	TRY(places_find(attach->pid, runtime, agent, places));
	return places->entry
		       ? NULL
		       : error_new(ERROR_FAILED,
				 "the loader of process %d would not load %s (a limit of memory, or a security module?)",
				 attach->pid, agent_inside);
}

/* The state of the segment in the folder. */
static uint32_t read_state(const struct attach *attach)
{
	_cleanup_closedir_ DIR *folder = opendir(attach->folder);
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		struct segment_head head;
		const char *end = strrchr(entry->d_name, '.');
		if (!end || strcmp(end, ".segment") != 0)
			continue;
		_cleanup_close_ int fd = openat(dirfd(folder), entry->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd >= 0 && read(fd, &head, sizeof head) == sizeof head && head.magic == SEGMENT_MAGIC)
			return head.state;
	}
	return SEGMENT_STARTING;
}

static struct error *read_refusal(const struct attach *attach)
{
	_cleanup_buffer_ struct buffer path = { 0 };
	char why[256];
	TRY(path_in(attach, ATTACH_REFUSED, &path));
	_cleanup_close_ int fd = open(path.data, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t size = fd < 0 ? -1 : read(fd, why, sizeof why);
	return size <= 0 ? NULL
			 : error_new(ERROR_UNSUPPORTED, "process %d cannot be measured: %.*s", attach->pid, (int)size,
				   why);
}

static struct error *await_begin(const struct attach *attach, bool (*asked_to_end)(void))
{
	for (uint64_t end = clock_now() + patience; clock_now() < end;) {
		TRY(read_refusal(attach));
		uint32_t state = read_state(attach);
		if (state == SEGMENT_RUNNING || state == SEGMENT_ENDED)
			return NULL;
		if (process_has_ended(attach->pid))
			return error_new(ERROR_GONE, "process %d has ended", attach->pid);
		if (asked_to_end())
			return error_new(ERROR_FAILED, "process %d had not begun to count yet: nothing was measured",
				attach->pid);
		clock_sleep_until(clock_now() + NS_PER_MS);
	}
	return error_new(ERROR_FAILED, "process %d did not begin to count: some thread has kept the GIL for %d seconds",
		attach->pid, (int)(patience / NS_PER_S));
}

static struct error *bring_in(struct attach *attach, const struct doctor_facts *facts,
	const struct calls_orders *orders, const char *agent, struct places *places)
{
	char root[64];
	_cleanup_free_ char *agent_path = NULL;
	find_root(attach->pid, root);
	TRY(make_folder(attach, root));
	const char *inside = attach->folder + strlen(root);
	TRY(make_leash(attach));
	TRY(write_orders(attach, orders, inside));
	if (!places->entry)
		TRY(agent_file_write(AGENT_CALLS, attach->folder, &agent_path));
	give_away(attach, &facts->target.credentials);
	TRY(load(attach, &facts->inspection.runtime, agent, agent_path ? agent_path + strlen(root) : "", places));
	attach->called = true;
	TRY(call_with(attach->pid, places, places->entry, inside, 0));
	return NULL;
}

struct error *attach_begin(
	struct attach *attach, pid_t pid, const struct calls_orders *orders, bool (*asked_to_end)(void))
{
	struct doctor_facts facts;
	struct places places;
	*attach = (struct attach){ .pid = pid, .leash = -1 };
	TRY(check_target(pid, &facts));
	_cleanup_free_ char *agent = agent_file_name(AGENT_CALLS);
	if (!agent)
		return &error_no_memory;
	TRY(places_find(pid, &facts.inspection.runtime, agent, &places));
	if (places.measured)
		return error_new(ERROR_DENIED, "process %d is measured by another pyrometer already", pid);
	TRY(bring_in(attach, &facts, orders, agent, &places));
	return await_begin(attach, asked_to_end);
}

/* ---- out ---- */

void attach_end(struct attach *attach)
{
	_cleanup_buffer_ struct buffer path = { 0 };
	if (attach->leash < 0)
		return;
	ssize_t written = write(attach->leash, "x", 1);
	struct error *error = path_in(attach, ATTACH_LEASH, &path);
	uint64_t end = clock_now() + leave_patience;
	while (attach->called && written == 1 && !error && access(path.data, F_OK) == 0 && clock_now() < end &&
		!process_has_ended(attach->pid))
		clock_sleep_until(clock_now() + NS_PER_MS);
	error_free(error);
	close(attach->leash);
	attach->leash = -1;
}

void attach_deinit(struct attach *attach)
{
	if (!attach->folder)
		return;
	attach_end(attach);
	remove_all(attach->folder);
	free(attach->folder);
	attach->folder = NULL;
}
