/* block.c: see block.h. A reader of Python's tokens as far as blocks depend on them: indentation, brackets, strings
 * over several lines, comments, continued lines; and what inspect.BlockFinder makes of them, whose decisions are those
 * of `take`. It is followed to the letter, oddities included, since reports are to show the lines that line_profiler
 * does.
 *
 * Inside of an f-string the quotes of its own kind (3.12+) end it and begin another one: that finds the same end of the
 * line, unless brackets or a # stand between them. */
#include "report/block.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { DEEPEST = 100, TAB = 8 };

enum token { TOKEN_OTHER = 0, TOKEN_NEWLINE, TOKEN_INDENT, TOKEN_DEDENT, TOKEN_COMMENT };

struct finder {
	const struct text *lines;
	size_t line; /* that is read, from 0 */
	size_t at;   /* in it */
	/* Of the tokens. */
	long brackets;
	bool continued; /* the line before ended in a backslash */
	char quote;	/* of a string that goes on; 0: none */
	bool triple;	/* of three quotes */
	size_t indents[DEEPEST];
	size_t depth;
	/* Of the block. */
	bool started, in_decorator, is_lambda, pass_line, done;
	long indent;
	bool has_body;
	size_t body_column, last;
};

/* ---- what tokens mean ---- */

static void take_first(struct finder *f, struct text word)
{
	static const char *const begins[] = { "def", "class", "lambda", "cdef", "cpdef", "property" };
	if (word.size == 1 && *word.data == '@')
		f->in_decorator = true;
	for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
		if (word.size == strlen(begins[i]) && memcmp(word.data, begins[i], word.size) == 0) {
			f->started = true;
			f->is_lambda = *begins[i] == 'l';
		}
	f->pass_line = true;
}

static void take_newline(struct finder *f)
{
	f->pass_line = false;
	f->last = f->line + 1;
	f->done = f->is_lambda;
	f->in_decorator = false;
}

static void take_indent(struct finder *f, size_t column)
{
	if (!f->has_body && f->started) {
		f->has_body = true;
		f->body_column = column;
	}
	f->indent++;
	f->pass_line = true;
}

/* `column`: where a comment begins or an indentation ends. */
static void take(struct finder *f, enum token token, struct text word, size_t column)
{
	if (!f->started && !f->in_decorator)
		take_first(f, word);
	else if (token == TOKEN_NEWLINE)
		take_newline(f);
	else if (f->pass_line)
		return;
	else if (token == TOKEN_INDENT)
		take_indent(f, column);
	else if (token == TOKEN_DEDENT)
		f->done = --f->indent <= 0;
	else if (token == TOKEN_COMMENT && f->has_body && column >= f->body_column)
		f->last = f->line + 1;
	else if (token == TOKEN_OTHER && f->indent == 0)
		f->done = true;
}

static void take_bare(struct finder *f, enum token token)
{
	take(f, token, (struct text){ "", 0 }, f->at);
}

/* ---- tokens ---- */

static struct text line_of(const struct finder *f)
{
	return f->lines[f->line];
}

/* The byte there; 0 behind the end of the line, and for what is no part of any token. */
static char byte_at(const struct finder *f, size_t at)
{
	return at < line_of(f).size ? line_of(f).data[at] : '\0';
}

static bool is_word_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (c & 0x80);
}

static bool closes(const struct finder *f, size_t at)
{
	return byte_at(f, at) == f->quote &&
	       (!f->triple || (byte_at(f, at + 1) == f->quote && byte_at(f, at + 2) == f->quote));
}

/* Goes on in a string; false: it does not end on this line. */
static bool end_string(struct finder *f)
{
	size_t size = line_of(f).size;
	for (; f->at < size; f->at++) {
		if (byte_at(f, f->at) == '\\') {
			f->at++;
			continue;
		}
		if (closes(f, f->at)) {
			f->at += f->triple ? 3 : 1;
			f->quote = 0;
			return true;
		}
	}
	/* One of single quotes goes on behind a backslash only: there `at` is beyond the line's end. */
	if (!f->triple && f->at == size)
		f->quote = 0;
	return false;
}

