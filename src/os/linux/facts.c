/* facts.c: see os/facts.h. */
#include "os/facts.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/proc.h"
#include "os/process.h"

enum { STATUS_MAX = 16 << 10, ANCESTORS_MAX = 64, UID_MAP_MAX = 4096 };

/* A small file of one number or word; "" when it cannot be read. */
static void read_word(const char *path, char *word, size_t size)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	const char *content = proc_read_path(path, size - 1, &text) ? buffer_string(&text) : "";
	snprintf(word, size, "%.*s", (int)strcspn(content, "\n"), content);
}

static uint64_t field_number(const char *status, const char *name, int base)
{
	const char *at = proc_status_field(status, name);
	return at ? strtoull(at, NULL, base) : 0;
}

/* AppArmor's own file first: with several modules stacked, attr/current is that of the first one. */
static void read_label(pid_t pid, char *label, size_t size)
{
	static const char *const names[] = { "attr/apparmor/current", "attr/current" };
	label[0] = '\0';
	for (size_t i = 0; i < sizeof names / sizeof *names && !label[0]; i++) {
		_cleanup_buffer_ struct buffer text = { 0 };
		if (proc_read(pid, names[i], size - 1, &text)) {
			const char *content = buffer_string(&text);
			snprintf(label, size, "%.*s", (int)strcspn(content, "\n"), content);
		}
	}
}

static void parse_credentials(const char *status, struct credentials *credentials)
{
	const char *uid = proc_status_field(status, "Uid"), *gid = proc_status_field(status, "Gid");
	struct credentials c = { .seccomp = (int)field_number(status, "Seccomp", 10),
		.seccomp_filters = (unsigned)field_number(status, "Seccomp_filters", 10),
		.no_new_privileges = field_number(status, "NoNewPrivs", 10) != 0,
		.permitted = field_number(status, "CapPrm", 16),
		.effective = field_number(status, "CapEff", 16) };
	c.known = uid && gid && sscanf(uid, "%u %u %u", &c.real_uid, &c.effective_uid, &c.saved_uid) == 3 &&
		  sscanf(gid, "%u %u %u", &c.real_gid, &c.effective_gid, &c.saved_gid) == 3;
	*credentials = c;
}

static int read_yama(void)
{
	char word[16];
	read_word("/proc/sys/kernel/yama/ptrace_scope", word, sizeof word);
	return word[0] >= '0' && word[0] <= '3' ? word[0] - '0' : FACTS_YAMA_ABSENT;
}

static bool file_says(const char *path, const char *wanted)
{
	char word[64];
	read_word(path, word, sizeof word);
	return strncmp(word, wanted, strlen(wanted)) == 0;
}

/* What the container runtimes leave to be seen. Only the wording of remedies depends on it. */
static enum container detect_container(void)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	const char *cgroup = proc_read(0, "cgroup", 4096, &text) ? buffer_string(&text) : "";
	if (getenv("KUBERNETES_SERVICE_HOST") || strstr(cgroup, "kubepods"))
		return CONTAINER_KUBERNETES;
	if (access("/run/.containerenv", F_OK) == 0 || strstr(cgroup, "libpod"))
		return CONTAINER_PODMAN;
	if (access("/.dockerenv", F_OK) == 0 || strstr(cgroup, "/docker"))
		return CONTAINER_DOCKER;
	if (access("/run/systemd/container", F_OK) == 0 || strstr(cgroup, "/lxc"))
		return CONTAINER_OTHER;
	return CONTAINER_NONE;
}

/* The initial namespace maps all numbers to themselves; others usually map one range. */
static enum fact in_initial_user_namespace(void)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	unsigned inside, outside, count;
	if (!proc_read(0, "uid_map", UID_MAP_MAX, &text))
		return errno == ENOENT ? FACT_YES : FACT_UNKNOWN; /* a kernel without user namespaces has only one */
	if (sscanf(buffer_string(&text), "%u %u %u", &inside, &outside, &count) != 3)
		return FACT_NO;
	return inside == 0 && outside == 0 && count == UINT32_MAX ? FACT_YES : FACT_NO;
}

/* errno of copying a byte of that process. An address that is not mapped tells as much as one that is: the kernel asks
 * for the right before it looks for the page. */
static int try_read(pid_t pid, const void *address)
{
	char byte;
	struct iovec local = { &byte, 1 }, remote = { (void *)(uintptr_t)address, 1 };
	if (process_vm_readv(pid, &local, 1, &remote, 1, 0) >= 0 || errno == EFAULT)
		return 0;
	return errno;
}

static int try_child_read(void)
{
	char byte = 0;
	pid_t child = fork();
	if (child < 0)
		return FACTS_NOT_TRIED;
	if (child == 0)
		for (;;)
			pause();
	int result = try_read(child, &byte);
	kill(child, SIGKILL);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return result;
}

