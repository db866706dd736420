/* main.c: from argv to a command and from its error to the exit status. What there is to run is listed in commands.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cmd/cmd.h"
#include "cmd/help.h"
#include "cmd/terminal.h"
#include "cmd/version.h"

static struct error *print_overview(void)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	help_write_overview(&text);
	return terminal_print(&text);
}

static struct error *print_version(void)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	version_write(&text);
	return terminal_print(&text);
}

static struct error *print_help(const struct command *command)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	unsigned width = terminal_width(STDOUT_FILENO);
	help_write_command(&text, command, width < 100 ? width : 100);
	return terminal_print(&text);
}

/* The command line as it was, because option_parse moves words about. */
static char **copy_words(int argc, char **argv)
{
	char **copy = calloc((size_t)argc + 1, sizeof *copy);
	if (copy)
		memcpy(copy, argv, (size_t)argc * sizeof *copy);
	return copy;
}

static struct error *run_command(const struct command *command, int argc, char **argv, int *ret_status)
{
	_cleanup_free_ char **words = copy_words(argc - 2, argv + 2);
	_cleanup_free_ unsigned char *options = calloc(1, command->options_size + 1);
	if (!words || !options)
		return &error_no_memory;
	if (command->defaults)
		memcpy(options, command->defaults, command->options_size);
	struct option_result parsed;
	struct error *error = option_parse(command->options, command->rule, words, options, &parsed);
	if (!error && parsed.help)
		error = print_help(command);
	else if (!error)
		error = command->run(&(struct invocation){ .options = options,
					     .words = parsed.words,
					     .word_count = parsed.word_count,
					     .argv = argv,
					     .argc = argc },
			ret_status);
	option_free(command->options, options);
	return error;
}

static struct error *run(int argc, char **argv, const struct command **ret_command, int *ret_status)
{
	const char *name = argc > 1 ? argv[1] : "--help";
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		return print_overview();
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
		return print_version();
	const struct command *command = command_find(name);
	if (!command)
		return command_refuse(name);
	*ret_command = command;
	return run_command(command, argc, argv, ret_status);
}

int main(int argc, char **argv)
{
	const struct command *command = NULL;
	int status = 0;
	_cleanup_error_ struct error *error = run(argc, argv, &command, &status);
	if (!error)
		return status;
	fprintf(stderr, "pyrometer%s%s: %s\n", command ? " " : "", command ? command->name : "", error_message(error));
	return status ? status : error_status(error);
}
