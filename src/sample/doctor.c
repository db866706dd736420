/* doctor.c: see doctor.h. A table of rules; each looks at the facts and adds at most one finding.
 *
 * The order of the rules of permission is that of the kernel (__ptrace_may_access, then the security modules): users,
 * dumpable, capabilities, Yama, SELinux and AppArmor. All that apply are told, because mending one of two helps nobody.
 */
#include "sample/doctor.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

enum { CAPABILITY_SYS_PTRACE = 19 };

static void add(struct diagnosis *d, enum finding_kind kind, const char *id, const char *remedy, const char *format,
	...) __attribute__((format(printf, 5, 6)));

static void add(
	struct diagnosis *d, enum finding_kind kind, const char *id, const char *remedy, const char *format, ...)
{
	if (d->count == DOCTOR_FINDINGS_MAX)
		return;
	struct finding *finding = &d->findings[d->count++];
	*finding = (struct finding){ .kind = kind, .id = id };
	snprintf(finding->remedy, sizeof finding->remedy, "%s", remedy);
	va_list args;
	va_start(args, format);
	vsnprintf(finding->cause, sizeof finding->cause, format, args);
	va_end(args);
}

/* ---- what the rules ask ---- */

static bool is_denied(int read_errno)
{
	return read_errno == EPERM || read_errno == EACCES;
}

static bool target_denied(const struct doctor_facts *f)
{
	return f->has_target && f->target.exists && is_denied(f->target.read_errno) && f->machine.self_read_errno == 0;
}

bool doctor_may_ptrace(const struct credentials *credentials)
{
	return credentials->effective >> CAPABILITY_SYS_PTRACE & 1;
}

static bool has_capability(const struct doctor_facts *f)
{
	return doctor_may_ptrace(&f->machine.own);
}

/* Does our capability count for the target? One of the initial user namespace counts in all that were made below it. */
static bool capability_counts(const struct doctor_facts *f)
{
	if (!has_capability(f))
		return false;
	return f->machine.initial_user_namespace == FACT_YES || f->target.same_user_namespace != FACT_NO;
}

/* The kernel wants all three numbers of the target to be our real one. */
static bool same_user(const struct doctor_facts *f)
{
	const struct credentials *own = &f->machine.own, *other = &f->target.credentials;
	return own->known && other->known && own->real_uid == other->real_uid &&
	       own->real_uid == other->effective_uid && own->real_uid == other->saved_uid &&
	       own->real_gid == other->real_gid && own->real_gid == other->effective_gid &&
	       own->real_gid == other->saved_gid;
}

/* What gives us CAP_SYS_PTRACE where we are. */
static const char *get_capability(const struct doctor_facts *f)
{
	switch (f->machine.container) {
	case CONTAINER_DOCKER:
		return "docker run --cap-add=SYS_PTRACE ... (compose: cap_add: [SYS_PTRACE]); for one that runs, "
		       "from its host: sudo pyrometer ...";
	case CONTAINER_PODMAN:
		return "podman run --cap-add=SYS_PTRACE ...";
	case CONTAINER_KUBERNETES:
		return "securityContext: {capabilities: {add: [SYS_PTRACE]}} of the container; or "
		       "kubectl debug --profile=sysadmin --target=CONTAINER POD";
	case CONTAINER_OTHER:
		return "give the container the capability CAP_SYS_PTRACE";
	default:
		return "sudo pyrometer ...";
	}
}

/* ---- rules of the target's nature ---- */

static void rule_missing(const struct doctor_facts *f, struct diagnosis *d)
{
	if (!f->has_target || f->target.exists)
		return;
	add(d, FINDING_BLOCKS, "no-process", "pyrometer ps", "there is no process %d%s", f->target.pid,
		f->machine.container ? "; a container counts its processes anew, so the number outside is another"
				     : "");
}

static void rule_hidden(const struct doctor_facts *f, struct diagnosis *d)
{
	if (f->has_target && f->target.hidden)
		add(d, FINDING_BLOCKS, "hidden", "sudo pyrometer ...",
			"process %d is another user's, and /proc hides those here (mounted with hidepid)",
			f->target.pid);
}