void facts_collect_machine(bool try_child, struct machine_facts *ret_facts)
{
	struct machine_facts facts = { .yama = read_yama(),
		.container = detect_container(),
		.initial_user_namespace = in_initial_user_namespace(),
		.child_read_errno = FACTS_NOT_TRIED };
	struct utsname system;
	if (uname(&system) == 0)
		snprintf(facts.kernel, sizeof facts.kernel, "%s", system.release);
	_cleanup_buffer_ struct buffer status = { 0 };
	if (proc_read(0, "status", STATUS_MAX, &status))
		parse_credentials(buffer_string(&status), &facts.own);
	read_label(0, facts.own.label, sizeof facts.own.label);
	facts.apparmor = file_says("/sys/module/apparmor/parameters/enabled", "Y");
	facts.selinux = access("/sys/fs/selinux/enforce", F_OK) == 0;
	facts.selinux_denies = file_says("/sys/fs/selinux/enforce", "1") &&
			       file_says("/sys/fs/selinux/booleans/deny_ptrace", "1");
	facts.self_read_errno = try_read(getpid(), &facts);
	if (try_child)
		facts.child_read_errno = try_child_read();
	*ret_facts = facts;
}

/* The files in /proc/PID belong to the process's effective user while it is dumpable, and to root when it is not. */
static enum fact is_dumpable(pid_t pid, const struct credentials *credentials)
{
	char path[32];
	struct stat info;
	snprintf(path, sizeof path, "/proc/%d/status", pid);
	if (!credentials->known || credentials->effective_uid == 0 || stat(path, &info) != 0)
		return FACT_UNKNOWN;
	return info.st_uid == credentials->effective_uid ? FACT_YES : FACT_NO;
}

static enum fact has_parents_pid_namespace(pid_t pid, pid_t parent)
{
	_cleanup_free_ char *own = proc_read_link(pid, "ns/pid"),
			    *its = parent ? proc_read_link(parent, "ns/pid") : NULL;
	return !own || !its ? FACT_UNKNOWN : strcmp(own, its) == 0 ? FACT_YES : FACT_NO;
}

/* The link that would tell is not shown for processes that may not be read. The map of users is; of another namespace
 * it differs, unless that one happens to be made alike. */
static enum fact in_same_user_namespace(pid_t pid)
{
	_cleanup_free_ char *ours = proc_read_link(0, "ns/user"), *theirs = proc_read_link(pid, "ns/user");
	if (ours && theirs)
		return strcmp(ours, theirs) == 0 ? FACT_YES : FACT_NO;
	_cleanup_buffer_ struct buffer our_map = { 0 }, their_map = { 0 };
	if (!proc_read(0, "uid_map", UID_MAP_MAX, &our_map) || !proc_read(pid, "uid_map", UID_MAP_MAX, &their_map))
		return FACT_UNKNOWN;
	return strcmp(buffer_string(&our_map), buffer_string(&their_map)) == 0 ? FACT_UNKNOWN : FACT_NO;
}

static unsigned executable_bits(pid_t pid)
{
	char path[32];
	unsigned char head[EI_NIDENT];
	snprintf(path, sizeof path, "/proc/%d/exe", pid);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, head, sizeof head) != sizeof head || memcmp(head, ELFMAG, SELFMAG) != 0)
		return 0;
	return head[EI_CLASS] == ELFCLASS32 ? 32 : head[EI_CLASS] == ELFCLASS64 ? 64 : 0;
}

static bool descends_from_us(pid_t pid)
{
	for (int i = 0; i < ANCESTORS_MAX && pid > 1; i++) {
		if (pid == getpid())
			return true;
		struct process process;
		_cleanup_error_ struct error *error = process_read(pid, &process);
		if (error)
			return false;
		pid = process.parent;
		process_deinit(&process);
	}
	return false;
}

static void collect_shown(pid_t pid, const char *status, struct target_facts *facts)
{
	struct process process;
	_cleanup_error_ struct error *error = process_read(pid, &process);
	if (!error) {
		facts->state = process.state;
		facts->parent = process.parent;
		facts->kernel_thread = process.kernel_thread;
		snprintf(facts->name, sizeof facts->name, "%s", process.name);
		process_deinit(&process);
	}
	facts->process = (pid_t)field_number(status, "Tgid", 10);
	facts->tracer = (pid_t)field_number(status, "TracerPid", 10);
	parse_credentials(status, &facts->credentials);
	read_label(pid, facts->credentials.label, sizeof facts->credentials.label);
	facts->dumpable = is_dumpable(pid, &facts->credentials);
	facts->same_user_namespace = in_same_user_namespace(pid);
	facts->same_pid_namespace_as_parent = has_parents_pid_namespace(pid, facts->parent);
	facts->descendant = descends_from_us(pid);
	facts->bits = executable_bits(pid);
}

void facts_collect_target(pid_t pid, struct target_facts *ret_facts)
{
	struct target_facts facts = { .pid = pid, .process = pid, .read_errno = FACTS_NOT_TRIED };
	_cleanup_buffer_ struct buffer status = { 0 };
	facts.exists = kill(pid, 0) == 0 || errno == EPERM;
	if (facts.exists) {
		facts.read_errno = try_read(pid, NULL);
		if (proc_read(pid, "status", STATUS_MAX, &status))
			collect_shown(pid, buffer_string(&status), &facts);
		else
			facts.hidden = true;
	}
	*ret_facts = facts;
}
