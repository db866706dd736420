/* test_doctor.c: machines that somebody may have, as facts, and what the doctor must say of each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "sample/doctor.h"

static const uint64_t sys_ptrace = 1ull << 19;

static struct credentials user(uid_t uid)
{
	return (struct credentials){ .known = true,
		.real_uid = uid,
		.effective_uid = uid,
		.saved_uid = uid,
		.real_gid = uid,
		.effective_gid = uid,
		.saved_gid = uid };
}

static struct credentials root(void)
{
	struct credentials credentials = user(0);
	credentials.permitted = credentials.effective = 0x1ffffffffff;
	return credentials;
}

/* User 1000 on a machine without Yama looks at their own Python: nothing is wrong. */
static struct doctor_facts healthy(void)
{
	return (struct doctor_facts){
		.machine = { .kernel = "6.1.0",
			.yama = FACTS_YAMA_ABSENT,
			.initial_user_namespace = FACT_YES,
			.own = user(1000) },
		.has_target = true,
		.target = { .pid = 42,
			.exists = true,
			.process = 42,
			.parent = 7,
			.state = 'S',
			.name = "python3",
			.credentials = user(1000),
			.dumpable = FACT_YES,
			.same_user_namespace = FACT_YES,
			.bits = 64 },
		.inspection = { .found = PYTHON_READABLE },
	};
}

static struct doctor_facts denied(void)
{
	struct doctor_facts facts = healthy();
	facts.target.read_errno = EPERM;
	facts.inspection.found = PYTHON_UNKNOWN;
	return facts;
}

static void expect_count(const struct doctor_facts *facts, size_t count, struct diagnosis *ret_diagnosis)
{
	doctor_decide(facts, ret_diagnosis);
	assert_int_equal(ret_diagnosis->count, count);
}

/* Exactly this one finding, of this kind; its cause and its remedy contain these words. */
static void expect(
	const struct doctor_facts *facts, enum finding_kind kind, const char *id, const char *cause, const char *remedy)
{
	struct diagnosis diagnosis;
	expect_count(facts, 1, &diagnosis);
	assert_string_equal(diagnosis.findings[0].id, id);
	assert_int_equal(diagnosis.findings[0].kind, kind);
	assert_non_null(strstr(diagnosis.findings[0].cause, cause));
	assert_non_null(strstr(diagnosis.findings[0].remedy, remedy));
	assert_int_equal(doctor_can_sample(&diagnosis), kind != FINDING_BLOCKS);
}

static void test_nothing_is_wrong(void **state)
{
	struct doctor_facts facts = healthy();
	struct diagnosis diagnosis;
	expect_count(&facts, 0, &diagnosis);
	assert_true(doctor_can_sample(&diagnosis));
	facts.machine.yama = 1; /* but the read went well: it may have been allowed by PR_SET_PTRACER */
	expect_count(&facts, 0, &diagnosis);
}

static void test_yama(void **state)
{
	struct doctor_facts facts = denied();
	facts.machine.yama = 1;
	expect(&facts, FINDING_BLOCKS, "yama", "ptrace_scope is 1", "sysctl kernel.yama.ptrace_scope=0");
	facts.machine.yama = 2;
	expect(&facts, FINDING_BLOCKS, "yama", "ptrace_scope is 2", "sudo");
	facts.machine.yama = 3;
	expect(&facts, FINDING_BLOCKS, "yama", "ptrace_scope is 3", "reboot");
	facts.machine.own = root(); /* not even root may, then */
	expect(&facts, FINDING_BLOCKS, "yama", "ptrace_scope is 3", "reboot");
	facts.machine.yama = 0;
	facts.machine.own = user(1000);
	expect(&facts, FINDING_BLOCKS, "denied", "no cause can be seen", "sudo");
}

