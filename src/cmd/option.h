/* option.h: a command's options as a table. The one table gives the parsing, `--help` and the manual page.
 *
 *     struct top_options { bool idle; uint64_t rate; struct option_list outputs; };
 *     static const struct option top_table[] = {
 *             { 'r', "rate", "RATE", "samples a second", OPTION_RATE(struct top_options, rate) },
 *             { 'o', "output", "FILE", "where it goes", OPTION_LIST(struct top_options, outputs) },
 *             { 0, "idle", NULL, "with idle threads", OPTION_FLAG(struct top_options, idle) },
 *             { 0 },
 *     };
 *
 * A row with nothing but a help text is a heading in `--help`. The OPTION_* macros check at compile time that the field
 * has the type that its kind is stored as. The last one given wins, except in lists.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/vec.h"

enum option_kind {
	OPTION_KIND_FLAG,   /* bool */
	OPTION_KIND_TEXT,   /* const char *: the word as it stands */
	OPTION_KIND_PAIR,   /* const char *[2]: two words */
	OPTION_KIND_TARGET, /* const char *: as text; in a command that starts a target all later words are the target's
			     */
	OPTION_KIND_LIST,   /* struct option_list: one word more each time */
	OPTION_KIND_COUNT,  /* uint32_t, from 1 */
	OPTION_KIND_PID,    /* pid_t */
	OPTION_KIND_DURATION, /* uint64_t, nanoseconds, never 0 */
	OPTION_KIND_RATE,     /* uint64_t, millihertz; 0: as fast as it goes */
	OPTION_KIND_SIZE,     /* uint64_t, bytes, never 0 */
	OPTION_KIND_CHOICE,   /* an enum or unsigned: index of the word in `choices` */
};

struct option {
	char letter;	      /* 'o' for -o; 0: none */
	const char *name;     /* "output" for --output; NULL: this row is a heading or the table's end */
	const char *argument; /* how its value is called in the help; NULL for a flag */
	const char *help;     /* a phrase without a full stop, beginning with a small letter */
	enum option_kind kind;
	size_t offset;		    /* of the field in the command's options struct */
	const char *const *choices; /* OPTION_KIND_CHOICE: the words, then NULL */
};

/* Words that were given, in order. They belong to argv. */
struct option_list {
	VEC(const char *) items;
};

#define OPTION_PLACE_(type, field, fits, value_kind)                                                   \
	.kind = (value_kind), .offset = offsetof(type, field) + 0 * sizeof(struct {                    \
		_Static_assert(fits, "the field's type is not what this kind of option is stored as"); \
		int unused;                                                                            \
	})
#define OPTION_TYPED_(type, field, value_type, value_kind) \
	OPTION_PLACE_(type, field, __builtin_types_compatible_p(__typeof__(((type *)0)->field), value_type), value_kind)
#define OPTION_FLAG(type, field)     OPTION_TYPED_(type, field, bool, OPTION_KIND_FLAG)
#define OPTION_TEXT(type, field)     OPTION_TYPED_(type, field, const char *, OPTION_KIND_TEXT)
#define OPTION_PAIR(type, field)     OPTION_TYPED_(type, field, const char *[2], OPTION_KIND_PAIR)
#define OPTION_TARGET(type, field)   OPTION_TYPED_(type, field, const char *, OPTION_KIND_TARGET)
#define OPTION_LIST(type, field)     OPTION_TYPED_(type, field, struct option_list, OPTION_KIND_LIST)
#define OPTION_COUNT(type, field)    OPTION_TYPED_(type, field, uint32_t, OPTION_KIND_COUNT)
#define OPTION_PID(type, field)	     OPTION_TYPED_(type, field, pid_t, OPTION_KIND_PID)
#define OPTION_DURATION(type, field) OPTION_TYPED_(type, field, uint64_t, OPTION_KIND_DURATION)
#define OPTION_RATE(type, field)     OPTION_TYPED_(type, field, uint64_t, OPTION_KIND_RATE)
#define OPTION_SIZE(type, field)     OPTION_TYPED_(type, field, uint64_t, OPTION_KIND_SIZE)
#define OPTION_CHOICE(type, field, words)                                                               \
	OPTION_PLACE_(type, field, sizeof(((type *)0)->field) == sizeof(unsigned), OPTION_KIND_CHOICE), \
		.choices = (words)

static inline bool option_is_end(const struct option *option)
{
	return !option->name && !option->help;
}
static inline bool option_is_heading(const struct option *option)
{
	return !option->name && option->help;
}

/* Where a command's options end. */
enum option_rule {
	OPTIONS_ANYWHERE,    /* among the other words, up to "--" */
	OPTIONS_BEFORE_WORD, /* up to the first word that is no option, and after -c CODE or -m MODULE */
};

struct option_result {
	char **words; /* what is no option, then NULL; part of argv, which is reordered for it */
	size_t word_count;
	bool help; /* -h or --help was met: the rest was not looked at */
};

/* Fills `options`, which holds the defaults already. `argv` ends with NULL and begins with the first word after the
 * command's name. On an error, ERROR_USAGE, `options` may be half filled. Either way option_free() it. */
struct error *option_parse(const struct option *table, enum option_rule rule, char **argv, void *options,
	struct option_result *ret_result);
/* Frees the lists. */
void option_free(const struct option *table, void *options);
