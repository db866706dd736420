/* callgrind.c: a table of calls for KCachegrind and callgrind_annotate: own nanoseconds of each function, and of each
 * that it calls how often and for how long. Files and functions have numbers once they were named.
 *
 * A function is told apart by its file and name there, so that its line is part of its name. Where in the caller a call
 * stands is not recorded: it is put at the caller's first line. As in .pstats resumptions count as calls. */
#include <inttypes.h>

#include "base/cleanup.h"
#include "report/calls.h"
#include "report/formats.h"
#include "report/label.h"
#include "report/line_table.h"
#include "report/print.h"

struct callgrind {
	const struct report_options *options;
	struct buffer *out;
	struct calls calls;
	struct call_names names;
	bool *named;	     /* functions that have been named */
	uint32_t *file_of;   /* by function: a number for its file, from 1 */
	bool *file_named;    /* by that number */
	uint32_t *by_caller; /* pairs */
};

static void add_place(struct callgrind *c, const char *file_key, const char *function_key, uint32_t function)
{
	const struct call_name *name = &c->names.items[function];
	uint32_t file = c->file_of[function];
	buffer_printf(c->out, "%s=(%u)", file_key, file);
	if (!c->file_named[file]) {
		buffer_add_char(c->out, ' ');
		print_add_text(c->out, name->file.size ? name->file : (struct text){ "?", 1 });
	}
	buffer_printf(c->out, "\n%s=(%u)", function_key, function + 1);
	if (!c->named[function]) {
		buffer_add_char(c->out, ' ');
		print_add_text(c->out, name->name);
		if (!name->builtin)
			buffer_printf(c->out, ":%u", name->line);
	}
	buffer_add_char(c->out, '\n');
	c->file_named[file] = c->named[function] = true;
}

/* Readers take own time and that of calls for the whole: what a function calls of itself is in its own time already. */
static void add_call(struct callgrind *c, const struct calls_pair *pair)
{
	uint64_t time = pair->caller == pair->callee ? 0 : calls_times(&pair->sum, c->options->measured).total;
	add_place(c, "cfi", "cfn", pair->callee);
	buffer_printf(c->out, "calls=%" PRIu64 " %u\n%u %" PRIu64 "\n", pair->sum.calls + pair->sum.resumed,
		c->names.items[pair->callee].line, c->names.items[pair->caller].line, time);
}

static void add_functions(struct callgrind *c)
{
	size_t next = 0;
	for (uint32_t i = 0; i < c->calls.functions.count; i++) {
		buffer_add_char(c->out, '\n');
		add_place(c, "fl", "fn", i);
		buffer_printf(c->out, "%u %" PRIu64 "\n", c->names.items[i].line,
			calls_times(&c->calls.functions.data[i].sum, c->options->measured).self);
		for (; next < c->calls.pairs.count && c->calls.pairs.data[c->by_caller[next]].caller == i; next++)
			add_call(c, &c->calls.pairs.data[c->by_caller[next]]);
	}
}

static void add_head(struct callgrind *c, const struct profile *profile)
{
	buffer_add_string(c->out, "# callgrind format\nversion: 1\ncreator: ");
	print_add_text(c->out, profile->info.tool);
	if (profile->processes.count > 1) {
		buffer_printf(c->out, "\npid: %u\ncmd: ", profile->processes.data[1].pid);
		label_add_command(c->out, profile->processes.data[1].command);
	}
	buffer_printf(c->out, "\npart: 1\n\npositions: line\nevents: ns\nsummary: %" PRIu64 "\n",
		calls_whole(&c->calls, c->options->measured).time);
}

static int by_caller(const void *left, const void *right, void *data)
{
	uint32_t i = *(const uint32_t *)left, j = *(const uint32_t *)right;
	const struct calls_pair *pairs = data;
	if (pairs[i].caller != pairs[j].caller)
		return pairs[i].caller < pairs[j].caller ? -1 : 1;
	return (i > j) - (i < j);
}

/* A file's number is that of its string. */
static struct error *index_all(struct callgrind *c)
{
	size_t functions = c->calls.functions.count, pairs = c->calls.pairs.count;
	const struct profile *profile = c->calls.profile;
	c->named = calloc(functions + 1, sizeof *c->named);
	c->file_of = calloc(functions + 1, sizeof *c->file_of);
	c->file_named = calloc(profile->strings.texts.count + 1, sizeof *c->file_named);
	c->by_caller = malloc((pairs + 1) * sizeof *c->by_caller);
	if (!c->named || !c->file_of || !c->file_named || !c->by_caller)
		return &error_no_memory;
	for (size_t i = 0; i < functions; i++)
		c->file_of[i] = profile->codes.data[c->calls.functions.data[i].code].file + 1;
	for (uint32_t i = 0; i < pairs; i++)
		c->by_caller[i] = i;
	qsort_r(c->by_caller, pairs, sizeof *c->by_caller, by_caller, c->calls.pairs.data);
	return NULL;
}

static struct error *add_all(struct callgrind *c, struct profile *profile)
{
	TRY(lines_refuse(profile, "callgrind"));
	TRY(calls_init(profile, &c->calls));
	if (c->options->cpu_clock)
		calls_use_cpu(&c->calls);
	TRY(call_names_init(&c->calls, /* full_paths */ true, &c->names));
	TRY(index_all(c));
	add_head(c, profile);
	add_functions(c);
	return c->out->failed ? &error_no_memory : NULL;
}

static struct error *write_callgrind(struct profile *profile, const struct report_options *options, struct buffer *out)
{
	struct callgrind c = { .options = options, .out = out };
	struct error *error = add_all(&c, profile);
	free(c.named);
	free(c.file_of);
	free(c.file_named);
	free(c.by_caller);
	call_names_deinit(&c.names);
	calls_deinit(&c.calls);
	return error;
}

const struct report_format report_format_callgrind = {
	.name = "callgrind",
	.summary = "functions and what they call, for KCachegrind",
	.extensions = (const char *const[]){ ".callgrind", NULL },
	.write = write_callgrind,
};
