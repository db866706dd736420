/* man.c: the manual page pyrometer(1), from the same tables as `--help` (help.h). The build writes it by running
 * `pyrometer help --man`, so the page cannot say anything else than the program does. */
#include <string.h>

#include "cmd/help.h"

/* Text in which roff would see requests and escapes. */
static void add_escaped(struct buffer *text, const char *words)
{
	if (*words == '.' || *words == '\'')
		buffer_add_string(text, "\\&");
	for (const char *c = words; *c; c++) {
		if (*c == '-')
			buffer_add_string(text, "\\-");
		else if (*c == '\\')
			buffer_add_string(text, "\\e");
		else
			buffer_add_char(text, *c);
	}
}

static void add_line(struct buffer *text, const char *words)
{
	add_escaped(text, words);
	buffer_add_char(text, '\n');
}

static void write_paragraphs(struct buffer *text, const char *paragraphs)
{
	while (*paragraphs) {
		const char *end = strstr(paragraphs, "\n\n");
		size_t length = end ? (size_t)(end - paragraphs) : strlen(paragraphs);
		char *paragraph = strndup(paragraphs, length);
		if (!paragraph)
			return;
		buffer_add_string(text, ".PP\n");
		add_line(text, paragraph);
		free(paragraph);
		paragraphs += length + (end ? 2 : 0);
	}
}

static void write_option(struct buffer *text, const struct option *o)
{
	buffer_add_string(text, ".TP\n");
	if (o->letter)
		buffer_printf(text, "\\fB\\-%c\\fR, ", o->letter);
	buffer_add_string(text, "\\fB\\-\\-");
	add_escaped(text, o->name);
	buffer_printf(text, "\\fR%s%s%s\n", o->argument ? " \\fI" : "", o->argument ? o->argument : "",
		o->argument ? "\\fR" : "");
	add_escaped(text, o->help);
	if (o->kind == OPTION_KIND_CHOICE)
		for (size_t i = 0; o->choices[i]; i++) {
			buffer_add_string(text, i ? ", " : ": ");
			add_escaped(text, o->choices[i]);
		}
	buffer_add_string(text, ".\n");
}

static void write_command(struct buffer *text, const struct command *command)
{
	buffer_printf(text, ".SH %s\n", command->name);
	add_line(text, command->question);
	for (size_t i = 0; command->usage[i]; i++) {
		buffer_printf(text, "%s\n.B pyrometer %s\n", i ? ".br" : ".PP", command->name);
		add_line(text, command->usage[i]);
	}
	write_paragraphs(text, command->description);
	for (const struct option *o = command->options; !option_is_end(o); o++) {
		if (o->name) {
			write_option(text, o);
			continue;
		}
		buffer_add_string(text, ".SS ");
		add_line(text, o->help);
	}
	for (const struct example *e = command->examples; e && e->command; e++) {
		buffer_add_string(
			text, e == command->examples ? ".SS Examples\n.TP\n.B pyrometer " : ".TP\n.B pyrometer ");
		add_line(text, e->command);
		add_line(text, e->what);
	}
}

static void write_head(struct buffer *text)
{
	buffer_add_string(text,
		".TH PYROMETER 1 \"\" \"Pyrometer " PYROMETER_VERSION "\" \"User Commands\"\n.SH NAME\n"
		"pyrometer \\- where the time of a Python program goes, seen from outside\n.SH SYNOPSIS\n"
		".B pyrometer\n.I COMMAND\n[options] [\\-\\-] [\\fITARGET\\fR...]\n.SH DESCRIPTION\n"
		"TARGET is a program to start (app.py, \\-m module, \\-c code, or any command line), or "
		"\\-p PID for one that runs.\n");
	for (const struct command *const *at = commands; *at; at++) {
		buffer_printf(text, ".TP\n.B %s\n", (*at)->name);
		add_escaped(text, (*at)->summary);
		buffer_add_string(text, ".\n");
	}
}

void help_write_man(struct buffer *text)
{
	write_head(text);
	for (const struct command *const *at = commands; *at; at++)
		write_command(text, *at);
	buffer_add_string(text,
		".SH EXIT STATUS\n"
		"A target that was started gives its own exit status; 128+N when it died of signal N.\n"
		".TP\n.B 0\nAll went well.\n"
		".TP\n.B 2\nThe command line is wrong.\n"
		".TP\n.B 100\nA limit that was asked for is exceeded.\n"
		".TP\n.B 125\nPyrometer itself failed; one sentence on stderr says at what.\n"
		".TP\n.B 126\nThe program to start cannot be executed.\n"
		".TP\n.B 127\nThe program to start does not exist.\n"
		".SH ENVIRONMENT\n"
		".TP\n.B PATH\nWhere python3, python and the programs to start are looked for.\n"
		".TP\n.B COLUMNS\nThe width of reports; otherwise that of the terminal, or 80.\n"
		".TP\n.BR NO_COLOR \", \" FORCE_COLOR\nNo colours; colours though it is no terminal.\n");
}
