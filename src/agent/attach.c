/* attach.c: see attach.h. A thread of our own gets the GIL as any thread of a C library gets it, so that it does not
 * matter what the program's threads do: the main thread may sleep in C for hours. Then it waits on the leash, outside
 * of Python, until pyrometer lets go of it or dies; so leaving needs nobody to stop the program again. */
#include "agent/attach.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "agent/meter.h"
#include "agent/old_libc.h"
#include "agent/session.h"

static struct {
	_Atomic int busy;
	char folder[512];
	struct orders orders;
} attached;

static const char *path_in(const char *folder, char path[800], const char *name)
{
	snprintf(path, 800, "%s/%s", folder, name);
	return path;
}

static const char *path_of(char path[800], const char *name)
{
	return path_in(attached.folder, path, name);
}

static bool read_orders(void)
{
	char path[800], text[ORDERS_MAX];
	int fd = open(path_of(path, ATTACH_ORDERS), O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		close(fd);
	text[size > 0 ? size : 0] = '\0';
	return orders_read(&attached.orders, text);
}

/* Whole at once: whoever finds it finds all of it. */
static void refuse(const char *folder, const char *why)
{
	char path[800], beside[800];
	int fd = open(path_in(folder, beside, "refusing"), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	ssize_t written = write(fd, why, strlen(why));
	close(fd);
	if (written > 0)
		rename(beside, path_in(folder, path, ATTACH_REFUSED));
}

/* Nobody else will: pyrometer has died. */
static void remove_folder(void)
{
	char path[800];
	DIR *folder = opendir(attached.folder);
	for (struct dirent *entry; folder && (entry = readdir(folder));)
		if (entry->d_name[0] != '.')
			unlink(path_of(path, entry->d_name));
	if (folder)
		closedir(folder);
	rmdir(attached.folder);
}

/* True when pyrometer asks us to leave, false when it has died. */
static bool await_leave(int leash)
{
	char byte;
	ssize_t got;
	/* Opened and read without waiting: who is to hold the other end may have died already. */
	while ((got = read(leash, &byte, 1)) < 0 && (errno == EINTR || errno == EAGAIN)) {
		struct pollfd wait = { .fd = leash, .events = POLLIN };
		poll(&wait, 1, -1);
	}
	return got == 1;
}

/* In the child of a fork, where our thread is not. */
static void forget(void)
{
	recorder_forget();
	attached.busy = 0;
}

static bool prepare(void)
{
	static bool prepared;
	if (prepared)
		return true;
	bool known = python.version != 0; /* it was started with us */
	if (!python_is_here() || (!known && !python_find()))
		return false;
	pthread_atfork(NULL, NULL, forget);
	return prepared = true;
}

static const char *begin(int (**ensure)(void), void (**release)(int))
{
	int (*is_initialized)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "Py_IsInitialized");
	*ensure = (int (*)(void))dlsym(RTLD_DEFAULT, "PyGILState_Ensure");
	*release = (void (*)(int))dlsym(RTLD_DEFAULT, "PyGILState_Release");
	if (!is_initialized || !*ensure || !*release || !prepare())
		return "its Python does not have the functions that an agent needs";
	if (!is_initialized())
		return "its Python has not begun, or has ended";
	int held = (*ensure)();
	const char *why = session_begin(&attached.orders);
	(*release)(held);
	return why;
}

static void *serve(void *unused)
{
	(void)unused;
	char path[800];
	int (*ensure)(void) = NULL;
	void (*release)(int) = NULL;
	prctl(PR_SET_NAME, "pyrometer");
	int leash = open(path_of(path, ATTACH_LEASH), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const char *why = leash < 0 || !read_orders() ? "it cannot read what is asked of it" : begin(&ensure, &release);
	if (why)
		refuse(attached.folder, why);
	bool asked = leash >= 0 && await_leave(leash);
	if (!why && ensure && release) {
		int held = ensure();
		session_end(SEGMENT_ENDED, NULL);
		release(held);
	}
	if (!asked)
		remove_folder();
	if (leash >= 0)
		close(leash);
	meter_end_thread(NULL);
	path_of(path, ATTACH_LEASH);
	attached.busy = 0;
	unlink(path); /* we are out */
	return NULL;
}

static bool start_thread(void)
{
	int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) = (int (*)(
		pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))dlsym(RTLD_DEFAULT, "pthread_create");
	int (*detach)(pthread_t) = (int (*)(pthread_t))dlsym(RTLD_DEFAULT, "pthread_detach");
	pthread_t thread;
	if (!create || !detach || create(&thread, NULL, serve, NULL))
		return false;
	detach(thread);
	return true;
}

/* The program's signals are for its own threads: the one that is made here blocks all, as it finds them. */
static bool start_deaf_thread(void)
{
	sigset_t all, before;
	sigfillset(&all);
	if (sigprocmask(SIG_BLOCK, &all, &before))
		return false;
	bool started = start_thread();
	sigprocmask(SIG_SETMASK, &before, NULL);
	return started;
}

__attribute__((visibility("default"))) void pyrometer_attach(const char *folder)
{
	size_t size = strlen(folder);
	if (size >= sizeof attached.folder)
		return;
	if (atomic_exchange_explicit(&attached.busy, 1, memory_order_acq_rel)) {
		refuse(folder, "another pyrometer measures it already");
		return;
	}
	memcpy(attached.folder, folder, size + 1);
	if (!start_deaf_thread()) {
		attached.busy = 0;
		refuse(folder, "no thread can be made in it");
	}
}
