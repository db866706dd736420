/* test_option.c: what people type: durations, rates, options, and where options end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cmd/cmd.h"
#include "cmd/help.h"
#include "cmd/value.h"

static void test_durations(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns; /* 0: refused */
	} cases[] = {
		{ "10", 10ull * NS_PER_S },
		{ "500ms", 500ull * NS_PER_MS },
		{ "2m", 120ull * NS_PER_S },
		{ "1.5", 1500ull * NS_PER_MS },
		{ "1h", 3600ull * NS_PER_S },
		{ "250us", 250ull * NS_PER_US },
		{ ".5s", 500ull * NS_PER_MS },
		{ "2min", 120ull * NS_PER_S },
		{ "0", 0 },
		{ "0s", 0 },
		{ "-1", 0 },
		{ "", 0 },
		{ "ms", 0 },
		{ "1.", 0 },
		{ "1e3", 0 },
		{ "inf", 0 },
		{ "nan", 0 },
		{ "0x10", 0 },
		{ " 1", 0 },
		{ "1 s", 0 },
		{ "10x", 0 },
		{ "400000h", 0 },
		{ "99999999999999999999999", 0 },
		{ "1,5", 0 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint64_t ns = 0;
		assert_int_equal(value_parse_duration(cases[i].text, &ns), cases[i].ns != 0);
		assert_int_equal(ns, cases[i].ns);
	}
}

