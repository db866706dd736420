/* help_command.c: `pyrometer help`, which prints what help.h writes. */
#include <stdio.h>

#include "base/cleanup.h"
#include "cmd/cmd.h"
#include "cmd/help.h"
#include "cmd/terminal.h"
#include "inject/agent_file.h"

struct help_options {
	bool man, agent, memory_agent;
};

/* For the Python package, which loads it into its own process. */
static struct error *print_agent(enum agent_kind kind)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_buffer_ struct buffer text = { 0 };
	TRY(agent_file_make(kind, &path));
	buffer_printf(&text, "%s\n", path);
	return terminal_print(&text);
}

static struct error *help_run(const struct invocation *invocation, int *ret_status)
{
	const struct help_options *options = invocation->options;
	_cleanup_buffer_ struct buffer text = { 0 };
	const char *name = invocation->words[0];
	if (invocation->word_count > 1)
		return error_new(ERROR_USAGE, "help takes one command at a time, not also '%s'", invocation->words[1]);
	const struct command *command = name ? command_find(name) : NULL;
	if (name && !command)
		return command_refuse(name);
	if (name && options->man)
		return error_new(ERROR_USAGE, "--man prints the one manual page of all commands: leave '%s' out", name);
	bool agent = options->agent || options->memory_agent;
	if (agent && (name || options->man))
		return error_new(ERROR_USAGE, "--agent stands alone: leave '%s' out", name ? name : "--man");
	if (agent)
		return print_agent(options->memory_agent ? AGENT_MEMORY : AGENT_CALLS);
	if (options->man)
		help_write_man(&text);
	else if (command)
		help_write_command(&text, command, terminal_width(STDOUT_FILENO));
	else
		help_write_overview(&text);
	return terminal_print(&text);
}

const struct command help_command = {
	.name = "help",
	.question = "How is it used?",
	.summary = "explain a command, or print the manual page",
	.usage = (const char *const[]){ "[COMMAND]", "--man", "--agent", "--memory-agent", NULL },
	.description = "Prints the table of commands, or the help of one command as `pyrometer COMMAND --help` does.",
	.options =
		(const struct option[]){
			{ 0, "man", NULL,
				"print the manual page pyrometer(1); read it with `pyrometer help --man | man -l -`",
				OPTION_FLAG(struct help_options, man) },
			{ 0, "agent", NULL,
				"print where the library lies that is loaded into programs; it is written there if it is not",
				OPTION_FLAG(struct help_options, agent) },
			{ 0, "memory-agent", NULL, "the same of the one that measures memory",
				OPTION_FLAG(struct help_options, memory_agent) },
			{ 0 },
		},
	.options_size = sizeof(struct help_options),
	.run = help_run,
};