static void test_yama_lets_parents(void **state)
{
	struct doctor_facts facts = denied();
	facts.machine.yama = 1;
	facts.target.descendant = true;
	facts.target.dumpable = FACT_NO;
	expect(&facts, FINDING_BLOCKS, "not-dumpable", "protects the memory", "sudo");
}

static void test_yama_in_a_container(void **state)
{
	struct doctor_facts facts = denied();
	facts.machine.yama = 1;
	facts.machine.container = CONTAINER_DOCKER;
	expect(&facts, FINDING_BLOCKS, "yama", "ptrace_scope is 1", "--cap-add=SYS_PTRACE");
}

static void test_other_user(void **state)
{
	struct doctor_facts facts = denied();
	facts.target.credentials = user(33);
	expect(&facts, FINDING_BLOCKS, "other-user", "belongs to user 33, and we are user 1000", "sudo");
	facts.machine.yama = 1; /* both are in the way: both are told */
	struct diagnosis diagnosis;
	expect_count(&facts, 2, &diagnosis);
	assert_string_equal(diagnosis.findings[0].id, "other-user");
	assert_string_equal(diagnosis.findings[1].id, "yama");
}

static void test_other_group(void **state)
{
	struct doctor_facts facts = denied();
	facts.target.credentials.effective_gid = 5;
	expect(&facts, FINDING_BLOCKS, "other-group", "other groups", "sudo");
}

static void test_setuid(void **state)
{
	struct doctor_facts facts = denied();
	facts.target.credentials.effective_uid = 0;
	expect(&facts, FINDING_BLOCKS, "other-user", "(setuid)", "sudo");
}

static void test_root_without_the_capability(void **state)
{
	struct doctor_facts facts = denied();
	facts.machine.own = root();
	facts.machine.own.effective &= ~sys_ptrace;
	facts.machine.own.permitted &= ~sys_ptrace;
	facts.machine.container = CONTAINER_KUBERNETES;
	facts.target.credentials = user(1000);
	expect(&facts, FINDING_BLOCKS, "other-user", "belongs to user 1000", "add: [SYS_PTRACE]");
}

static void test_more_capabilities(void **state)
{
	struct doctor_facts facts = denied();
	facts.target.credentials.permitted = 1 << 10; /* a web server that may bind port 80 */
	expect(&facts, FINDING_BLOCKS, "capabilities", "mask 0x400", "sudo");
}

static void test_user_namespaces(void **state)
{
	struct doctor_facts facts = denied();
	facts.target.same_user_namespace = FACT_NO;
	expect(&facts, FINDING_BLOCKS, "user-namespace", "rootless container", "sudo");
	facts.machine.own = root(); /* of a namespace of its own, looking out of it */
	facts.machine.initial_user_namespace = FACT_NO;
	facts.target.credentials = user(0);
	expect(&facts, FINDING_BLOCKS, "user-namespace", "does not count", "outside of this container");
}

static void test_capability_inside_a_namespace_counts_there(void **state)
{
	struct doctor_facts facts = denied();
	facts.machine.own = root();
	facts.machine.initial_user_namespace = FACT_NO;
	facts.machine.yama = 2;
	facts.target.credentials = user(33);
	facts.target.same_user_namespace = FACT_YES;
	expect(&facts, FINDING_BLOCKS, "denied", "no cause can be seen", "");
}

static void test_docker_seccomp(void **state)
{
	struct doctor_facts facts = denied();
	facts.machine.own = root();
	facts.machine.own.effective = facts.machine.own.permitted = 0xa80425fb; /* Docker's default set */
	facts.machine.own.seccomp = 2;
	facts.machine.container = CONTAINER_DOCKER;
	facts.machine.self_read_errno = EPERM;
	facts.target.credentials = facts.machine.own;
	expect(&facts, FINDING_BLOCKS, "seccomp", "of this container forbids", "docker run --cap-add=SYS_PTRACE");
	facts.machine.container = CONTAINER_PODMAN;
	facts.machine.self_read_errno = ENOSYS;
	expect(&facts, FINDING_BLOCKS, "seccomp", "forbids", "podman run --cap-add=SYS_PTRACE");
	facts.machine.container = CONTAINER_NONE;
	expect(&facts, FINDING_BLOCKS, "seccomp", "forbids", "allow process_vm_readv");
}

