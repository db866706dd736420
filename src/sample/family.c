/* family.c: see family.h. The members, and how an interpreter is found in one. */
#include "sample/family.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "os/process.h"
#include "os/process_events.h"
#include "sample/housekeeping.h"
#include "sample/lineage.h"

enum {
	LOOK_FIRST = NS_PER_MS / 2,
	LOOK_SLOWEST = 50 * NS_PER_MS,
	LOOKS_QUICK = 400,
	/* How long a program may go unnoticed that was executed in place of one, when nothing else tells. */
	MEMORY_EVERY = 10 * NS_PER_MS,
	/* No Python executes its first line so soon after it was executed itself: 2.7 takes 3 ms, others 6. */
	PYTHON_BEGINS = 3 * NS_PER_MS,
	/* How long the kernel's word of an end may come after the end; longer only if it was lost. */
	LAST_WORD = 10 * NS_PER_MS,
};

void family_init(struct family *family, struct registry *registry, bool follow)
{
	*family = (struct family){ .registry = registry, .follow = follow, .events_fd = -1 };
	if (!follow)
		return;
	family->events_fd = process_events_open();
	family->children.found = family->events_fd >= 0 ? CHILDREN_BY_EVENTS : CHILDREN_BY_LIST;
}

static void close_target(struct member *member)
{
	target_destroy(member->target);
	member->target = NULL;
	if (member->memory_fd >= 0)
		close(member->memory_fd);
	member->memory_fd = -1;
}

static void member_destroy(struct member *member)
{
	close_target(member);
	free(member);
}

void family_deinit(struct family *family)
{
	for (size_t i = 0; i < family->members.count; i++)
		member_destroy(family->members.data[i]);
	vec_free(&family->members);
	map_deinit(&family->by_pid);
	if (family->events_fd >= 0)
		close(family->events_fd);
	free(family->problem);
}

struct error *family_add(struct family *family, pid_t pid, const struct member *parent, bool from_birth)
{
	struct member *member = calloc(1, sizeof *member);
	if (!member)
		return &error_no_memory;
	*member = (struct member){ .pid = pid,
		.memory_fd = -1,
		.from_birth = from_birth,
		.child_faults = from_birth || !family->follow ? 0 : process_read_child_faults(pid) };
	if (parent) {
		member->parent_pid = parent->pid;
		member->parent = parent->id ? parent->id : parent->parent;
		member->copy = parent->target || parent->copy;
		member->no_python = !member->copy && parent->no_python;
		family->had_children = true;
	}
	if (vec_push(&family->members, member) && map_put(&family->by_pid, (uint64_t)pid, (uint64_t)(uintptr_t)member))
		return NULL;
	if (family->members.count && family->members.data[family->members.count - 1] == member)
		family->members.count--;
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
	member->main_thread = 0;
	member->seen = true;
	return NULL;
}

/* ---- looking for one ---- */

/* Forked by one that is no Python, executed nothing since: which of the two was known first does not matter. */
static void mark_copies(struct family *family, const struct member *parent)
{
	for (size_t i = 0; i < family->members.count; i++) {
		struct member *member = family->members.data[i];
		if (member->parent_pid != parent->pid || member->copy || member->begun_at || member->seen ||
			member->no_python)
			continue;
		member->no_python = true;
		mark_copies(family, member);
	}
}

/* The first one's; of one process what the latest look said: it may not have loaded yet what tells more. */
static void keep_problem(struct family *family, const struct member *member, bool has_memory, const char *sentence)
{
	if (family->problem && !(has_memory && family->problem_pid == member->pid))
		return;
	free(family->problem);
	family->problem = strdup(sentence);
	family->problem_pid = member->pid;
}

/* What a look that found no interpreter tells. */
static struct error *take_failure(struct family *family, struct member *member, uint64_t files, struct error *error)
{
	if (error == &error_no_memory)
		return error;
	/* One that is ending has no memory any more, in which no Python can be found. */
	bool has_memory = member->memory_fd >= 0 && process_has_memory(member->memory_fd);
	keep_problem(family, member, has_memory, error_message(error));
	if (has_memory) {
		member->no_python = error->kind == ERROR_UNSUPPORTED;
		member->files = member->no_python ? files : 0;
		member->copy = member->copy && !member->no_python;
		member->main_thread = 0;
		if (member->no_python)
			mark_copies(family, member);
	}
	member->gone = process_has_ended(member->pid);
	close_target(member);
	error_free(error);
	return NULL;
}

static struct error *look(struct family *family, struct member *member, uint64_t now)
{
	/* A program that starts is soon there; what is no Python after a while seldom becomes one. */
	uint64_t pause = member->looks++ < LOOKS_QUICK ? LOOK_FIRST : LOOK_SLOWEST;
	member->look_at = now + pause;
	/* Until it executes its program, what could be read in it is its parent's. */
	if (member->parent_pid && process_shares_memory(member->pid, member->parent_pid)) {
		member->copy = false;
		member->begun_at = clock_now();
		return NULL;
	}
	/* In this order: should it execute another program now, the memory is known to be no longer that one. */
	member->opened_at = clock_now();
	member->memory_fd = process_open_memory(member->pid);
	_cleanup_maps_ struct maps maps = { 0 };
	struct error *error = maps_read(member->pid, &maps);
	uint64_t files = error ? 0 : maps_hash_files(&maps);
	if (!error && files == member->files) {
		close_target(member);
		return NULL;
	}
	if (!error)
		error = target_open_mapped(&maps, &member->target);
	if (error)
		return take_failure(family, member, files, error);
	target_attach_registry(member->target, family->registry);
	return define(family, member, now);
}