static void rule_thread(const struct doctor_facts *f, struct diagnosis *d)
{
	if (!f->has_target || !f->target.exists || f->target.process == f->target.pid)
		return;
	char remedy[64];
	snprintf(remedy, sizeof remedy, "-p %d", f->target.process);
	add(d, FINDING_BLOCKS, "thread", remedy, "%d is a thread of process %d, not a process", f->target.pid,
		f->target.process);
}

static void rule_zombie(const struct doctor_facts *f, struct diagnosis *d)
{
	if (f->has_target && (f->target.state == 'Z' || f->target.state == 'X'))
		add(d, FINDING_BLOCKS, "zombie", "",
			"process %d has ended; only its exit status is left, which its parent %d has not fetched",
			f->target.pid, f->target.parent);
}

static void rule_kernel_thread(const struct doctor_facts *f, struct diagnosis *d)
{
	if (f->has_target && f->target.kernel_thread)
		add(d, FINDING_BLOCKS, "kernel-thread", "pyrometer ps", "%d (%s) is a thread of the kernel",
			f->target.pid, f->target.name);
}

static void rule_bits(const struct doctor_facts *f, struct diagnosis *d)
{
	if (f->has_target && f->target.bits == 32)
		add(d, FINDING_BLOCKS, "32-bit", "run the program with a 64-bit Python",
			"process %d is a 32-bit program, and pyrometer reads 64-bit ones only", f->target.pid);
}

/* Only where nothing else is the matter, and looking inside was possible. */
static void rule_python(const struct doctor_facts *f, struct diagnosis *d)
{
	if (!f->has_target || d->count || f->target.read_errno != 0)
		return;
	if (f->inspection.found == PYTHON_NONE)
		add(d, FINDING_BLOCKS, "no-python", "pyrometer ps", "process %d (%s): %s", f->target.pid,
			f->target.name, f->inspection.why);
	else if (f->inspection.found == PYTHON_STARTING)
		add(d, FINDING_WARNS, "starting", "", "process %d: %s; a recording waits for it", f->target.pid,
			f->inspection.why);
	else if (f->inspection.found == PYTHON_UNKNOWN)
		add(d, FINDING_BLOCKS, "unreadable", "", "process %d: %s", f->target.pid, f->inspection.why);
}

/* ---- rules of permission ---- */

static void rule_system_call(const struct doctor_facts *f, struct diagnosis *d)
{
	if (f->machine.self_read_errno == 0)
		return;
	if (f->machine.own.seccomp == 2)
		add(d, FINDING_BLOCKS, "seccomp",
			f->machine.container ? get_capability(f) : "allow process_vm_readv in that filter",
			"a seccomp filter%s forbids the system call process_vm_readv",
			f->machine.container ? " of this container" : "");
	else if (f->machine.self_read_errno == ENOSYS)
		add(d, FINDING_BLOCKS, "kernel-build", "use a kernel with CONFIG_CROSS_MEMORY_ATTACH=y",
			"this kernel (%s) has no process_vm_readv: it was built without CONFIG_CROSS_MEMORY_ATTACH",
			f->machine.kernel);
	else
		add(d, FINDING_BLOCKS, "system-call", "", "process_vm_readv fails even on our own memory: %s",
			strerror(f->machine.self_read_errno));
}

static void rule_other_user(const struct doctor_facts *f, struct diagnosis *d)
{
	if (!target_denied(f) || capability_counts(f) || same_user(f) || !f->target.credentials.known)
		return;
	const struct credentials *own = &f->machine.own, *other = &f->target.credentials;
	const char *remedy = own->effective_uid == 0 || f->machine.container ? get_capability(f) : "sudo pyrometer ...";
	if (other->real_uid != other->effective_uid)
		add(d, FINDING_BLOCKS, "other-user", remedy,
			"process %d was started by user %u and runs as user %u (setuid), and we are user %u",
			f->target.pid, other->real_uid, other->effective_uid, own->real_uid);
	else if (own->real_uid != other->real_uid)
		add(d, FINDING_BLOCKS, "other-user", remedy, "process %d belongs to user %u, and we are user %u",
			f->target.pid, other->real_uid, own->real_uid);
	else
		add(d, FINDING_BLOCKS, "other-group", remedy,
			"process %d runs with other groups (%u, %u, %u) than ours (%u)", f->target.pid, other->real_gid,
			other->effective_gid, other->saved_gid, own->real_gid);
}

