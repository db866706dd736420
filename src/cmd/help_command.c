/* help_command.c: `pyrometer help`, which prints what help.h writes. */
#include <stdio.h>

#include "cmd/cmd.h"
#include "cmd/help.h"
#include "cmd/terminal.h"

struct help_options {
	bool man;
};

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
	.usage = (const char *const[]){ "[COMMAND]", "--man", NULL },
	.description = "Prints the table of commands, or the help of one command as `pyrometer COMMAND --help` does.",
	.options =
		(const struct option[]){
			{ 0, "man", NULL,
				"print the manual page pyrometer(1); read it with `pyrometer help --man | man -l -`",
				OPTION_FLAG(struct help_options, man) },
			{ 0 },
		},
	.options_size = sizeof(struct help_options),
	.run = help_run,
};
