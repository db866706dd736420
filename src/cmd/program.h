/* program.h: from the words that name a program to start to the argv that starts it.
 *
 * `app.py`, a *.pyc or *.pyz file, a folder or zip file with __main__.py, `-m MODULE` and `-c CODE` are run by Python:
 * by --python, else by the `python3` first on PATH, else `python`. Anything else is executed as it stands.
 *
 * `python -m pyrometer` names its own interpreter in PYROMETER_PYTHON, which then stands before PATH. */
#pragma once
#include <stdbool.h>

#include "cmd/option.h"

/* Part of the options struct of every command that starts a target. */
struct program_options {
	const char *python, *module, *code;
};

/* Their rows; `field` is the struct program_options in `type`. */
#define PROGRAM_OPTION_ROWS(type, field)                                                                      \
	{ 'm', "module", "MODULE", "run a module, as python -m does; all later words are its own",            \
		OPTION_TARGET(type, field.module) },                                                          \
		{ 'c', "code", "CODE", "run this Python code; all later words are its own",                   \
			OPTION_TARGET(type, field.code) },                                                    \
	{                                                                                                     \
		0, "python", "EXE", "the Python that runs it (default: python3, else python, first on PATH)", \
			OPTION_TEXT(type, field.python)                                                       \
	}

struct program {
	char *executable; /* the file to execute, with a slash in it: give it to execv, not to execvp */
	char **argv;	  /* NULL-terminated */
	char *name;	  /* short, for NAME-PID.pyro: "app" for app.py, the module's name, "python3" for code */
};

/* Whether the words name anything to start. */
bool program_is_given(const struct program_options *options, char *const *words);

/* What to call it in a sentence; something is named. */
const char *program_what(const struct program_options *options, char *const *words);

/* `path` is the PATH to search (NULL: the system's default). ERROR_USAGE when nothing is named, or --python is given
 * for what Python does not run; ERROR_NOT_FOUND and ERROR_NOT_EXECUTABLE name what is missing. Takes PYROMETER_PYTHON
 * out of the environment, so that the target does not see it. */
struct error *program_resolve(
	const struct program_options *options, char *const *words, const char *path, struct program *ret_program);
void program_deinit(struct program *program);
#define _cleanup_program_ __attribute__((cleanup(program_deinit)))