static void test_kernel_without_the_call(void **state)
{
	struct doctor_facts facts = denied();
	facts.machine.self_read_errno = ENOSYS;
	facts.target.read_errno = ENOSYS;
	expect(&facts, FINDING_BLOCKS, "kernel-build", "CONFIG_CROSS_MEMORY_ATTACH", "CONFIG_CROSS_MEMORY_ATTACH=y");
}

static void test_security_modules(void **state)
{
	struct doctor_facts facts = denied();
	facts.machine.selinux = facts.machine.selinux_denies = true;
	expect(&facts, FINDING_BLOCKS, "selinux", "deny_ptrace is on", "setsebool deny_ptrace off");
	facts.machine.selinux_denies = false;
	expect(&facts, FINDING_BLOCKS, "selinux", "most probably", "ausearch");
	facts.machine.selinux = false;
	facts.machine.apparmor = true;
	facts.machine.container = CONTAINER_DOCKER;
	memcpy(facts.machine.own.label, "docker-default (enforce)", sizeof "docker-default (enforce)");
	expect(&facts, FINDING_BLOCKS, "apparmor", "docker-default", "apparmor=unconfined");
	facts.machine.yama = 1; /* a certain cause: no guess beside it */
	expect(&facts, FINDING_BLOCKS, "yama", "ptrace_scope is 1", "SYS_PTRACE");
}

static void test_no_process(void **state)
{
	struct doctor_facts facts = healthy();
	facts.target = (struct target_facts){ .pid = 42, .process = 42, .read_errno = FACTS_NOT_TRIED };
	facts.inspection.found = PYTHON_UNKNOWN;
	expect(&facts, FINDING_BLOCKS, "no-process", "there is no process 42", "pyrometer ps");
	facts.machine.container = CONTAINER_OTHER;
	expect(&facts, FINDING_BLOCKS, "no-process", "counts its processes anew", "pyrometer ps");
}

static void test_hidden_process(void **state)
{
	struct doctor_facts facts = denied();
	facts.target.hidden = true;
	facts.target.credentials.known = false;
	struct diagnosis diagnosis;
	expect_count(&facts, 1, &diagnosis);
	assert_string_equal(diagnosis.findings[0].id, "hidden");
}

static void test_no_process_of_its_own(void **state)
{
	struct doctor_facts facts = healthy();
	facts.target.process = 41;
	expect(&facts, FINDING_BLOCKS, "thread", "42 is a thread of process 41", "-p 41");
	facts = healthy();
	facts.target.state = 'Z';
	facts.target.read_errno = ESRCH;
	facts.inspection.found = PYTHON_UNKNOWN;
	expect(&facts, FINDING_BLOCKS, "zombie", "has ended", "");
	facts = healthy();
	facts.target.kernel_thread = true;
	facts.target.read_errno = ESRCH;
	facts.inspection.found = PYTHON_NONE;
	expect(&facts, FINDING_BLOCKS, "kernel-thread", "a thread of the kernel", "pyrometer ps");
}

static void test_what_is_not_read(void **state)
{
	struct doctor_facts facts = healthy();
	facts.target.bits = 32;
	facts.inspection.found = PYTHON_NONE;
	expect(&facts, FINDING_BLOCKS, "32-bit", "32-bit program", "64-bit Python");
	facts.target.bits = 64;
	static const char pypy[] = "it runs PyPy, and pyrometer reads CPython only";
	memcpy(facts.inspection.why, pypy, sizeof pypy);
	expect(&facts, FINDING_BLOCKS, "no-python", pypy, "pyrometer ps");
	facts.inspection.found = PYTHON_STARTING;
	expect(&facts, FINDING_WARNS, "starting", "waits for it", "");
}

