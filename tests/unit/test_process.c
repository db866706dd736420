/* test_process.c: what is read of processes, held against processes that we made ourselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "os/facts.h"
#include "os/process.h"
#include "os/task.h"

/* A child that has the name of `prctl` and pauses; it is known to have it when this returns. */
static pid_t start_child(const char *name)
{
	int ready[2];
	char byte;
	assert_int_equal(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failing test leaves nothing behind */
		if (name)
			prctl(PR_SET_NAME, name);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return child;
}

static void end_child(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void test_ourselves(void **state)
{
	_cleanup_process_ struct process process = { 0 };
	/* The kernel counts in ticks of 10 ms; how long that takes depends on who else wants the core. */
	while (clock_read(CLOCK_PROCESS_CPUTIME_ID) < 40 * NS_PER_MS)
		;
	assert_null(process_read(getpid(), &process));
	assert_int_equal(process.parent, getppid());
	assert_int_equal(process.state, 'R');
	assert_int_equal(process.thread_count, 1);
	assert_false(process.kernel_thread);
	assert_in_range(process.cpu_ns, 10 * NS_PER_MS, 60ull * NS_PER_S);
	assert_in_range(process.age_ns, 20 * NS_PER_MS, 600ull * NS_PER_S);
	assert_string_equal(process.name, "test_process");
	assert_non_null(strstr(process.executable, "test_process"));
	assert_non_null(memmem(process.command.data, process.command.size, "test_process", 12));
}

static void test_hostile_name(void **state)
{
	static const char name[] = "a) R 1 (\nb";
	pid_t child = start_child(name);
	_cleanup_process_ struct process process = { 0 };
	assert_null(process_read(child, &process));
	assert_string_equal(process.name, name);
	assert_int_equal(process.parent, getpid());
	end_child(child);
}

static void test_no_process(void **state)
{
	struct process process;
	pid_t child = start_child(NULL);
	end_child(child);
	struct error *error = process_read(child, &process);
	assert_non_null(error);
	assert_int_equal(error->kind, ERROR_GONE);
	error_free(error);
	struct target_facts facts;
	facts_collect_target(child, &facts);
	assert_false(facts.exists);
	assert_int_equal(facts.read_errno, FACTS_NOT_TRIED);
}

static void test_command(void **state)
{
	static const struct {
		const char *words;
		size_t size;
		const char *text;
	} cases[] = {
		{ "python3\0app.py\0", 15, "python3 app.py" },
		{ "python3\0-c\0import time\0\0", 24, "python3 -c 'import time' ''" },
		{ "cut", 3, "cut" },
		{ "", 0, "[name]" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		_cleanup_buffer_ struct buffer text = { 0 };
		_cleanup_process_ struct process process = { .name = "name" };
		buffer_add(&process.command, cases[i].words, cases[i].size);
		process_write_command(&process, &text);
		assert_string_equal(buffer_string(&text), cases[i].text);
	}
}

static void test_list(void **state)
{
	_cleanup_process_list_ struct process_list list = { 0 };
	bool found = false;
	assert_null(process_list_read(&list));
	for (size_t i = 0; i < list.pids.count; i++) {
		found = found || list.pids.data[i] == getpid();
		assert_true(i == 0 || list.pids.data[i - 1] < list.pids.data[i]);
	}
	assert_true(found);
}

static void test_facts_of_a_child(void **state)
{
	struct target_facts facts;
	pid_t child = start_child("worker");
	facts_collect_target(child, &facts);
	assert_true(facts.exists);
	assert_false(facts.hidden);
	assert_true(facts.descendant);
	assert_int_equal(facts.process, child);
	assert_int_equal(facts.parent, getpid());
	assert_int_equal(facts.tracer, 0);
	assert_string_equal(facts.name, "worker");
	assert_int_equal(facts.bits, 64);
	assert_int_equal(facts.credentials.real_uid, getuid());
	assert_int_equal(facts.same_user_namespace, FACT_YES);
	assert_int_equal(facts.read_errno, 0);
	kill(child, SIGSTOP);
	waitpid(child, NULL, WUNTRACED);
	facts_collect_target(child, &facts);
	assert_int_equal(facts.state, 'T');
	kill(child, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)child, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	facts_collect_target(child, &facts);
	assert_int_equal(facts.state, 'Z');
	assert_true(facts.exists);
	waitpid(child, NULL, 0);
}

static void *tell_tid(void *place)
{
	int *pipes = place;
	pid_t tid = (pid_t)syscall(SYS_gettid);
	char byte;
	if (write(pipes[1], &tid, sizeof tid) != sizeof tid || read(pipes[2], &byte, 1) < 0)
		return place;
	return NULL;
}

static void test_a_thread_is_no_process(void **state)
{
	int pipes[4];
	pid_t tid;
	pthread_t thread;
	struct target_facts facts;
	assert_int_equal(pipe(pipes) | pipe(pipes + 2), 0);
	assert_int_equal(pthread_create(&thread, NULL, tell_tid, pipes), 0);
	assert_int_equal(read(pipes[0], &tid, sizeof tid), sizeof tid);
	facts_collect_target(tid, &facts);
	assert_int_equal(facts.process, getpid());
	close(pipes[3]);
	pthread_join(thread, NULL);
}

static int see_dumpable(int dumpable)
{
	struct target_facts facts;
	prctl(PR_SET_DUMPABLE, dumpable);
	facts_collect_target(getpid(), &facts);
	return (int)facts.dumpable;
}

/* In a child, which is another user if it must be: of root's processes it cannot be told. */
static void test_dumpable(void **state)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		if (geteuid() == 0 && (setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0))
			_exit(77);
		_exit(see_dumpable(1) * 10 + see_dumpable(0));
	}
	waitpid(child, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, W_EXITCODE(FACT_YES * 10 + FACT_NO, 0));
}

static void test_machine(void **state)
{
	struct machine_facts facts;
	facts_collect_machine(/* try_child= */ true, &facts);
	assert_in_range(facts.yama + 1, 0, 4);
	assert_int_equal(facts.self_read_errno, 0);
	assert_int_equal(facts.child_read_errno, facts.yama == 3 ? 1 : 0);
	assert_true(facts.own.known);
	assert_int_equal(facts.own.real_uid, getuid());
	assert_true(facts.kernel[0]);
	assert_true(facts.initial_user_namespace != FACT_UNKNOWN);
}

static struct task_state wait_for_call(pid_t pid, uint16_t call)
{
	int fd = task_open(pid, pid);
	struct task_state state = { 0 };
	for (int i = 0; i < 1000 && state.syscall != call; i++, usleep(1000))
		state = task_read_call(fd);
	close(fd);
	return state;
}

/* A call in which threads only wait says that they sleep, as long as nothing stops the process: by a signal, or by a
 * tracer, even where no thread has been stopped yet. */
static void test_state_by_call(void **state)
{
	int status;
	pid_t child = start_child(NULL);
	struct task_state call = wait_for_call(child, SYS_pause);
	assert_true(call.in_syscall && task_awaits_event(&call));
	assert_int_equal(task_read_letter(child, child), 'S');
	assert_true(task_process_goes_on(child));
	call.syscall = SYS_read; /* of a file: from disk, perhaps */
	assert_false(task_awaits_event(&call));
	assert_false(task_awaits_event(&(struct task_state){ .syscall = SYS_pause }));

	kill(child, SIGSTOP);
	assert_int_equal(waitpid(child, &status, WUNTRACED), child);
	assert_false(task_process_goes_on(child));
	kill(child, SIGCONT);
	assert_int_equal(waitpid(child, &status, WCONTINUED), child);
	assert_int_equal(wait_for_call(child, SYS_pause).syscall, SYS_pause);
	assert_int_equal(ptrace(PTRACE_SEIZE, child, 0, 0), 0);
	assert_int_equal(task_read_letter(child, child), 'S');
	assert_false(task_process_goes_on(child));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_false(task_process_goes_on(child));
	assert_int_equal(task_read_letter(child, child), 'X');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ourselves),
		cmocka_unit_test(test_hostile_name),
		cmocka_unit_test(test_no_process),
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_facts_of_a_child),
		cmocka_unit_test(test_a_thread_is_no_process),
		cmocka_unit_test(test_dumpable),
		cmocka_unit_test(test_machine),
		cmocka_unit_test(test_state_by_call),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
