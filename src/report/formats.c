/* formats.c: the table of formats, and what options start from. A format is added by its file and a line here. */
#include "report/formats.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "report/head.h"

static const struct report_format *const formats[] = {
	&report_format_text,
	&report_format_json,
	&report_format_collapsed,
	&report_format_speedscope,
	&report_format_pprof,
	&report_format_svg,
	&report_format_pstats,
	&report_format_lprof,
	&report_format_callgrind,
	&report_format_chrome,
	&report_format_perfetto,
	&report_format_dat,
	NULL,
};

const struct report_format *const *report_list_formats(void)
{
	return formats;
}

static bool ends_with(const char *string, const char *end)
{
	size_t length = strlen(string), end_length = strlen(end);
	return length > end_length && strcmp(string + length - end_length, end) == 0;
}

const struct report_format *report_find_format(const char *name_or_file)
{
	const struct report_format *best = NULL;
	size_t best_length = 0;
	for (const struct report_format *const *format = formats; *format; format++) {
		if (strcmp((*format)->name, name_or_file) == 0)
			return *format;
		for (const char *const *extension = (*format)->extensions; *extension; extension++)
			if (ends_with(name_or_file, *extension) && strlen(*extension) > best_length) {
				best = *format;
				best_length = strlen(*extension);
			}
	}
	return best;
}

const char *const report_by_words[] = {
	[REPORT_BY_DEFAULT] = "auto",
	[REPORT_BY_FUNCTION] = "function",
	[REPORT_BY_LINE] = "line",
	[REPORT_BY_PROCESS] = "process",
	[REPORT_BY_FILE] = "file",
	[REPORT_BY_TRACEBACK] = "traceback",
	[REPORT_BY_ALLOCATOR] = "allocator",
	[REPORT_BY_THREAD] = "thread",
	NULL,
};

bool report_find_weight(const char *name, enum profile_weight *ret_weight)
{
	for (enum profile_weight weight = 0; weight < PROFILE_WEIGHT_END; weight++)
		if (strcmp(head_weight_name(weight), name) == 0) {
			*ret_weight = weight;
			return true;
		}
	return false;
}

struct report_options report_options_default(void)
{
	return (struct report_options){ .width = 80 };
}

static unsigned terminal_width(FILE *stream)
{
	const char *columns = getenv("COLUMNS");
	unsigned long asked = columns ? strtoul(columns, NULL, 10) : 0;
	struct winsize size;
	if (asked >= 20 && asked <= 1000)
		return (unsigned)asked;
	if (isatty(fileno(stream)) && ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
		return size.ws_col;
	return 80;
}

static bool is_set(const char *variable)
{
	const char *value = getenv(variable);
	return value && *value;
}

static bool wants_colour(FILE *stream)
{
	const char *force = getenv("FORCE_COLOR"), *terminal = getenv("TERM");
	if (is_set("NO_COLOR"))
		return false;
	if (force && *force)
		return strcmp(force, "0") != 0;
	return isatty(fileno(stream)) && terminal && strcmp(terminal, "dumb") != 0;
}

/* The locale by its name, as setlocale() would choose it: what calls us need not have called that. */
static bool locale_is_utf8(void)
{
	static const char *const variables[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
		if (is_set(variables[i])) {
			const char *value = getenv(variables[i]);
			return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
		}
	return false;
}

void report_options_for_terminal(struct report_options *options, FILE *stream)
{
	options->width = terminal_width(stream);
	options->colour = wants_colour(stream);
	options->ascii = !locale_is_utf8();
}
