/* option.c: see option.h. Written like getopt_long's syntax (-o FILE, -oFILE, -sq, --output FILE, --output=FILE), but
 * driven by the table, without global state, and without guessing at abbreviations. */
#include "cmd/option.h"

#include <stdio.h>
#include <string.h>

#include "cmd/nearest.h"
#include "cmd/value.h"

struct parser {
	const struct option *table;
	char **at; /* the next word */
	unsigned char *options;
	bool target_reached; /* all that follows is the target's */
	bool help;
};

static bool store_flag(void *field, const char *word, const struct option *option)
{
	*(bool *)field = true;
	return true;
}

static bool store_text(void *field, const char *word, const struct option *option)
{
	*(const char **)field = word;
	return true;
}

/* The first of the two words that is not there yet. */
static bool store_pair(void *field, const char *word, const struct option *option)
{
	const char **pair = field;
	pair[pair[0] != NULL] = word;
	return true;
}

static bool store_list(void *field, const char *word, const struct option *option)
{
	struct option_list *list = field;
	return vec_push(&list->items, word);
}

static bool store_count(void *field, const char *word, const struct option *option)
{
	return value_parse_count(word, field);
}

static bool store_pid(void *field, const char *word, const struct option *option)
{
	return value_parse_pid(word, field);
}

static bool store_duration(void *field, const char *word, const struct option *option)
{
	return value_parse_duration(word, field);
}

static bool store_rate(void *field, const char *word, const struct option *option)
{
	return value_parse_rate(word, field);
}

static bool store_size(void *field, const char *word, const struct option *option)
{
	return value_parse_size(word, field);
}

static bool store_choice(void *field, const char *word, const struct option *option)
{
	for (unsigned i = 0; option->choices[i]; i++)
		if (strcmp(option->choices[i], word) == 0) {
			*(unsigned *)field = i;
			return true;
		}
	return false;
}

/* How each kind is stored, and what its values look like, for whoever got it wrong. */
static const struct kind {
	bool (*store)(void *field, const char *word, const struct option *option);
	const char *looks_like;
} kinds[] = {
	[OPTION_KIND_FLAG] = { store_flag, "" },
	[OPTION_KIND_TEXT] = { store_text, "" },
	[OPTION_KIND_PAIR] = { store_pair, "" },
	[OPTION_KIND_TARGET] = { store_text, "" },
	[OPTION_KIND_LIST] = { store_list, "" },
	[OPTION_KIND_COUNT] = { store_count, "is no whole number from 1 on" },
	[OPTION_KIND_PID] = { store_pid, "is no process number" },
	[OPTION_KIND_DURATION] = { store_duration, "is no duration; give seconds or a unit: 10, 500ms, 2m" },
	[OPTION_KIND_RATE] = { store_rate,
		"is no rate up to 1 MHz; give samples a second (1000, 10khz), an interval (100us) or max" },
	[OPTION_KIND_SIZE] = { store_size, "is no size; give bytes or a unit: 4096, 200k, 1.5M, 2G" },
	[OPTION_KIND_CHOICE] = { store_choice, "" },
};

static struct error *refuse_choice(const char *spelling, const char *word, const struct option *option)
{
	char list[256] = "";
	for (size_t i = 0, used = 0; option->choices[i] && used < sizeof list; i++) {
		int more = snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", option->choices[i]);
		used += more > 0 ? (size_t)more : 0;
	}
	return error_new(ERROR_USAGE, "%s: '%s' is none of %s", spelling, word, list);
}

static struct error *store(struct parser *parser, const struct option *option, const char *spelling, const char *word)
{
	const struct kind *kind = &kinds[option->kind];
	if (!kind->store(parser->options + option->offset, word, option)) {
		if (option->kind == OPTION_KIND_LIST)
			return &error_no_memory;
		if (option->kind == OPTION_KIND_CHOICE)
			return refuse_choice(spelling, word, option);
		return error_new(ERROR_USAGE, "%s: '%s' %s", spelling, word, kind->looks_like);
	}
	if (option->kind == OPTION_KIND_TARGET)
		parser->target_reached = true;
	return NULL;
}

