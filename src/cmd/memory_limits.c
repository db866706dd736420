#include "cmd/memory_limits.h"

#include "profile/memory.h"
#include "profile/view.h"
#include "report/memory_table.h"

enum { CULPRITS = 5 };

static void say_traceback(const struct profile *profile, uint32_t stack, FILE *stream)
{
	for (; stack; stack = profile->stacks.data[stack].parent) {
		const struct profile_frame *frame = &profile->frames.data[profile->stacks.data[stack].frame];
		const struct profile_function *function = &profile->functions.data[frame->function];
		fprintf(stream, "    %.*s:%u in %.*s\n", (int)function->file.size, function->file.data,
			frame->line == PROFILE_WHOLE ? 0 : frame->line, (int)function->name.size, function->name.data);
	}
}

static void say_row(const struct profile *profile, const struct memory_table_row *row, FILE *stream)
{
	struct buffer text = { 0 };
	memory_add_statistic(&text, row, /* differences= */ false);
	fprintf(stream, "  %s\n", buffer_string(&text));
	buffer_deinit(&text);
	if (row->first->stack)
		say_traceback(profile, row->first->stack, stream);
	else
		fprintf(stream, "    no Python frame\n");
}

/* Modules are imported once: what they leave behind is no leak. */
static bool is_import(const struct profile *profile, uint32_t stack)
{
	for (; stack; stack = profile->stacks.data[stack].parent) {
		const struct profile_frame *frame = &profile->frames.data[profile->stacks.data[stack].frame];
		if (profile->functions.data[frame->function].origin == ORIGIN_IMPORT)
			return true;
	}
	return false;
}

static void say_limit(FILE *stream, const char *what, int64_t found, uint64_t limit)
{
	struct buffer text = { 0 };
	memory_add_size(&text, found, false);
	fprintf(stream, "pyrometer memory: %s %s, more than the limit of ", what, buffer_string(&text));
	text.size = 0;
	memory_add_size(&text, (int64_t)limit, false);
	fprintf(stream, "%s:\n", buffer_string(&text));
	buffer_deinit(&text);
}

static struct error *check_peak(
	const struct memory_limits *limits, struct profile *profile, FILE *stream, bool *ret_exceeded)
{
	_cleanup_memory_table_ struct memory_table table = { 0 };
	if (!limits->peak || profile->memory->peak.bytes <= (int64_t)limits->peak)
		return NULL;
	TRY(memory_table_init(profile, MEMORY_PEAK, REPORT_BY_TRACEBACK, &table));
	say_limit(stream, "the peak was", profile->memory->peak.bytes, limits->peak);
	for (size_t i = 0; i < table.rows.count && i < CULPRITS; i++)
		say_row(profile, &table.rows.data[i], stream);
	*ret_exceeded = true;
	return NULL;
}

static struct error *check_leaks(
	const struct memory_limits *limits, struct profile *profile, FILE *stream, bool *ret_exceeded)
{
	_cleanup_memory_table_ struct memory_table table = { 0 };
	if (!limits->leak)
		return NULL;
	TRY(memory_table_init(profile, MEMORY_LEAKS, REPORT_BY_TRACEBACK, &table));
	for (size_t i = 0, said = 0; i < table.rows.count && said < CULPRITS; i++) {
		const struct memory_table_row *row = &table.rows.data[i];
		if (row->shown.bytes <= (int64_t)limits->leak || is_import(profile, row->first->stack))
			continue;
		say_limit(stream, "one call path leaked", row->shown.bytes, limits->leak);
		say_row(profile, row, stream);
		*ret_exceeded = true;
		said++;
	}
	return NULL;
}

struct error *memory_limits_check(
	const struct memory_limits *limits, struct profile *profile, FILE *stream, bool *ret_exceeded)
{
	*ret_exceeded = false;
	TRY(profile_decode(profile));
	TRY(check_peak(limits, profile, stream, ret_exceeded));
	return check_leaks(limits, profile, stream, ret_exceeded);
}
