/* memory_options.h: what of a program's memory is shown, in the words of `memory` and `report`. */
#pragma once
#include "cmd/option.h"
#include "profile/memory_choice.h"

struct memory_options_view {
	bool peak, leaks, temporary, total;
	const char *at, *between[2];
};

#define MEMORY_VIEW_OPTION_ROWS(type, field)                                                                    \
	{ 0, "peak", NULL, "memory that was live when most was (the default)", OPTION_FLAG(type, field.peak) }, \
		{ 0, "leaks", NULL, "memory that was got since the main program began and live when it ended",  \
			OPTION_FLAG(type, field.leaks) },                                                       \
		{ 0, "temporary", NULL,                                                                         \
			"memory that was freed or reallocated before the thread that got it made its next "     \
			"allocation (maps never count)",                                                        \
			OPTION_FLAG(type, field.temporary) },                                                   \
		{ 0, "total", NULL, "all memory that was ever got", OPTION_FLAG(type, field.total) },           \
		{ 0, "at", "TIME", "memory that was live then (12.5s); start and end are the main program's",   \
			OPTION_TEXT(type, field.at) },                                                          \
	{                                                                                                       \
		0, "between", "A B", "what was live at B, with the difference to A (start end, 1s 2500ms)",     \
			OPTION_PAIR(type, field.between)                                                        \
	}

/* Whether anything was asked for. */
bool memory_options_given(const struct memory_options_view *options);
struct error *memory_options_choose(const struct memory_options_view *options, struct memory_choice *ret_choice);