static void rule_dumpable(const struct doctor_facts *f, struct diagnosis *d)
{
	if (target_denied(f) && !capability_counts(f) && same_user(f) && f->target.dumpable == FACT_NO)
		add(d, FINDING_BLOCKS, "not-dumpable", get_capability(f),
			"the kernel protects the memory of process %d: its program was setuid, could not be read, or asked for it "
			"(prctl PR_SET_DUMPABLE)",
			f->target.pid);
}

static void rule_more_capabilities(const struct doctor_facts *f, struct diagnosis *d)
{
	if (!target_denied(f) || capability_counts(f) || f->target.same_user_namespace == FACT_NO)
		return;
	uint64_t more = f->target.credentials.permitted & ~f->machine.own.permitted;
	if (f->target.credentials.known && same_user(f) && more)
		add(d, FINDING_BLOCKS, "capabilities", get_capability(f),
			"process %d holds capabilities that we do not (mask %#llx)", f->target.pid,
			(unsigned long long)more);
}

static void rule_user_namespace(const struct doctor_facts *f, struct diagnosis *d)
{
	if (!target_denied(f) || capability_counts(f) || f->target.same_user_namespace != FACT_NO)
		return;
	if (has_capability(f))
		add(d, FINDING_BLOCKS, "user-namespace",
			"run pyrometer outside of this container, as root of the machine",
			"process %d is in a user namespace in which our CAP_SYS_PTRACE does not count", f->target.pid);
	else
		add(d, FINDING_BLOCKS, "user-namespace", get_capability(f),
			"process %d is in another user namespace (a rootless container)", f->target.pid);
}

static void rule_yama(const struct doctor_facts *f, struct diagnosis *d)
{
	static const char forever[] = "write kernel.yama.ptrace_scope = 1 into /etc/sysctl.d/10-ptrace.conf and reboot";
	int scope = f->machine.yama;
	bool machine_denies = !f->has_target && is_denied(f->machine.child_read_errno);
	if (scope == 3 && (target_denied(f) || machine_denies))
		add(d, FINDING_BLOCKS, "yama", forever,
			"the kernel's Yama module forbids reading any other process until the next boot (ptrace_scope is 3)");
	if (!target_denied(f) || capability_counts(f))
		return;
	if (scope == 2)
		add(d, FINDING_BLOCKS, "yama", get_capability(f),
			"the kernel's Yama module leaves reading other processes to those with CAP_SYS_PTRACE (ptrace_scope is 2)");
	else if (scope == 1 && !f->target.descendant)
		add(d, FINDING_BLOCKS, "yama",
			f->machine.container ? get_capability(f)
					     : "sudo sysctl kernel.yama.ptrace_scope=0, or sudo pyrometer ...",
			"the kernel's Yama module lets a process read only programs that it started itself (ptrace_scope is 1)");
}

static bool is_confined(const char *label)
{
	return strstr(label, "(enforce)") != NULL;
}

static void rule_security_module(const struct doctor_facts *f, struct diagnosis *d)
{
	if (!target_denied(f))
		return;
	if (f->machine.selinux_denies)
		add(d, FINDING_BLOCKS, "selinux", "sudo setsebool deny_ptrace off",
			"SELinux forbids it: its boolean deny_ptrace is on");
	if (d->count)
		return; /* a profile is a guess: it is named only where nothing certain is the cause */
	bool we = is_confined(f->machine.own.label), it = is_confined(f->target.credentials.label);
	if (we || it)
		add(d, FINDING_BLOCKS, "apparmor",
			f->machine.container == CONTAINER_DOCKER ? "docker run --security-opt apparmor=unconfined ..."
								 : "let that AppArmor profile allow ptrace (read)",
			"most probably AppArmor forbids it: %s is confined by the profile %s",
			we ? "pyrometer" : "the target", we ? f->machine.own.label : f->target.credentials.label);
	else if (f->machine.selinux)
		add(d, FINDING_BLOCKS, "selinux", "sudo ausearch -m avc -ts recent",
			"most probably SELinux forbids it (we are %s, the target is %s)", f->machine.own.label,
			f->target.credentials.label);
}

