/* help.h: what a command's table says, for people: `--help`, the table of commands, the manual page. */
#pragma once
#include "base/buffer.h"
#include "cmd/cmd.h"

/* The options and explanations of one command, wrapped to `width` columns. */
void help_write_command(struct buffer *text, const struct command *command, unsigned width);
/* All commands by the question that they answer. */
void help_write_overview(struct buffer *text);
/* pyrometer(1), in man(7) macros. */
void help_write_man(struct buffer *text);
/* Appends words, wrapped: the first line begins at column `column`, all others are indented to `indent`; ends with a
 * newline. */
void help_wrap(struct buffer *text, const char *words, unsigned column, unsigned indent, unsigned width);
