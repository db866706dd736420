/* calls_filter.h: -f and --exclude: to the agent, and what is said of a pattern that matched nothing. */
#pragma once
#include "cmd/option.h"
#include "inject/drain.h"
#include "inject/orders.h"

struct calls_filter {
	struct option_list only, exclude;
};

#define CALLS_FILTER_OPTION_ROWS(type, field)                                                                     \
	{ 'f', "function", "PATTERN",                                                                             \
		"only these functions, and the builtins that they call: work, Class.*, pkg.mod:Class.*, src/**; " \
		"may be given more than once",                                                                    \
		OPTION_LIST(type, field.only) },                                                                  \
	{                                                                                                         \
		0, "exclude", "PATTERN", "all functions but these; may be given more than once",                  \
			OPTION_LIST(type, field.exclude)                                                          \
	}

/* ERROR_USAGE: they are none. */
struct error *calls_filter_apply(const struct calls_filter *filter, struct calls_orders *orders);
/* NULL when each pattern matched a function that was called. */
struct error *calls_filter_check(const struct calls_filter *filter, const struct drain *drain);
