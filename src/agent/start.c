/* start.c: how the agent comes to life in a process that was started with it (LD_PRELOAD), and how it ends.
 *
 * PYROMETER_AGENT says what to do (orders.h). Both variables are gone before Python looks at its
 * environment, and what was in LD_PRELOAD before stays. A program that is no Python (a shell, env) keeps them, and
 * hands them on to the Python that it becomes. */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "agent/family.h"
#include "agent/old_libc.h"
#include "agent/python/python.h"
#include "agent/segment/recorder.h"
#include "agent/session.h"

static struct orders orders;
static bool program_began;

/* ---- the environment ---- */

/* Takes the file that this code is in out of LD_PRELOAD. */
static void clean_environment(void)
{
	Dl_info here;
	char *list = getenv("LD_PRELOAD");
	unsetenv("PYROMETER_AGENT");
	if (!list || !dladdr((void *)clean_environment, &here))
		return;
	size_t size = strlen(here.dli_fname);
	char *found = strstr(list, here.dli_fname);
	if (!found)
		return;
	char *rest = found + size;
	rest += *rest == ':' || *rest == ' ';
	memmove(found, rest, strlen(rest) + 1);
	if (!*list)
		unsetenv("LD_PRELOAD");
}

/* ---- the hook that says when the program begins ---- */

static int on_audit(const char *event, object *arguments, void *data);

/* An entry of the runtime's list of hooks, as all versions have it. */
struct hook_entry {
	struct hook_entry *next;
	audit_hook function;
	void *data;
};

static bool is_our_entry(uint64_t address, struct hook_entry *ret_entry)
{
	struct iovec local = { ret_entry, sizeof *ret_entry },
		     remote = { (void *)(uintptr_t)address, sizeof *ret_entry };
	return address && address % 8 == 0 &&
	       process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == sizeof *ret_entry &&
	       ret_entry->function == on_audit;
}

/* A hook costs every attribute of a code object and every id(), and no function takes one out: ours is the first entry
 * of a list that begins somewhere in _PyRuntime. */
static void remove_hook(void)
{
	enum { RUNTIME_MAX = 1 << 20 };
	Dl_info info;
	const struct {
		uint32_t name;
		unsigned char kind[2];
		uint16_t section;
		uint64_t value, size;
	} *symbol = NULL;
	uint64_t *runtime = dlsym(RTLD_DEFAULT, "_PyRuntime");
	if (!runtime || !dladdr1(runtime, &info, (void **)&symbol, RTLD_DL_SYMENT) || !symbol)
		return;
	size_t words = (symbol->size < RUNTIME_MAX ? symbol->size : RUNTIME_MAX) / sizeof *runtime;
	struct hook_entry entry;
	for (size_t i = 0; i < words; i++)
		if (is_our_entry(runtime[i], &entry)) {
			runtime[i] = (uintptr_t)entry.next;
			return;
		}
}

static int on_audit(const char *event, object *arguments, void *data)
{
	(void)arguments, (void)data;
	if (strncmp(event, "cpython.run_", 12) == 0 && !program_began) {
		program_began = true;
		remove_hook();
		session_begin(&orders);
	}
	return 0;
}

/* ---- the process ---- */

__attribute__((constructor)) static void load(void)
{
	const char *text = getenv("PYROMETER_AGENT");
	if (!python_is_here() || !orders_read(&orders, text))
		return;
	family_begin(&orders, text);
	clean_environment();
	if (!python_find()) {
		session_refuse(&orders, session_unfit());
		return;
	}
	session_prepare(&orders);
	python.add_audit_hook(on_audit, NULL);
}

__attribute__((destructor)) static void unload(void)
{
	recorder_close(SEGMENT_ENDED, NULL);
}