static void rule_unknown_denial(const struct doctor_facts *f, struct diagnosis *d)
{
	if (d->count)
		return;
	if (target_denied(f))
		add(d, FINDING_BLOCKS, "denied", f->machine.own.effective_uid ? "sudo pyrometer ..." : "",
			"the kernel refuses to let us read process %d (%s), and no cause can be seen from here",
			f->target.pid, strerror(f->target.read_errno));
	else if (!f->has_target && f->machine.child_read_errno > 0)
		add(d, FINDING_BLOCKS, "denied", "", "reading a program that we start ourselves fails: %s",
			strerror(f->machine.child_read_errno));
}

/* ---- rules of what to know ---- */

static void rule_stopped(const struct doctor_facts *f, struct diagnosis *d)
{
	if (!f->has_target || f->target.state != 'T')
		return;
	char remedy[64];
	snprintf(remedy, sizeof remedy, "kill -CONT %d", f->target.pid);
	add(d, FINDING_WARNS, "stopped", remedy,
		"process %d is stopped by a signal: it can be read, but it does nothing", f->target.pid);
}

static void rule_traced(const struct doctor_facts *f, struct diagnosis *d)
{
	if (f->has_target && f->target.tracer && !f->target.descendant)
		add(d, FINDING_WARNS, "traced", "",
			"process %d is being traced by process %d (a debugger, strace): it can be sampled, but not with --blocking",
			f->target.pid, f->target.tracer);
}

/* What one may expect of `-p` before a process is named. */
static void rule_machine(const struct doctor_facts *f, struct diagnosis *d)
{
	if (f->has_target || d->count || has_capability(f))
		return;
	if (f->machine.yama == 1 || f->machine.yama == 2)
		add(d, FINDING_WARNS, "yama", get_capability(f),
			"programs that pyrometer starts can be sampled, those that run already cannot (Yama, ptrace_scope is %d)",
			f->machine.yama);
	else
		add(d, FINDING_WARNS, "own-only", get_capability(f),
			"only processes of our own user (%u) can be sampled, because CAP_SYS_PTRACE is missing",
			f->machine.own.real_uid);
}

static void rule_own_namespace(const struct doctor_facts *f, struct diagnosis *d)
{
	if (!f->has_target && !d->count && has_capability(f) && f->machine.initial_user_namespace == FACT_NO)
		add(d, FINDING_WARNS, "user-namespace", "",
			"our CAP_SYS_PTRACE counts in this user namespace only: processes outside of it cannot be sampled");
}

void doctor_decide(const struct doctor_facts *facts, struct diagnosis *ret_diagnosis)
{
	static void (*const rules[])(const struct doctor_facts *, struct diagnosis *) = {
		rule_missing,
		rule_hidden,
		rule_thread,
		rule_zombie,
		rule_kernel_thread,
		rule_bits,
		rule_system_call,
		rule_other_user,
		rule_dumpable,
		rule_more_capabilities,
		rule_user_namespace,
		rule_yama,
		rule_security_module,
		rule_unknown_denial,
		rule_python,
		rule_stopped,
		rule_traced,
		rule_machine,
		rule_own_namespace,
	};
	struct diagnosis diagnosis = { 0 };
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		rules[i](facts, &diagnosis);
	*ret_diagnosis = diagnosis;
}

bool doctor_can_sample(const struct diagnosis *diagnosis)
{
	for (size_t i = 0; i < diagnosis->count; i++)
		if (diagnosis->findings[i].kind == FINDING_BLOCKS)
			return false;
	return true;
}

void doctor_collect(pid_t pid, struct doctor_facts *ret_facts)
{
	struct doctor_facts facts = { .has_target = pid != 0 };
	facts_collect_machine(/* try_child= */ pid == 0, &facts.machine);
	if (pid) {
		facts_collect_target(pid, &facts.target);
		inspect_process(pid, &facts.inspection);
	}
	*ret_facts = facts;
}

struct error *doctor_explain(pid_t pid, struct error *otherwise)
{
	struct doctor_facts facts;
	struct diagnosis diagnosis;
	doctor_collect(pid, &facts);
	doctor_decide(&facts, &diagnosis);
	if (doctor_can_sample(&diagnosis))
		return otherwise;
	error_free(otherwise);
	const struct finding *first = &diagnosis.findings[0];
	return error_new(ERROR_DENIED, "%s%s%s", first->cause, first->remedy[0] ? "; what helps: " : "", first->remedy);
}
