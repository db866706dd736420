/* test_family.c: which processes are found that a process starts, by the kernel's events and by its lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "os/process.h"
#include "os/process_events.h"
#include "sample/family.h"

static struct error *take_events(struct sink *sink, const struct event *events, size_t count)
{
	return NULL;
}

static struct sink *deaf_sink(void)
{
	static const struct sink_ops ops = { .events = take_events };
	static struct sink sink = { &ops };
	return &sink;
}

/* ---- processes that we make ---- */

/* Starts `quick` processes, one after another, that end at once, and then `slow` that stay. */
static void run_parent(int quick, int slow)
{
	pid_t self = getpid();
	for (int i = 0; i < quick; i++) {
		pid_t child = fork();
		if (!child)
			_exit(0);
		waitpid(child, NULL, 0);
	}
	for (int i = 0; i < slow; i++)
		if (!fork()) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			while (getppid() == self) /* it may have been killed before */
				pause();
			_exit(0);
		}
}

/* It starts the others when `gate` is closed, and says when it has. */
static pid_t start_parent(int quick, int slow, int gate[2], int done[2])
{
	char byte;
	assert_int_equal(pipe(gate), 0);
	assert_int_equal(pipe(done), 0);
	pid_t parent = fork();
	if (parent)
		return parent;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(gate[1]);
	if (read(gate[0], &byte, 1) == 0)
		run_parent(quick, slow);
	if (write(done[1], "x", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* A family of that parent, as it is once all have been started; `listen`: to the kernel's events. */
static pid_t make_family(struct family *family, struct registry *registry, bool listen, int quick, int slow)
{
	int gate[2], done[2];
	char byte;
	registry_init(registry, deaf_sink());
	family_init(family, registry, true);
	if (!listen && family->events_fd >= 0) {
		close(family->events_fd);
		family->events_fd = -1;
		family->children.found = CHILDREN_BY_LIST;
	}
	pid_t parent = start_parent(quick, slow, gate, done);
	assert_null(family_add(family, parent, NULL, true));
	assert_null(family_tend(family, 1, 0));
	close(gate[0]);
	close(gate[1]);
	assert_int_equal(read(done[0], &byte, 1), 1);
	close(done[0]);
	close(done[1]);
	assert_null(family_tend(family, 10ull * NS_PER_S, 0));
	return parent;
}

static void end_family(struct family *family, struct registry *registry, pid_t parent)
{
	kill(parent, SIGKILL);
	waitpid(parent, NULL, 0);
	family_deinit(family);
	registry_deinit(registry);
}

static void lists_find_those_that_live(void **state)
{
	struct family family;
	struct registry registry;
	pid_t parent = make_family(&family, &registry, false, 3, 5);
	assert_int_equal(family.members.count, 6);
	assert_int_equal(family.members.data[5]->parent_pid, parent);
	struct family_children children = family_children(&family);
	assert_int_equal(children.found, CHILDREN_BY_LIST);
	assert_true(children.may_be_more);
	end_family(&family, &registry, parent);
}

static void lists_miss_those_that_end_at_once(void **state)
{
	struct family family;
	struct registry registry;
	pid_t parent = make_family(&family, &registry, false, 3, 0);
	assert_int_equal(family.members.count, 1);
	assert_true(family_children(&family).may_be_more);
	end_family(&family, &registry, parent);
	parent = make_family(&family, &registry, false, 0, 0);
	assert_false(family_children(&family).may_be_more);
	end_family(&family, &registry, parent);
}

static void events_tell_of_all(void **state)
{
	struct family family;
	struct registry registry;
	pid_t parent = make_family(&family, &registry, true, 30, 5);
	bool listens = family.events_fd >= 0;
	size_t members = family.members.count;
	struct family_children children = family_children(&family);
	end_family(&family, &registry, parent);
	if (!listens)
		skip();
	assert_int_equal(members, 6);
	assert_int_equal(children.found, CHILDREN_BY_EVENTS);
	assert_false(children.may_be_more);
	assert_int_equal(children.unseen, 0); /* copies of what is no Python */
}

/* ---- the kernel's events ---- */

static void *do_nothing(void *arg)
{
	return arg;
}

/* The kinds of what is told of a process, up to its end, as digits. */
static void read_kinds(int fd, pid_t pid, char *kinds, size_t size)
{
	struct process_event event;
	uint64_t now = clock_now();
	size_t count = 0;
	while (count + 1 < size && process_events_next(fd, &event) == PROCESS_EVENTS_ONE) {
		if (event.pid != pid)
			continue;
		assert_true(event.time < now && event.time > now - 60ull * NS_PER_S);
		if (event.kind == PROCESS_FORKED)
			assert_int_equal(event.parent, getpid());
		kinds[count++] = (char)('0' + event.kind);
	}
	kinds[count] = '\0';
}

static void events_are_of_processes(void **state)
{
	int fd = process_events_open();
	char kinds[16];
	if (fd < 0)
		skip();
	pid_t child = fork();
	if (!child) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, do_nothing, NULL) == 0)
			pthread_join(thread, NULL);
		execl("/bin/true", "true", NULL);
		_exit(1);
	}
	waitpid(child, NULL, 0);
	read_kinds(fd, child, kinds, sizeof kinds);
	assert_string_equal(kinds, "123");
	close(fd);
}

/* ---- memory ---- */

static void memory_is_of_one_program(void **state)
{
	int gate[2];
	char byte;
	assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
	pid_t child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (read(gate[0], &byte, 1) == 1)
			execl("/bin/sleep", "sleep", "60", NULL);
		_exit(1);
	}
	close(gate[0]);
	int fd = process_open_memory(child);
	assert_true(fd >= 0);
	assert_true(process_has_memory(fd));
	assert_false(process_shares_memory(child, getpid()));
	assert_true(process_shares_memory(getpid(), getpid()));
	assert_int_equal(write(gate[1], "x", 1), 1);
	for (uint64_t end = clock_now() + 30ull * NS_PER_S; process_has_memory(fd) && clock_now() < end;)
		usleep(1000);
	assert_false(process_has_memory(fd));
	assert_false(process_has_ended(child));
	kill(child, SIGKILL);
	siginfo_t info;
	assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
	assert_true(process_has_ended(child));
	waitpid(child, NULL, 0);
	close(fd);
	close(gate[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_find_those_that_live),
		cmocka_unit_test(lists_miss_those_that_end_at_once),
		cmocka_unit_test(events_tell_of_all),
		cmocka_unit_test(events_are_of_processes),
		cmocka_unit_test(memory_is_of_one_program),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
