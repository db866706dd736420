/* ps.c: `pyrometer ps`: which Pythons run here, and which of them can be sampled. Answers "which PID?". */
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/json.h"
#include "cmd/pythons.h"
#include "cmd/terminal.h"

struct ps_options {
	bool json;
};

static void write_words(struct json *json, const struct process *process)
{
	json_open(json, "command", '[');
	const struct buffer *command = &process->command;
	for (size_t at = 0; at < command->size;) {
		size_t length = strnlen(command->data + at, command->size - at);
		json_bytes(json, NULL, (struct text){ command->data + at, length });
		at += length + 1;
	}
	json_close(json, ']');
}

static void write_json_process(struct json *json, const struct python_process *python)
{
	const struct process *process = &python->process;
	const struct inspection *inspection = &python->inspection;
	bool known = inspection->found == PYTHON_READABLE;
	char version[24];
	json_open(json, NULL, '{');
	json_number(json, "pid", process->pid);
	json_number(json, "parent", process->parent);
	json_number(json, "user", python->user);
	if (known)
		runtime_version_text(&inspection->runtime, version);
	json_text(json, "python", known ? version : NULL);
	json_text(json, "build", known ? inspection->runtime.shared ? "shared" : "static" : NULL);
	if (known) {
		json_bool(json, "debug", inspection->debug);
		json_bool(json, "free_threaded", inspection->runtime.free_threaded);
	}
	json_number(json, "threads", process->thread_count);
	json_seconds(json, "age_seconds", process->age_ns);
	json_seconds(json, "cpu_seconds", process->cpu_ns);
	json_bool(json, "readable", python->readable);
	if (!python->readable) {
		json_text(json, "cause", python->finding.cause);
		json_text(json, "remedy", python->finding.remedy);
	}
	json_text(json, "executable", process->executable);
	write_words(json, process);
	json_close(json, '}');
}

static void write_json(const struct pythons *pythons, struct buffer *text)
{
	struct json json = { .out = text };
	json_open(&json, NULL, '{');
	json_text(&json, "schema", "pyrometer.ps/1");
	json_open(&json, "processes", '[');
	for (size_t i = 0; i < pythons->items.count; i++)
		write_json_process(&json, &pythons->items.data[i]);
	json_close(&json, ']');
	json_close(&json, '}');
}

static struct error *ps_run(const struct invocation *invocation, int *ret_status)
{
	const struct ps_options *options = invocation->options;
	if (invocation->word_count)
		return error_new(ERROR_USAGE,
			"'%s' is one word too many: ps lists all Python processes; for one of them: "
			"pyrometer doctor -p PID",
			invocation->words[0]);
	_cleanup_pythons_ struct pythons pythons = { 0 };
	_cleanup_buffer_ struct buffer text = { 0 };
	TRY(pythons_find(&pythons));
	if (options->json)
		write_json(&pythons, &text);
	else if (pythons.items.count)
		pythons_write_table(&pythons, terminal_width(STDOUT_FILENO), &text);
	else
		buffer_add_string(&text, "no Python process runs here\n");
	return terminal_print(&text);
}

const struct command ps_command = {
	.name = "ps",
	.question = "What is it doing right now?",
	.summary = "list the Python processes of this machine, and which can be read",
	.usage = (const char *const[]){ "[--json]", NULL },
	.description =
		"Lists every Python process: its number, which Python it is and how that was built (static: the interpreter is in "
		"the executable; shared: in libpython), how long it has run, how much CPU time it has had (minutes:seconds), and "
		"whether it can be read by us; if not, why.\n\n"
		"A process is recognised by the interpreter in its memory, whatever its name. Of processes that we may not read, "
		"those are listed whose name begins with python or pypy.",
	.options =
		(const struct option[]){
			{ 0, "json", NULL, "print JSON, schema pyrometer.ps/1", OPTION_FLAG(struct ps_options, json) },
			{ 0 },
		},
	.options_size = sizeof(struct ps_options),
	.examples =
		(const struct example[]){
			{ "ps", "which PID is it?" },
			{ NULL, NULL },
		},
	.run = ps_run,
};