/* The value is the rest of the same word, or the next word. */
static struct error *take_value(
	struct parser *parser, const struct option *option, const char *spelling, const char *inside)
{
	if (option->kind == OPTION_KIND_PAIR) {
		const char **pair = (const char **)(void *)(parser->options + option->offset);
		pair[0] = pair[1] = NULL;
		if (!inside && *parser->at)
			inside = *parser->at++;
		if (inside)
			TRY(store(parser, option, spelling, inside));
		if (!inside || !*parser->at)
			return error_new(
				ERROR_USAGE, "%s needs two values: %s %s", spelling, spelling, option->argument);
		return store(parser, option, spelling, *parser->at++);
	}
	if (inside)
		return store(parser, option, spelling, inside);
	if (!*parser->at)
		return error_new(ERROR_USAGE, "%s needs a value: %s %s", spelling, spelling, option->argument);
	return store(parser, option, spelling, *parser->at++);
}

static struct error *refuse_long(const struct option *table, const char *word, size_t length)
{
	struct nearest nearest;
	nearest_init(&nearest, word + 2, length - 2);
	nearest_offer(&nearest, "help");
	for (const struct option *o = table; !option_is_end(o); o++)
		if (o->name)
			nearest_offer(&nearest, o->name);
	if (nearest.best)
		return error_new(ERROR_USAGE, "there is no option '%.*s'; the nearest is '--%s'", (int)length, word,
			nearest.best);
	return error_new(ERROR_USAGE, "there is no option '%.*s'; --help lists what there is", (int)length, word);
}

static struct error *parse_long(struct parser *parser, const char *word)
{
	const char *equals = strchr(word, '=');
	size_t length = equals ? (size_t)(equals - word) : strlen(word);
	if (length == strlen("--help") && strncmp(word, "--help", length) == 0) {
		parser->help = true;
		return NULL;
	}
	for (const struct option *o = parser->table; !option_is_end(o); o++) {
		if (!o->name || strlen(o->name) != length - 2 || strncmp(o->name, word + 2, length - 2) != 0)
			continue;
		char spelling[64];
		snprintf(spelling, sizeof spelling, "--%s", o->name);
		if (o->argument)
			return take_value(parser, o, spelling, equals ? equals + 1 : NULL);
		if (equals)
			return error_new(ERROR_USAGE, "%s takes no value", spelling);
		return store(parser, o, spelling, NULL);
	}
	return refuse_long(parser->table, word, length);
}

/* One word of letters: -s, -sq, -oFILE, -sqo FILE. */
static struct error *parse_letters(struct parser *parser, const char *word)
{
	for (const char *letter = word + 1; *letter && !parser->help; letter++) {
		const struct option *o = parser->table;
		while (!option_is_end(o) && (!o->name || o->letter != *letter))
			o++;
		char spelling[3] = { '-', *letter };
		if (*letter == 'h' && option_is_end(o)) {
			parser->help = true;
			return NULL;
		}
		if (option_is_end(o))
			return error_new(ERROR_USAGE, "there is no option '-%c' (in '%s'); --help lists what there is",
				*letter, word);
		if (o->argument)
			return take_value(parser, o, spelling, letter[1] ? letter + 1 : NULL);
		TRY(store(parser, o, spelling, NULL));
	}
	return NULL;
}

struct error *option_parse(
	const struct option *table, enum option_rule rule, char **argv, void *options, struct option_result *ret_result)
{
	struct parser parser = { .table = table, .at = argv, .options = options };
	char **words = argv; /* words that are no options are moved here, never past parser.at */
	while (*parser.at && !parser.help) {
		char *word = *parser.at++;
		if (strcmp(word, "--") == 0)
			break;
		if (word[0] != '-' || !word[1]) {
			*words++ = word;
			if (rule == OPTIONS_BEFORE_WORD)
				break;
			continue;
		}
		TRY(word[1] == '-' ? parse_long(&parser, word) : parse_letters(&parser, word));
		if (parser.target_reached && rule == OPTIONS_BEFORE_WORD)
			break;
	}
	while (*parser.at)
		*words++ = *parser.at++;
	*words = NULL;
	*ret_result = (struct option_result){
		.words = argv, .word_count = (size_t)(words - argv), .help = parser.help
	};
	return NULL;
}

void option_free(const struct option *table, void *options)
{
	for (const struct option *o = table; !option_is_end(o); o++)
		if (o->name && o->kind == OPTION_KIND_LIST)
			vec_free(&((struct option_list *)((unsigned char *)options + o->offset))->items);
}
