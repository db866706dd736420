/* target_options.c: see target_options.h. */
#include "cmd/target_options.h"

struct error *target_options_check(const struct target_options *options, char *const *words, const char *to_do)
{
	bool program = program_is_given(&options->program, words);
	if (options->pid && program)
		return error_new(ERROR_USAGE, "give either a program to start or -p PID, not both");
	if (!options->pid && !program)
		return error_new(ERROR_USAGE, "nothing to %s: give a program to start, or -p PID", to_do);
	return NULL;
}
