/* commands.c: the list of commands, in the order in which they are shown. Each is described in its own file (cmd.h). */
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/nearest.h"

extern const struct command record_command, calls_command, lines_command, memory_command, report_command, dump_command,
	ps_command, doctor_command, help_command;

const struct command *const commands[] = {
	&record_command,
	&calls_command,
	&lines_command,
	&memory_command,
	&report_command,
	&dump_command,
	&ps_command,
	&doctor_command,
	&help_command,
	NULL,
};

const struct command *command_find(const char *name)
{
	for (const struct command *const *at = commands; *at; at++)
		if (strcmp((*at)->name, name) == 0)
			return *at;
	return NULL;
}

struct error *command_refuse(const char *name)
{
	struct nearest nearest;
	nearest_init(&nearest, name, strlen(name));
	for (const struct command *const *at = commands; *at; at++)
		nearest_offer(&nearest, (*at)->name);
	if (nearest.best)
		return error_new(ERROR_USAGE, "there is no command '%s'; the nearest is '%s'", name, nearest.best);
	return error_new(ERROR_USAGE, "there is no command '%s'; `pyrometer` alone lists them", name);
}