static void test_rates(void **state)
{
	static const struct {
		const char *text;
		int64_t millihertz; /* -1: refused */
	} cases[] = {
		{ "1000", 1000000 },
		{ "10khz", 10000000 },
		{ "10kHz", 10000000 },
		{ "100k", 100000000 },
		{ "0.5", 500 },
		{ "50hz", 50000 },
		{ "max", 0 },
		{ "MAX", 0 },
		{ "100us", 10000000 },
		{ "5ms", 200000 },
		{ "2s", 500 },
		{ "1000000", 1000000000 },
		{ "0", -1 },
		{ "-5", -1 },
		{ "", -1 },
		{ "fast", -1 },
		{ "0us", -1 },
		{ "1000001", -1 },
		{ "1m", -1 },
		{ "0.0001", -1 },
		{ "maximum", -1 },
		{ "1000 hz", -1 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint64_t rate = UINT64_MAX;
		assert_int_equal(value_parse_rate(cases[i].text, &rate), cases[i].millihertz >= 0);
		assert_int_equal(rate, (uint64_t)cases[i].millihertz);
	}
}

static void test_whole_numbers(void **state)
{
	uint32_t count = 0;
	pid_t pid = 0;
	assert_true(value_parse_count("4294967295", &count));
	assert_int_equal(count, UINT32_MAX);
	assert_false(value_parse_count("4294967296", &count));
	assert_false(value_parse_count("0", &count));
	assert_false(value_parse_count("1.5", &count));
	assert_true(value_parse_pid("4242", &pid));
	assert_int_equal(pid, 4242);
	assert_false(value_parse_pid("2147483648", &pid));
	assert_false(value_parse_pid("-1", &pid));
	assert_false(value_parse_pid("self", &pid));
}

enum colour { RED, GREEN };
static const char *const colours[] = { "red", "green", NULL };
struct settings {
	bool quiet, subprocesses;
	pid_t pid;
	uint64_t duration, rate;
	uint32_t rows;
	enum colour colour;
	const char *module, *python;
	struct option_list outputs;
};
static const struct option table[] = {
	{ .help = "What" },
	{ 'q', "quiet", NULL, "", OPTION_FLAG(struct settings, quiet) },
	{ 's', "subprocesses", NULL, "", OPTION_FLAG(struct settings, subprocesses) },
	{ 'p', "pid", "PID", "", OPTION_PID(struct settings, pid) },
	{ 'd', "duration", "TIME", "", OPTION_DURATION(struct settings, duration) },
	{ 'r', "rate", "RATE", "", OPTION_RATE(struct settings, rate) },
	{ 'n', "rows", "N", "", OPTION_COUNT(struct settings, rows) },
	{ 0, "colour", "WORD", "", OPTION_CHOICE(struct settings, colour, colours) },
	{ 'm', "module", "MODULE", "", OPTION_TARGET(struct settings, module) },
	{ 0, "python", "EXE", "", OPTION_TEXT(struct settings, python) },
	{ 'o', "output", "FILE", "", OPTION_LIST(struct settings, outputs) },
	{ 0 },
};

/* Splits `line` at its blanks and parses it. The words that are left over are joined into `rest`. */
static struct error *parse(
	const char *line, enum option_rule rule, struct settings *settings, char rest[256], bool *help)
{
	static char copy[256];
	char *argv[32], *next = NULL;
	size_t count = 0;
	struct option_result result;
	memset(settings, 0, sizeof *settings);
	snprintf(copy, sizeof copy, "%s", line);
	for (char *word = strtok_r(copy, " ", &next); word; word = strtok_r(NULL, " ", &next))
		argv[count++] = word;
	argv[count] = NULL;
	struct error *error = option_parse(table, rule, argv, settings, &result);
	rest[0] = '\0';
	if (error)
		return error;
	assert_null(result.words[result.word_count]);
	for (size_t i = 0; i < result.word_count; i++)
		snprintf(rest + strlen(rest), 256 - strlen(rest), "%s%s", i ? " " : "", result.words[i]);
	*help = result.help;
	return NULL;
}

static void expect_rest(const char *line, enum option_rule rule, struct settings *settings, const char *expected)
{
	char rest[256];
	bool help;
	struct error *error = parse(line, rule, settings, rest, &help);
	assert_null(error);
	assert_string_equal(rest, expected);
	assert_false(help);
}

static void test_spellings(void **state)
{
	struct settings s;
	expect_rest("-p 7 --pid=8 -d500ms --rate max -sq -n3 --colour green", OPTIONS_ANYWHERE, &s, "");
	assert_int_equal(s.pid, 8);
	assert_int_equal(s.duration, 500 * NS_PER_MS);
	assert_int_equal(s.rate, 0);
	assert_int_equal(s.rows, 3);
	assert_int_equal(s.colour, GREEN);
	assert_true(s.quiet && s.subprocesses);
	expect_rest("-sqo a -ob --output=c", OPTIONS_ANYWHERE, &s, "");
	assert_int_equal(s.outputs.items.count, 3);
	assert_string_equal(s.outputs.items.data[0], "a");
	assert_string_equal(s.outputs.items.data[1], "b");
	assert_string_equal(s.outputs.items.data[2], "c");
	option_free(table, &s);
	assert_null(s.outputs.items.data);
}

static void test_where_options_end(void **state)
{
	struct settings s;
	expect_rest("-q app.py -q --rate 5", OPTIONS_BEFORE_WORD, &s, "app.py -q --rate 5");
	expect_rest("-q -- -weird -q", OPTIONS_BEFORE_WORD, &s, "-weird -q");
	assert_true(s.quiet);
	expect_rest("-m pytest -q tests", OPTIONS_BEFORE_WORD, &s, "-q tests");
	assert_string_equal(s.module, "pytest");
	assert_false(s.quiet);
	expect_rest("-m pytest -- -x", OPTIONS_BEFORE_WORD, &s, "-- -x"); /* that is the module's own "--" */
	expect_rest("file -q other -m word last", OPTIONS_ANYWHERE, &s, "file other last");
	assert_true(s.quiet);
	assert_string_equal(s.module, "word");
	expect_rest("a -- -q", OPTIONS_ANYWHERE, &s, "a -q");
	assert_false(s.quiet);
	expect_rest("- -q", OPTIONS_ANYWHERE, &s, "-");
}

static void test_wrong_usage(void **state)
{
	static const struct {
		const char *line, *says;
	} cases[] = {
		{ "--rat 5", "the nearest is '--rate'" },
		{ "--xyzzy", "no option '--xyzzy'" },
		{ "-x", "no option '-x'" },
		{ "-qx", "no option '-x' (in '-qx')" },
		{ "--quiet=1", "--quiet takes no value" },
		{ "-o", "-o needs a value: -o FILE" },
		{ "--rate", "--rate needs a value" },
		{ "-r 0", "-r: '0' is no rate" },
		{ "-d 0", "-d: '0' is no duration" },
		{ "--duration=-1", "--duration: '-1' is no duration" },
		{ "-p abc", "-p: 'abc' is no process number" },
		{ "-n 0", "-n: '0' is no whole number" },
		{ "--colour blue", "--colour: 'blue' is none of red, green" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct settings s;
		char rest[256];
		bool help;
		struct error *error = parse(cases[i].line, OPTIONS_ANYWHERE, &s, rest, &help);
		assert_non_null(error);
		assert_int_equal(error_status(error), 2);
		assert_non_null(strstr(error_message(error), cases[i].says));
		error_free(error);
		option_free(table, &s);
	}
}

static void test_help_is_noticed(void **state)
{
	static const char *const lines[] = { "--help", "-h", "-q -h", "-qh", "--rate 5 --help --nonsense" };
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct settings s;
		char rest[256];
		bool help = false;
		assert_null(parse(lines[i], OPTIONS_BEFORE_WORD, &s, rest, &help));
		assert_true(help);
	}
}

/* "The same word means the same thing everywhere": the same letter is the same long name, and the same long name the
 * same kind of value, in every command. */
static void test_same_word_same_meaning(void **state)
{
	for (const struct command *const *a = commands; *a; a++)
		for (const struct command *const *b = commands; *b; b++)
			for (const struct option *x = (*a)->options; !option_is_end(x); x++)
				for (const struct option *y = (*b)->options; !option_is_end(y); y++) {
					if (!x->name || !y->name)
						continue;
					if (x->letter && x->letter == y->letter)
						assert_string_equal(x->name, y->name);
					if (strcmp(x->name, y->name) == 0) {
						assert_int_equal(x->letter, y->letter);
						assert_int_equal(!x->argument, !y->argument);
					}
				}
}

/* Everything that can be typed is explained, in --help and in the manual page, and fits the width. */
static void test_everything_is_explained(void **state)
{
	_cleanup_buffer_ struct buffer man = { 0 };
	help_write_man(&man);
	for (const struct command *const *at = commands; *at; at++) {
		_cleanup_buffer_ struct buffer help = { 0 };
		help_write_command(&help, *at, 80);
		assert_true((*at)->summary[0] && (*at)->question[0] && (*at)->description[0] && (*at)->usage[0]);
		for (const struct option *o = (*at)->options; !option_is_end(o); o++) {
			char name[64];
			if (!o->name)
				continue;
			assert_true(o->help[0]);
			snprintf(name, sizeof name, "--%s", o->name);
			assert_non_null(strstr(buffer_string(&help), name));
		}
		for (const char *line = buffer_string(&help); *line; line += strcspn(line, "\n") + 1)
			assert_in_range(strcspn(line, "\n"), 0, 80);
		assert_non_null(strstr(buffer_string(&man), (*at)->summary));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_whole_numbers),
		cmocka_unit_test(test_spellings),
		cmocka_unit_test(test_where_options_end),
		cmocka_unit_test(test_wrong_usage),
		cmocka_unit_test(test_help_is_noticed),
		cmocka_unit_test(test_same_word_same_meaning),
		cmocka_unit_test(test_everything_is_explained),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