/* A quote that nothing closes is a token by itself, and the rest of the line is read on. */
static void begin_string(struct finder *f)
{
	size_t start = f->at;
	f->quote = byte_at(f, start);
	f->triple = byte_at(f, start + 1) == f->quote && byte_at(f, start + 2) == f->quote;
	f->at += f->triple ? 3 : 1;
	if (!end_string(f) && !f->quote) {
		f->at = start + 1;
		take_bare(f, TOKEN_OTHER);
	} else if (!f->quote) {
		take_bare(f, TOKEN_OTHER);
	}
}

static void read_word(struct finder *f)
{
	size_t start = f->at;
	while (is_word_byte(byte_at(f, f->at)))
		f->at++;
	take(f, TOKEN_OTHER, (struct text){ line_of(f).data + start, f->at - start }, start);
}

static void read_sign(struct finder *f)
{
	char sign = byte_at(f, f->at);
	if (sign && strchr("([{", sign))
		f->brackets++;
	else if (sign && strchr(")]}", sign))
		f->brackets--;
	take(f, TOKEN_OTHER, (struct text){ line_of(f).data + f->at, 1 }, f->at);
	f->at++;
}

static void read_token(struct finder *f)
{
	char c = byte_at(f, f->at);
	size_t size = line_of(f).size;
	if (c == ' ' || c == '\t' || c == '\f') {
		f->at++;
	} else if (c == '#') {
		take_bare(f, TOKEN_COMMENT);
		f->at = size;
	} else if (c == '\\' && f->at + 1 == size) {
		f->continued = true;
		f->at++;
	} else if (c == '"' || c == '\'') {
		begin_string(f);
	} else if (is_word_byte(c)) {
		read_word(f);
	} else {
		read_sign(f);
	}
}

static void read_tokens(struct finder *f)
{
	while (f->at < line_of(f).size && !f->done)
		read_token(f);
	if (!f->done && !f->continued && !f->quote && f->brackets <= 0)
		take_bare(f, TOKEN_NEWLINE);
}

/* ---- lines ---- */

static size_t read_indent(struct finder *f)
{
	size_t column = 0;
	for (;; f->at++) {
		char c = byte_at(f, f->at);
		if (c == ' ')
			column++;
		else if (c == '\t')
			column = (column / TAB + 1) * TAB;
		else if (c == '\f')
			column = 0;
		else
			return column;
	}
}

/* False: the line goes back to where none began, which ends the reading. */
static bool take_indents(struct finder *f, size_t column)
{
	if (column > f->indents[f->depth]) {
		if (f->depth + 1 == DEEPEST)
			return false;
		f->indents[++f->depth] = column;
		take_bare(f, TOKEN_INDENT);
	}
	for (; column < f->indents[f->depth] && !f->done; f->depth--) {
		bool known = false;
		for (size_t i = 0; i < f->depth; i++)
			known |= f->indents[i] == column;
		if (!known)
			return false;
		take_bare(f, TOKEN_DEDENT);
	}
	return true;
}

/* The first line of a statement. */
static bool begin_statement(struct finder *f)
{
	size_t column = read_indent(f);
	if (f->at == line_of(f).size)
		return true;
	if (byte_at(f, f->at) == '#') {
		take_bare(f, TOKEN_COMMENT);
		return true;
	}
	if (!take_indents(f, column))
		return false;
	if (!f->done)
		read_tokens(f);
	return true;
}

static bool read_line(struct finder *f)
{
	f->at = 0;
	if (f->quote) {
		if (!end_string(f))
			return true;
		take_bare(f, TOKEN_OTHER);
		read_tokens(f);
		return true;
	}
	if (!f->brackets && !f->continued)
		return begin_statement(f);
	f->continued = false;
	read_tokens(f);
	return true;
}

size_t block_count_lines(const struct text *lines, size_t count)
{
	struct finder f = { .lines = lines, .last = 1 };
	for (; f.line < count && !f.done; f.line++)
		if (!read_line(&f))
			break;
	return f.last < count ? f.last : count;
}
