/* cmd.h: what a command is. One file a command, which opens with its `const struct command`; commands.c only lists
 * them.
 *
 *     struct dump_options { pid_t pid; bool json; };
 *     static const struct option dump_options[] = { ..., { 0 } };
 *     static struct error *dump_run(const struct invocation *invocation, int *ret_status);
 *     const struct command dump_command = { .name = "dump", .options = dump_options, .run = dump_run, ... };
 *
 * main.c makes room for the command's own options struct, fills it from `defaults` and the words that were typed,
 * answers
 * `--help`, and calls `run`. An error that `run` returns is printed as one sentence, "pyrometer dump: ...". The exit
 * status is *ret_status, 0 beforehand, which may be set beside an error: a failing target's own status wins. Else it is
 * the error's (error_status).
 */
#pragma once
#include "cmd/option.h"

struct invocation {
	const void *options; /* the command's own struct, filled */
	char *const *words;  /* what was no option: the target, a PID, files; then NULL */
	size_t word_count;
	char *const *argv; /* the whole command line as typed, from "pyrometer" on, then NULL; for recordings */
	int argc;
};

struct example {
	const char *command; /* without "pyrometer " */
	const char *what;
};

struct command {
	const char *name;
	const char *question; /* what it answers; commands with the same question stand together, in the order listed */
	const char *summary;  /* a phrase, for the table of commands */
	const char *const *usage; /* each line after "pyrometer NAME "; then NULL */
	const char *description;  /* paragraphs, separated by "\n\n", without other line breaks */
	const struct option *options;
	enum option_rule rule;
	const void *defaults;		/* of the options struct; NULL: all zero */
	size_t options_size;		/* of that struct */
	const struct example *examples; /* ends with a NULL command; or NULL */
	struct error *(*run)(const struct invocation *invocation, int *ret_status);
};

/* All commands, then NULL (commands.c). */
extern const struct command *const commands[];
const struct command *command_find(const char *name);
/* ERROR_USAGE with the nearest name. */
struct error *command_refuse(const char *name);
