#include "sample/family.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "os/children.h"
#include "os/process.h"

enum { LOOK_FIRST = NS_PER_MS / 2, LOOK_SLOWEST = 50 * NS_PER_MS, LOOKS_QUICK = 400, CHILDREN_EVERY = NS_PER_MS };

void family_init(struct family *family, struct registry *registry, bool follow)
{
	*family = (struct family){ .registry = registry, .follow = follow };
}

static void member_destroy(struct member *member)
{
	target_destroy(member->target);
	free(member->problem);
	free(member);
}

void family_deinit(struct family *family)
{
	for (size_t i = 0; i < family->members.count; i++)
		member_destroy(family->members.data[i]);
	vec_free(&family->members);
}

struct error *family_add(struct family *family, pid_t pid, uint32_t parent, bool from_birth)
{
	struct member *member = calloc(1, sizeof *member);
	if (!member)
		return &error_no_memory;
	*member = (struct member){ .pid = pid, .parent = parent, .from_birth = from_birth };
	if (vec_push(&family->members, member))
		return NULL;
	member_destroy(member);
	return &error_no_memory;
}

/* ---- an interpreter was found ---- */

/* The folder of the program in the command line: the interpreter puts it first on sys.path, but later than we look. */
static void add_script_folder(const struct process *process, struct buffer *path)
{
	const char *word = process->command.data, *end = word + process->command.size;
	for (; word < end; word += strnlen(word, (size_t)(end - word)) + 1) {
		size_t length = strnlen(word, (size_t)(end - word));
		const char *slash = memrchr(word, '/', length);
		if (length < 4 || memcmp(word + length - 3, ".py", 3) != 0)
			continue;
		char link[64], folder[PATH_MAX];
		snprintf(link, sizeof link, "/proc/%d/cwd", process->pid);
		ssize_t size = word[0] == '/' ? 0 : readlink(link, folder, sizeof folder);
		if (size > 0)
			buffer_add(path, folder, (size_t)size);
		if (slash) {
			if (size > 0)
				buffer_add_char(path, '/');
			buffer_add(path, word, (size_t)(slash - word));
		}
		buffer_add_char(path, '\n');
		return;
	}
}

static struct error *define(struct family *family, struct member *member, uint64_t now)
{
	_cleanup_process_ struct process process = { 0 };
	_cleanup_buffer_ struct buffer path = { 0 };
	error_free(process_read(member->pid, &process));
	target_search_path(member->target, &path);
	add_script_folder(&process, &path);
	struct process_def def = {
		.id = family->registry->process_count + 1,
		.pid = (uint32_t)member->pid,
		.parent = member->parent,
		.python_version = member->target->runtime.version_hex,
		.flags = member->target->runtime.free_threaded,
		.time = now,
		.command = { process.command.data, process.command.size },
		.search_path = { path.data, path.size },
	};
	if (process.executable)
		def.executable = (struct text){ process.executable, strlen(process.executable) };
	/* The command's last word needs no NUL at its end. */
	while (def.command.size && !def.command.data[def.command.size - 1])
		def.command.size--;
	TRY(family->registry->sink->ops->process(family->registry->sink, &def));
	family->registry->process_count++;
	member->id = member->target->id = def.id;
	return NULL;
}

/* Gone, or a zombie that only its parent still sees. */
static bool has_ended(pid_t pid)
{
	_cleanup_process_ struct process process = { 0 };
	_cleanup_error_ struct error *error = process_read(pid, &process);
	return error || process.state == 'Z' || process.state == 'X';
}

static void remember_problem(struct member *member, const struct error *error)
{
	free(member->problem);
	member->problem = strdup(error_message(error));
}

static struct error *look(struct family *family, struct member *member, uint64_t now)
{
	if (member->target || now < member->look_at)
		return NULL;
	/* A program that starts is soon there; what is no Python after a while seldom becomes one. */
	uint64_t pause = member->looks++ < LOOKS_QUICK ? LOOK_FIRST : LOOK_SLOWEST;
	member->look_at = now + pause;
	struct error *error = target_open(member->pid, &member->target);
	if (error) {
		if (error == &error_no_memory)
			return error;
		remember_problem(member, error);
		member->gone = has_ended(member->pid);
		error_free(error);
		return NULL;
	}
	target_attach_registry(member->target, family->registry);
	return define(family, member, now);
}

/* ---- children ---- */

static bool is_known(const struct family *family, pid_t pid)
{
	for (size_t i = 0; i < family->members.count; i++)
		if (family->members.data[i]->pid == pid && !family->members.data[i]->gone)
			return true;
	return false;
}

static struct error *find_children(struct family *family, uint64_t now)
{
	if (!family->follow || now < family->children_at)
		return NULL;
	family->children_at = now + CHILDREN_EVERY;
	struct pid_list list = { 0 };
	struct error *error = NULL;
	size_t count = family->members.count;
	for (size_t i = 0; i < count && !error; i++) {
		const struct member *member = family->members.data[i];
		list.pids.count = 0;
		if (!member->gone)
			children_list(member->pid, &list);
		for (size_t k = 0; k < list.pids.count && !error; k++)
			if (!is_known(family, list.pids.data[k]))
				error = family_add(
					family, list.pids.data[k], member->id ? member->id : member->parent, true);
	}
	vec_free(&list.pids);
	return error;
}

struct error *family_tend(struct family *family, uint64_t now)
{
	TRY(find_children(family, now));
	for (size_t i = 0; i < family->members.count; i++)
		if (!family->members.data[i]->gone)
			TRY(look(family, family->members.data[i], now));
	return NULL;
}

struct error *family_lose(struct family *family, struct member *member, uint64_t now)
{
	struct event event = {
		.kind = EVENT_MARKER, .subject = SUBJECT_PROCESS_END, .time = now, .process = member->id
	};
	target_destroy(member->target);
	member->target = NULL;
	member->looks = 0;
	member->look_at = now;
	member->gone = has_ended(member->pid);
	return family->registry->sink->ops->events(family->registry->sink, &event, 1);
}
