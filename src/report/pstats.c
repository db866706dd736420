/* pstats.c: a table of calls as the file that cProfile writes and pstats, SnakeViz, gprof2dot and others read: a
 * marshalled dictionary
 *
 *     {(file, line, name): (primitive calls, calls, own seconds, total seconds, {caller: (calls, primitive, own,
 * total)})}
 *
 * Only codes that marshal has had since version 2 are used, and no references, so that every Python from 2.7 on reads
 * it. As in cProfile's files resumptions count as calls. pstats has one entry a key, so functions that would have the
 * same one have other names (calls.h). Of a recording of samples the counts are samples with the function on the stack.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "report/calls.h"
#include "report/formats.h"
#include "report/line_table.h"
#include "report/print.h"

static void add_le32(struct buffer *out, uint32_t value)
{
	for (int shift = 0; shift < 32; shift += 8)
		buffer_add_char(out, (char)(value >> shift & 0xff));
}

static void add_tuple(struct buffer *out, uint32_t size)
{
	buffer_add_char(out, '(');
	add_le32(out, size);
}

/* A long is its digits of 15 bits, the lowest first. */
static void add_integer(struct buffer *out, uint64_t value)
{
	uint32_t digits = 0;
	if (value <= INT32_MAX) {
		buffer_add_char(out, 'i');
		add_le32(out, (uint32_t)value);
		return;
	}
	for (uint64_t rest = value; rest; rest >>= 15)
		digits++;
	buffer_add_char(out, 'l');
	add_le32(out, digits);
	for (; value; value >>= 15) {
		buffer_add_char(out, (char)(value & 0xff));
		buffer_add_char(out, (char)(value >> 8 & 0x7f));
	}
}

static void add_seconds(struct buffer *out, uint64_t ns)
{
	double seconds = (double)ns / (double)NS_PER_S;
	uint64_t bits;
	_Static_assert(sizeof bits == sizeof seconds, "marshal's floats are IEEE 754 doubles");
	memcpy(&bits, &seconds, sizeof bits);
	buffer_add_char(out, 'g');
	add_le32(out, (uint32_t)bits);
	add_le32(out, (uint32_t)(bits >> 32));
}

/* What is no UTF-8 becomes U+FFFD: marshal refuses to read it. */
static void add_text(struct buffer *out, struct text text)
{
	buffer_add_char(out, 'u');
	size_t place = out->size;
	add_le32(out, 0);
	size_t start = out->size;
	print_add_utf8(out, text);
	uint32_t size = (uint32_t)(out->size - start);
	for (unsigned i = 0; !out->failed && i < 4; i++)
		out->data[place + i] = (char)(size >> 8 * i & 0xff);
}

static void add_key(struct buffer *out, const struct call_name *name)
{
	add_tuple(out, 3);
	add_text(out, name->file);
	add_integer(out, name->line);
	add_text(out, name->name);
}

/* The two counts stand in another order for functions than for callers. */
static void add_sum(struct buffer *out, const struct calls_sum *sum, bool measured, bool of_caller)
{
	struct calls_times times = calls_times(sum, measured);
	uint64_t calls = sum->calls + sum->resumed, primitive = sum->primitive + sum->resumed_primitive;
	add_integer(out, of_caller ? calls : primitive);
	add_integer(out, of_caller ? primitive : calls);
	add_seconds(out, times.self);
	add_seconds(out, times.total);
}

static void add_functions(struct buffer *out, const struct calls *calls, const struct call_names *names, bool measured)
{
	const struct calls_pair *pairs = calls->pairs.data;
	size_t next = 0;
	buffer_add_char(out, '{');
	for (uint32_t i = 0; i < calls->functions.count; i++) {
		add_key(out, &names->items[i]);
		add_tuple(out, 5);
		add_sum(out, &calls->functions.data[i].sum, measured, /* of_caller */ false);
		buffer_add_char(out, '{');
		for (; next < calls->pairs.count && pairs[next].callee == i; next++) {
			add_key(out, &names->items[pairs[next].caller]);
			add_tuple(out, 4);
			add_sum(out, &pairs[next].sum, measured, /* of_caller */ true);
		}
		buffer_add_char(out, '0');
	}
	buffer_add_char(out, '0');
}

static struct error *write_pstats(struct profile *profile, const struct report_options *options, struct buffer *out)
{
	_cleanup_calls_ struct calls calls = { 0 };
	_cleanup_call_names_ struct call_names names = { 0 };
	TRY(lines_refuse(profile, "pstats"));
	TRY(calls_init(profile, &calls));
	if (options->cpu_clock)
		calls_use_cpu(&calls);
	TRY(call_names_init(&calls, /* full_paths */ true, &names));
	add_functions(out, &calls, &names, options->measured);
	return out->failed ? &error_no_memory : NULL;
}

const struct report_format report_format_pstats = {
	.name = "pstats",
	.summary = "functions and their callers, for Python's pstats and SnakeViz",
	.extensions = (const char *const[]){ ".pstats", ".prof", NULL },
	.binary = true,
	.write = write_pstats,
};