static struct error *look_at_all(struct family *family, uint64_t now, uint64_t until)
{
	size_t count = family->members.count;
	for (size_t i = 0; i < count; i++) {
		struct member *member = family->members.data[family->looked++ % count];
		if (member->gone || member->target || now < member->look_at)
			continue;
		TRY(look(family, member, now));
		if (clock_now() >= until)
			break;
	}
	return NULL;
}

/* ---- the end of a member ---- */

/* Whether nothing more will be known of one that has gone: it was seen, or its end was announced and it is known what
 * the one is that forked it. */
static bool is_decided(const struct family *family, const struct member *member)
{
	if (member->seen || member->no_python || family->events_fd < 0)
		return true;
	if (!member->ended_at)
		return false;
	if (member->copy || member->begun_at)
		return true;
	const uint64_t *found = map_get(&family->by_pid, (uint64_t)member->parent_pid);
	const struct member *parent = found ? (const struct member *)(uintptr_t)*found : NULL;
	return !parent || parent->seen || parent->no_python;
}

static bool may_be_buried(const struct family *family, struct member *member)
{
	if (is_decided(family, member))
		return true;
	uint64_t now = clock_now();
	member->gone_at = member->gone_at ? member->gone_at : now;
	return now >= member->gone_at + LAST_WORD;
}

static bool ended_unseen(const struct member *member)
{
	if (member->seen || !member->parent_pid || member->no_python)
		return false;
	uint64_t ended_at = member->ended_at ? member->ended_at : clock_now();
	return member->copy || !member->begun_at || ended_at - member->begun_at >= PYTHON_BEGINS;
}

static bool waited_for_children(const struct member *member)
{
	return process_read_child_faults(member->pid) > member->child_faults;
}

/* The kernel's last words of the one that has gone, if its parent has not buried it yet; and nothing is kept. */
static struct error *bury(struct family *family, struct member *member, uint64_t now)
{
	struct error *error = member->id ? housekeeping_read_last(family->registry->sink, member, now) : NULL;
	family->children.unseen += ended_unseen(member);
	if (family->follow)
		family->had_children |= waited_for_children(member);
	uint64_t *known = map_get(&family->by_pid, (uint64_t)member->pid);
	if (known && *known == (uint64_t)(uintptr_t)member)
		map_remove(&family->by_pid, (uint64_t)member->pid);
	member_destroy(member);
	return error;
}

/* Those of which nothing more will be known, and what that says of their children. `finish`: nothing is waited for. */
static void choose_for_burial(struct family *family, bool finish)
{
	for (size_t i = 0; i < family->members.count; i++) {
		struct member *member = family->members.data[i];
		member->decided = member->gone && (finish || may_be_buried(family, member));
		if (member->decided && !member->seen && !ended_unseen(member))
			mark_copies(family, member);
	}
}

static struct error *bury_gone(struct family *family, uint64_t now, bool finish)
{
	struct error *error = NULL;
	size_t kept = 0;
	choose_for_burial(family, finish);
	for (size_t i = 0; i < family->members.count; i++) {
		struct member *member = family->members.data[i];
		if (!member->decided || error)
			family->members.data[kept++] = member;
		else
			error = bury(family, member, now);
	}
	family->members.count = kept;
	return error;
}

struct error *family_lose(struct family *family, struct member *member, uint64_t now)
{
	struct event event = {
		.kind = EVENT_MARKER, .subject = SUBJECT_PROCESS_END, .time = now, .process = member->id
	};
	TRY(housekeeping_read_last(family->registry->sink, member, now));
	close_target(member);
	member->looks = 0;
	member->look_at = now;
	member->sampled_at = member->times_at = member->names_at = 0;
	member->times_next = member->names_next = 0;
	member->names_indexed = false;
	member->gone = process_has_ended(member->pid);
	if (!member->gone)
		member->main_cpu_born = member->main_cpu;
	return family->registry->sink->ops->events(family->registry->sink, &event, 1);
}

static struct error *lose_ended(struct family *family, uint64_t now)
{
	for (size_t i = 0; i < family->members.count; i++) {
		struct member *member = family->members.data[i];
		if (member->target && !process_has_memory(member->memory_fd))
			TRY(family_lose(family, member, now));
		else if (!member->target && member->ended_at)
			member->gone = process_has_ended(member->pid);
	}
	return NULL;
}

bool family_is_calm(const struct family *family)
{
	for (size_t i = 0; i < family->members.count; i++)
		if (!family->members.data[i]->target)
			return false;
	return !family->follow;
}

struct error *family_tend(struct family *family, uint64_t now, uint64_t until)
{
	TRY(lineage_find(family, now, until));
	if (now >= family->memory_at) {
		family->memory_at = now + MEMORY_EVERY;
		TRY(lose_ended(family, now));
	}
	TRY(look_at_all(family, now, until));
	return bury_gone(family, now, false);
}

struct error *family_finish(struct family *family, uint64_t now)
{
	TRY(lineage_find(family, now, 0));
	TRY(lose_ended(family, now));
	for (size_t i = 0; i < family->members.count; i++)
		if (!family->members.data[i]->target)
			family->members.data[i]->gone = process_has_ended(family->members.data[i]->pid);
	return bury_gone(family, now, true);
}

struct family_children family_children(const struct family *family)
{
	struct family_children children = family->children;
	bool any = family->had_children;
	for (size_t i = 0; family->follow && i < family->members.count; i++)
		any |= waited_for_children(family->members.data[i]);
	children.may_be_more |= children.found == CHILDREN_BY_LIST && any;
	return children;
}
