/* lprof.c: lines as the file that line_profiler reads (.lprof): a pickle of its class LineStats, as its versions 4 and
 * 5 have it, by the name that both know:
 *
 *     timings {(file, first line, name): [(line, hits, time), ...]}, unit: seconds that 1 of time is
 *
 * Of pickle only what protocol 2 has. Times are integers in nanoseconds, or in the unit of the file that they are from.
 */
#include <string.h>

#include "base/cleanup.h"
#include "report/formats.h"
#include "report/line_table.h"
#include "report/print.h"

static void add_little(struct buffer *out, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		buffer_add_char(out, (char)(value >> 8 * i & 0xff));
}

static void add_integer(struct buffer *out, uint64_t value)
{
	enum { LONG1 = 0x8a };
	if (value <= UINT8_MAX) {
		buffer_add_char(out, 'K');
		add_little(out, value, 1);
	} else if (value <= INT32_MAX) {
		buffer_add_char(out, 'J');
		add_little(out, value, 4);
	} else {
		unsigned bytes = value > INT64_MAX ? 9 : 8; /* the highest bit is the sign */
		buffer_add_char(out, (char)LONG1);
		buffer_add_char(out, (char)bytes);
		add_little(out, value, 8);
		if (bytes == 9)
			buffer_add_char(out, '\0');
	}
}

static void add_real(struct buffer *out, double value)
{
	uint64_t bits;
	_Static_assert(sizeof bits == sizeof value, "pickle's floats are IEEE 754 doubles");
	memcpy(&bits, &value, sizeof bits);
	buffer_add_char(out, 'G');
	for (int shift = 56; shift >= 0; shift -= 8)
		buffer_add_char(out, (char)(bits >> shift & 0xff));
}

/* What is no UTF-8 becomes U+FFFD: Python would refuse the file. */
static void add_text(struct buffer *out, struct text text)
{
	buffer_add_char(out, 'X');
	size_t place = out->size;
	add_little(out, 0, 4);
	print_add_utf8(out, text);
	uint32_t size = (uint32_t)(out->size - place - 4);
	for (unsigned i = 0; !out->failed && i < 4; i++)
		out->data[place + i] = (char)(size >> 8 * i & 0xff);
}

static void add_line(struct buffer *out, const struct lines_line *line, bool measured)
{
	buffer_add_char(out, '(');
	add_integer(out, line->line);
	add_integer(out, line->sum.hits);
	add_integer(out, lines_times(&line->sum, measured).total);
	buffer_add_char(out, 't');
}

static void add_function(struct buffer *out, const struct lines *lines, uint32_t number, bool measured)
{
	const struct lines_function *function = &lines->functions.data[number];
	buffer_add_char(out, '(');
	add_text(out, lines_function_file(lines, function));
	add_integer(out, lines->profile->codes.data[function->code].first_line);
	add_text(out, lines_function_name(lines, function));
	buffer_add_string(out, "t](");
	for (uint32_t i = 0; i < function->count; i++)
		add_line(out, &lines->lines.data[function->first + i], measured);
	buffer_add_char(out, 'e');
}

static void add_word(struct buffer *out, const char *word)
{
	add_text(out, (struct text){ word, strlen(word) });
}

static struct error *write_lprof(struct profile *profile, const struct report_options *options, struct buffer *out)
{
	static const char head[] = "\x80\x02"
				   "cline_profiler._line_profiler\nLineStats\n)\x81}(";
	_cleanup_lines_ struct lines lines = { 0 };
	size_t count;
	if (profile->info.mode != RECORDING_LINES)
		return error_new(ERROR_USAGE,
			"there are no times of lines to write as .lprof: they are measured by `pyrometer lines`");
	TRY(lines_init(profile, &lines));
	if (options->cpu_clock)
		lines_use_cpu(&lines);
	_cleanup_free_ uint32_t *order = lines_rows_sort(&lines, options, &count);
	if (!order)
		return &error_no_memory;
	buffer_add(out, head, sizeof head - 1);
	add_word(out, "timings");
	buffer_add_string(out, "}(");
	for (size_t i = 0; i < count; i++)
		add_function(out, &lines, order[i], options->measured);
	buffer_add_char(out, 'u');
	add_word(out, "unit");
	add_real(out, lines.unit);
	buffer_add_string(out, "ub.");
	return out->failed ? &error_no_memory : NULL;
}

const struct report_format report_format_lprof = {
	.name = "lprof",
	.summary = "lines, for line_profiler",
	.extensions = (const char *const[]){ ".lprof", NULL },
	.binary = true,
	.write = write_lprof,
};
