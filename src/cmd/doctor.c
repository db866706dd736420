/* doctor.c: `pyrometer doctor`: can it be sampled; if not, the exact cause and the command that mends it. The deciding
 * is done in sample/doctor.c; here it is printed. */
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/help.h"
#include "cmd/json.h"
#include "cmd/pythons.h"
#include "cmd/terminal.h"
#include "cmd/value.h"
#include "cmd/version.h"
#include "report/print.h"

struct doctor_options {
	pid_t pid;
	bool json;
};

enum {
	STATUS_CANNOT = 125,
	FINDING_INDENT = sizeof "Cause:   " - 1,
	PROCESS_COLUMNS = sizeof "process 1234567: " - 1,
};

static const char *container_name(enum container container)
{
	static const char *const names[] = {
		[CONTAINER_NONE] = "none",
		[CONTAINER_DOCKER] = "Docker",
		[CONTAINER_PODMAN] = "Podman",
		[CONTAINER_KUBERNETES] = "Kubernetes",
		[CONTAINER_OTHER] = "yes",
	};
	return names[container];
}

static const char *yama_meaning(int scope)
{
	static const char *const meanings[] = {
		"0: processes of the same user",
		"1: programs that one started",
		"2: only with CAP_SYS_PTRACE",
		"3: nobody",
	};
	return scope == FACTS_YAMA_ABSENT ? "not in this kernel" : meanings[scope];
}

static const char *security_modules(const struct machine_facts *machine)
{
	static const char *const names[] = { "none", "AppArmor", "SELinux", "AppArmor, SELinux" };
	return names[machine->apparmor + 2 * machine->selinux];
}

/* ---- for people ---- */

static void write_machine(const struct machine_facts *machine, struct buffer *text)
{
	buffer_add_string(text, "reads CPython   ");
	version_write_pythons(text);
	buffer_printf(text, "\nkernel          Linux %s\n", machine->kernel);
	buffer_printf(text, "we are          user %u, %s CAP_SYS_PTRACE%s\n", machine->own.real_uid,
		doctor_may_ptrace(&machine->own) ? "with" : "without",
		machine->initial_user_namespace == FACT_NO ? ", in a user namespace of its own" : "");
	buffer_printf(text, "Yama            %s\n", yama_meaning(machine->yama));
	buffer_printf(text, "security        %s; seccomp filter: %s\n", security_modules(machine),
		machine->own.seccomp == 2 ? "yes" : "no");
	buffer_printf(text, "container       %s\n", container_name(machine->container));
}

static void write_target(const struct doctor_facts *facts, struct buffer *text)
{
	_cleanup_process_ struct process process = { 0 };
	_cleanup_error_ struct error *error = process_read(facts->target.pid, &process);
	if (error)
		return;
	_cleanup_buffer_ struct buffer command = { 0 };
	process_write_command(&process, &command);
	buffer_printf(text, "process %d: ", facts->target.pid);
	print_add_fitted(text, print_text(&command), terminal_width(STDOUT_FILENO) - PROCESS_COLUMNS,
		/* keep_end= */ false,
		/* ascii= */ true);
	buffer_add_char(text, '\n');
	const struct inspection *inspection = &facts->inspection;
	if (inspection->found != PYTHON_READABLE)
		return;
	char version[24];
	runtime_version_text(&inspection->runtime, version);
	buffer_printf(text, "Python %s%s%s, in ", version, inspection->debug ? ", a debug build" : "",
		inspection->runtime.free_threaded ? ", free-threaded" : "");
	print_add_text(text, (struct text){ inspection->runtime.path, strlen(inspection->runtime.path) });
	buffer_add_char(text, '\n');
}

static void write_findings(const struct diagnosis *diagnosis, struct buffer *text)
{
	for (size_t i = 0; i < diagnosis->count; i++) {
		const struct finding *finding = &diagnosis->findings[i];
		buffer_add_string(text, finding->kind == FINDING_BLOCKS ? "\nCause:   " : "\nNote:    ");
		help_wrap(text, finding->cause, FINDING_INDENT, FINDING_INDENT, terminal_width(STDOUT_FILENO));
		if (finding->remedy[0])
			buffer_printf(text, "Remedy:  %s\n", finding->remedy);
	}
}

static void write_verdict(const struct doctor_facts *facts, const struct diagnosis *diagnosis, struct buffer *text)
{
	bool can = doctor_can_sample(diagnosis);
	if (!facts->has_target)
		buffer_printf(text, "\nPrograms that pyrometer starts %s be sampled here.\n", can ? "can" : "cannot");
	else if (can)
		buffer_printf(text, "It can be sampled: pyrometer record -p %d\n", facts->target.pid);
	else
		buffer_printf(text, "Process %d cannot be sampled.\n", facts->target.pid);
}

static struct error *write_pythons(struct buffer *text)
{
	_cleanup_pythons_ struct pythons pythons = { 0 };
	TRY(pythons_find(&pythons));
	buffer_add_string(text, pythons.items.count ? "\nPython processes:\n" : "\nNo Python process runs here.\n");
	pythons_write_table(&pythons, terminal_width(STDOUT_FILENO), text);
	return NULL;
}

static struct error *write_text(
	const struct doctor_facts *facts, const struct diagnosis *diagnosis, struct buffer *text)
{
	if (facts->has_target)
		write_target(facts, text);
	else
		write_machine(&facts->machine, text);
	write_verdict(facts, diagnosis, text);
	write_findings(diagnosis, text);
	return facts->has_target ? NULL : write_pythons(text);
}

