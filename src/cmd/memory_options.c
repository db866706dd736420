#include "cmd/memory_options.h"

#include <string.h>

#include "cmd/value.h"

static unsigned count_given(const struct memory_options_view *o)
{
	return (unsigned)o->peak + o->leaks + o->temporary + o->total + (o->at != NULL) + (o->between[0] != NULL);
}

bool memory_options_given(const struct memory_options_view *options)
{
	return count_given(options) > 0;
}

static struct error *parse_moment(const char *option, const char *word, struct memory_moment *ret_moment)
{
	*ret_moment = (struct memory_moment){ .kind = MOMENT_TIME };
	if (strcmp(word, "start") == 0)
		ret_moment->kind = MOMENT_START;
	else if (strcmp(word, "end") == 0)
		ret_moment->kind = MOMENT_END;
	else if (!value_parse_duration(word, &ret_moment->time))
		return error_new(
			ERROR_USAGE, "%s: '%s' is no moment; give a time (12.5, 300ms), start or end", option, word);
	return NULL;
}

struct error *memory_options_choose(const struct memory_options_view *o, struct memory_choice *ret_choice)
{
	*ret_choice = (struct memory_choice){ .given = memory_options_given(o),
		.view = o->leaks	? MEMORY_LEAKS
			: o->temporary	? MEMORY_TEMPORARY
			: o->total	? MEMORY_TOTAL
			: o->at		? MEMORY_AT
			: o->between[0] ? MEMORY_BETWEEN
					: MEMORY_PEAK };
	if (count_given(o) > 1)
		return error_new(ERROR_USAGE,
			"give one of --peak, --leaks, --temporary, --total, --at and --between: each is another report");
	if (o->at)
		return parse_moment("--at", o->at, &ret_choice->to);
	if (!o->between[0])
		return NULL;
	TRY(parse_moment("--between", o->between[0], &ret_choice->from));
	return parse_moment("--between", o->between[1], &ret_choice->to);
}