static void test_what_to_know(void **state)
{
	struct doctor_facts facts = healthy();
	facts.target.state = 'T';
	expect(&facts, FINDING_WARNS, "stopped", "does nothing", "kill -CONT 42");
	facts.target.state = 'S';
	facts.target.tracer = 99;
	expect(&facts, FINDING_WARNS, "traced", "by process 99", "");
}

static void test_machine(void **state)
{
	struct doctor_facts facts = healthy();
	facts.has_target = false;
	facts.target = (struct target_facts){ 0 };
	expect(&facts, FINDING_WARNS, "own-only", "user (1000)", "sudo");
	facts.machine.yama = 1;
	expect(&facts, FINDING_WARNS, "yama", "those that run already cannot", "sudo");
	facts.machine.own = root();
	struct diagnosis diagnosis;
	expect_count(&facts, 0, &diagnosis);
	facts.machine.initial_user_namespace = FACT_NO;
	expect(&facts, FINDING_WARNS, "user-namespace", "this user namespace only", "");
	facts.machine.yama = 3;
	facts.machine.child_read_errno = EPERM;
	expect(&facts, FINDING_BLOCKS, "yama", "ptrace_scope is 3", "reboot");
	facts.machine.yama = 0;
	expect(&facts, FINDING_BLOCKS, "denied", "that we start ourselves", "");
}

/* Whatever the facts, the doctor says something: a refused read never ends without a blocking finding. */
static void test_every_refusal_has_a_finding(void **state)
{
	for (unsigned bits = 0; bits < 1 << 12; bits++) {
		struct doctor_facts facts = denied();
		facts.machine.yama = (int)(bits & 3) - (bits & 4 ? 1 : 0);
		facts.machine.own = bits & 8 ? root() : user(1000);
		facts.machine.container = bits & 16 ? CONTAINER_DOCKER : CONTAINER_NONE;
		facts.machine.initial_user_namespace = bits & 32 ? FACT_NO : FACT_YES;
		facts.machine.self_read_errno = bits & 64 ? EPERM : 0;
		facts.machine.own.seccomp = bits & 128 ? 2 : 0;
		facts.target.same_user_namespace = bits & 256 ? FACT_NO : FACT_UNKNOWN;
		facts.target.dumpable = bits & 512 ? FACT_NO : FACT_UNKNOWN;
		facts.target.credentials.known = bits & 1024;
		facts.machine.apparmor = facts.machine.selinux = bits & 2048;
		struct diagnosis diagnosis;
		doctor_decide(&facts, &diagnosis);
		assert_false(doctor_can_sample(&diagnosis));
		assert_true(diagnosis.findings[0].cause[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_wrong),
		cmocka_unit_test(test_yama),
		cmocka_unit_test(test_yama_lets_parents),
		cmocka_unit_test(test_yama_in_a_container),
		cmocka_unit_test(test_other_user),
		cmocka_unit_test(test_other_group),
		cmocka_unit_test(test_setuid),
		cmocka_unit_test(test_root_without_the_capability),
		cmocka_unit_test(test_more_capabilities),
		cmocka_unit_test(test_user_namespaces),
		cmocka_unit_test(test_capability_inside_a_namespace_counts_there),
		cmocka_unit_test(test_docker_seccomp),
		cmocka_unit_test(test_kernel_without_the_call),
		cmocka_unit_test(test_security_modules),
		cmocka_unit_test(test_no_process),
		cmocka_unit_test(test_hidden_process),
		cmocka_unit_test(test_no_process_of_its_own),
		cmocka_unit_test(test_what_is_not_read),
		cmocka_unit_test(test_what_to_know),
		cmocka_unit_test(test_machine),
		cmocka_unit_test(test_every_refusal_has_a_finding),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
