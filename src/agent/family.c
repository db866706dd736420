/* family.c: see family.h.
 *
 * A child of a fork that is followed has a segment of its own from the fork on. Calls that were open then belong to the
 * parent, which returns from them, too: in the child their returns leave no trace, so that no call is counted twice,
 * and what it calls from there on has no callers. A child that is not followed has its events switched off at the first
 * one.
 *
 * A program that becomes another one gets our two variables only for that step: execve, execv and posix_spawn of the
 * program are these here, found before libc's since we are preloaded. What its own environment says stays as it is. The
 * child of a vfork shares our memory until then: nothing here writes any. */
#include "agent/family.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/old_libc.h"
#include "agent/segment/recorder.h"
#include "agent/session.h"

#define EXPORTED __attribute__((visibility("default")))
typedef int spawner(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *, char *const *,
	char *const *);

static const char preload_key[] = "LD_PRELOAD=", orders_key[] = "PYROMETER_AGENT=";

static struct {
	const struct orders *orders; /* NULL: children are not followed */
	char words[sizeof orders_key + ORDERS_MAX];
	char agent[4096]; /* our file */
} family;

static size_t append(char *text, size_t size, const char *more)
{
	memcpy(text + size, more, strlen(more) + 1);
	return size + strlen(more);
}

/* libc's, behind ours. */
static spawner *find_spawner(const char *name)
{
	return (spawner *)dlsym(RTLD_NEXT, name);
}

/* ---- fork ---- */

static void in_child(void)
{
	bool on = recorder_is_on();
	struct segment_head before = on ? *recorder.head : (struct segment_head){ 0 };
	recorder_forget();
	if (on && family.orders)
		session_go_on(family.orders, &before);
	recorder.left = on && !recorder_is_on();
}

void family_begin(const struct orders *orders, const char *text)
{
	Dl_info here;
	pthread_atfork(NULL, NULL, in_child);
	if (!orders_get(orders, "follow") || !dladdr((void *)family_begin, &here) ||
		strlen(here.dli_fname) >= sizeof family.agent || strlen(text) >= ORDERS_MAX)
		return;
	append(family.words, append(family.words, 0, orders_key), text);
	append(family.agent, 0, here.dli_fname);
	family.orders = orders;
}

/* ---- exec ---- */

/* What a program that is not followed for its size has more of: words of its environment, bytes of its preloads. */
enum { LIST_MAX = 4096, PRELOAD_MAX = 8192 };

struct environment {
	const char *words[LIST_MAX + 3];
	char preload[PRELOAD_MAX];
};

static bool begins(const char *word, const char *key)
{
	return strncmp(word, key, strlen(key)) == 0;
}

/* `words` with ours among them; NULL: too many. */
static char *const *add_words(struct environment *e, char *const *words)
{
	size_t count = 0, size = append(e->preload, 0, preload_key);
	size = append(e->preload, size, family.agent);
	for (; *words; words++) {
		const char *others = begins(*words, preload_key) ? *words + sizeof preload_key - 1 : NULL;
		if (count == LIST_MAX || (others && size + strlen(others) + 2 > PRELOAD_MAX))
			return NULL;
		if (others && *others)
			size = append(e->preload, append(e->preload, size, ":"), others);
		else if (!others && !begins(*words, orders_key))
			e->words[count++] = *words;
	}
	e->words[count++] = e->preload;
	e->words[count++] = family.words;
	e->words[count] = NULL;
	return (char *const *)e->words;
}

/* The environment that a program is to begin with. */
static char *const *choose(struct environment *e, char *const *words)
{
	char *const *ours = family.orders && words ? add_words(e, words) : NULL;
	return ours ? ours : words;
}

EXPORTED int execve(const char *path, char *const argv[], char *const words[])
{
	struct environment e;
	return (int)syscall(SYS_execve, path, argv, choose(&e, words));
}

EXPORTED int execv(const char *path, char *const argv[])
{
	return execve(path, argv, environ);
}

EXPORTED int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
	const posix_spawnattr_t *attributes, char *const argv[], char *const words[])
{
	struct environment e;
	spawner *next = find_spawner("posix_spawn");
	return next ? next(pid, path, actions, attributes, argv, choose(&e, words)) : ENOSYS;
}

EXPORTED int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
	const posix_spawnattr_t *attributes, char *const argv[], char *const words[])
{
	struct environment e;
	spawner *next = find_spawner("posix_spawnp");
	return next ? next(pid, file, actions, attributes, argv, choose(&e, words)) : ENOSYS;
}

/* The end that runs no destructors. The child of a vfork has our memory, but is another process. */
EXPORTED __attribute__((noreturn)) void _exit(int status)
{
	if (recorder_is_on() && recorder.head->pid == (uint32_t)getpid())
		recorder_close(SEGMENT_ENDED, NULL);
	for (;;)
		syscall(SYS_exit_group, status);
}
