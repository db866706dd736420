/* help.c: `--help` and the table of commands; the manual page is in man.c. See help.h. */
#include "cmd/help.h"

#include <string.h>

enum { OPTION_COLUMN = 28 };

void help_wrap(struct buffer *text, const char *words, unsigned column, unsigned indent, unsigned width)
{
	bool fresh = true; /* nothing of ours on this line yet */
	while (*words) {
		size_t length = strcspn(words, " ");
		if (!fresh && column + 1 + length > width) {
			buffer_printf(text, "\n%*s", (int)indent, "");
			column = indent;
			fresh = true;
		}
		buffer_printf(text, "%s%.*s", fresh ? "" : " ", (int)length, words);
		column += (unsigned)length + !fresh;
		fresh = false;
		words += length + strspn(words + length, " ");
	}
	buffer_add_char(text, '\n');
}

/* Paragraph by paragraph, with an empty line after each. */
static void write_paragraphs(struct buffer *text, const char *paragraphs, unsigned width)
{
	while (*paragraphs) {
		const char *end = strstr(paragraphs, "\n\n");
		size_t length = end ? (size_t)(end - paragraphs) : strlen(paragraphs);
		char *paragraph = strndup(paragraphs, length);
		if (!paragraph)
			return;
		help_wrap(text, paragraph, 0, 0, width);
		buffer_add_char(text, '\n');
		free(paragraph);
		paragraphs += length + (end ? 2 : 0);
	}
}

/* "  -o, --output FILE": how long it is. */
static unsigned write_option_name(struct buffer *text, const struct option *o)
{
	size_t before = text->size;
	if (o->letter)
		buffer_printf(text, "  -%c, --%s", o->letter, o->name);
	else
		buffer_printf(text, "      --%s", o->name);
	if (o->argument)
		buffer_printf(text, " %s", o->argument);
	return (unsigned)(text->size - before);
}

static void write_option_help(struct buffer *text, const struct option *o, unsigned width)
{
	_cleanup_buffer_ struct buffer words = { 0 };
	buffer_add_string(&words, o->help);
	for (size_t i = 0; o->kind == OPTION_KIND_CHOICE && o->choices[i]; i++)
		buffer_printf(&words, "%s%s", i ? ", " : ": ", o->choices[i]);
	help_wrap(text, buffer_string(&words), OPTION_COLUMN, OPTION_COLUMN, width);
}

static void write_options(struct buffer *text, const struct option *table, unsigned width)
{
	if (option_is_end(table) || !option_is_heading(table))
		buffer_add_string(text, "Options:\n");
	for (const struct option *o = table; !option_is_end(o); o++) {
		if (option_is_heading(o)) {
			buffer_printf(text, "%s%s:\n", o == table ? "" : "\n", o->help);
			continue;
		}
		unsigned column = write_option_name(text, o);
		if (column + 2 > OPTION_COLUMN) {
			buffer_add_char(text, '\n');
			column = 0;
		}
		buffer_printf(text, "%*s", (int)(OPTION_COLUMN - column), "");
		write_option_help(text, o, width);
	}
	buffer_printf(text, "  %-*sprint this help\n", OPTION_COLUMN - 2, "-h, --help");
}

static void write_examples(struct buffer *text, const struct example *examples, unsigned width)
{
	if (!examples)
		return;
	buffer_add_string(text, "\nExamples:\n");
	for (const struct example *e = examples; e->command; e++) {
		buffer_printf(text, "  pyrometer %s\n      ", e->command);
		help_wrap(text, e->what, 6, 6, width);
	}
}

void help_write_command(struct buffer *text, const struct command *command, unsigned width)
{
	for (size_t i = 0; command->usage[i]; i++)
		buffer_printf(text, "%s pyrometer %s%s%s\n", i ? "      " : "Usage:", command->name,
			command->usage[i][0] ? " " : "", command->usage[i]);
	buffer_add_char(text, '\n');
	write_paragraphs(text, command->description, width);
	write_options(text, command->options, width);
	write_examples(text, command->examples, width);
}

void help_write_overview(struct buffer *text)
{
	buffer_printf(text,
		"Pyrometer " PYROMETER_VERSION ": where the time of a Python program goes, seen from outside.\n\n"
		"Usage: pyrometer COMMAND [options] [--] TARGET...\n");
	const char *question = "";
	for (const struct command *const *at = commands; *at; at++) {
		if (strcmp(question, (*at)->question) != 0)
			buffer_printf(text, "\n%s\n", (*at)->question);
		buffer_printf(text, "  %-9s", (*at)->name);
		help_wrap(text, (*at)->summary, 11, 11, 80);
		question = (*at)->question;
	}
	buffer_add_string(text, "\nTARGET is a program to start (app.py, -m module, -c code, or any command line),\n"
				"or -p PID for one that runs. `pyrometer COMMAND --help` explains a command.\n");
}