/* ---- for programs ---- */

static const char *fact_name(enum fact fact)
{
	return fact == FACT_YES ? "yes" : fact == FACT_NO ? "no" : NULL;
}

static void write_json_credentials(const struct credentials *credentials, struct json *json)
{
	json_number(json, "user", credentials->real_uid);
	json_number(json, "effective_user", credentials->effective_uid);
	json_number(json, "group", credentials->real_gid);
	json_bool(json, "cap_sys_ptrace", doctor_may_ptrace(credentials));
	json_number(json, "seccomp", credentials->seccomp);
	json_bool(json, "no_new_privileges", credentials->no_new_privileges);
	json_text(json, "label", credentials->label);
}

static void write_json_machine(const struct machine_facts *machine, struct json *json)
{
	json_open(json, "machine", '{');
	json_text(json, "kernel", machine->kernel);
	if (machine->yama == FACTS_YAMA_ABSENT)
		json_text(json, "yama", NULL);
	else
		json_number(json, "yama", machine->yama);
	json_bool(json, "apparmor", machine->apparmor);
	json_bool(json, "selinux", machine->selinux);
	json_text(json, "container", container_name(machine->container));
	json_text(json, "initial_user_namespace", fact_name(machine->initial_user_namespace));
	write_json_credentials(&machine->own, json);
	json_close(json, '}');
}

static void write_json_target(const struct doctor_facts *facts, struct json *json)
{
	const struct target_facts *target = &facts->target;
	char version[24];
	json_open(json, "target", '{');
	json_number(json, "pid", target->pid);
	json_bool(json, "exists", target->exists);
	if (target->credentials.known) {
		json_text(json, "name", target->name);
		json_bytes(json, "state", (struct text){ &target->state, 1 });
		json_text(json, "dumpable", fact_name(target->dumpable));
		json_text(json, "same_user_namespace", fact_name(target->same_user_namespace));
		write_json_credentials(&target->credentials, json);
	}
	if (facts->inspection.found == PYTHON_READABLE)
		runtime_version_text(&facts->inspection.runtime, version);
	json_text(json, "python", facts->inspection.found == PYTHON_READABLE ? version : NULL);
	json_close(json, '}');
}

static void write_json(const struct doctor_facts *facts, const struct diagnosis *diagnosis, struct buffer *text)
{
	struct json json = { .out = text };
	json_open(&json, NULL, '{');
	json_text(&json, "schema", "pyrometer.doctor/1");
	json_bool(&json, "can_sample", doctor_can_sample(diagnosis));
	json_open(&json, "findings", '[');
	for (size_t i = 0; i < diagnosis->count; i++) {
		json_open(&json, NULL, '{');
		json_text(&json, "id", diagnosis->findings[i].id);
		json_bool(&json, "blocks", diagnosis->findings[i].kind == FINDING_BLOCKS);
		json_text(&json, "cause", diagnosis->findings[i].cause);
		json_text(&json, "remedy", diagnosis->findings[i].remedy);
		json_close(&json, '}');
	}
	json_close(&json, ']');
	write_json_machine(&facts->machine, &json);
	if (facts->has_target)
		write_json_target(facts, &json);
	json_close(&json, '}');
}

static struct error *doctor_run(const struct invocation *invocation, int *ret_status)
{
	const struct doctor_options *options = invocation->options;
	pid_t pid = options->pid;
	if (invocation->word_count > (pid ? 0 : 1))
		return error_new(ERROR_USAGE, "doctor looks at one process at a time: '%s' is one word too many",
			invocation->words[pid ? 0 : 1]);
	if (invocation->word_count && !value_parse_pid(invocation->words[0], &pid))
		return error_new(
			ERROR_USAGE, "'%s' is no process number; `pyrometer ps` lists them", invocation->words[0]);
	struct doctor_facts facts;
	struct diagnosis diagnosis;
	_cleanup_buffer_ struct buffer text = { 0 };
	doctor_collect(pid, &facts);
	doctor_decide(&facts, &diagnosis);
	if (options->json)
		write_json(&facts, &diagnosis, &text);
	else
		TRY(write_text(&facts, &diagnosis, &text));
	TRY(terminal_print(&text));
	*ret_status = doctor_can_sample(&diagnosis) ? 0 : STATUS_CANNOT;
	return NULL;
}

const struct command doctor_command = {
	.name = "doctor",
	.question = "Will it work here?",
	.summary = "can it be sampled; if not, the exact cause and the command that mends it",
	.usage = (const char *const[]){ "[--json]", "[--json] -p PID", NULL },
	.description =
		"Without a process: which Pythons are supported, what this machine allows, and which Pythons run here. With one: "
		"whether it can be sampled. The causes are found from facts: the users and capabilities of both, Yama, seccomp, "
		"SELinux and AppArmor, namespaces and containers, and a trial read.\n\n"
		"The exit status is 0 when it can be sampled and 125 when it cannot.",
	.options =
		(const struct option[]){
			{ 'p', "pid", "PID", "look at this process", OPTION_PID(struct doctor_options, pid) },
			{ 0, "json", NULL, "print JSON, schema pyrometer.doctor/1",
				OPTION_FLAG(struct doctor_options, json) },
			{ 0 },
		},
	.options_size = sizeof(struct doctor_options),
	.examples =
		(const struct example[]){
			{ "doctor", "what can be done on this machine?" },
			{ "doctor -p 4242", "why does `pyrometer record -p 4242` not work?" },
			{ NULL, NULL },
		},
	.run = doctor_run,
};
