/* calls_text.c: exact calls for reading: what Python's cProfile and pstats print, number for number, then what they
 * cannot say: how often generators were resumed, and what is to be said of the measuring (calls_notes.c). What imports
 * called is one row. */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "report/calls.h"
#include "report/calls_exceptions.h"
#include "report/calls_imports.h"
#include "report/calls_pattern.h"
#include "report/print.h"

struct calls_text {
	const struct report_options *options;
	struct buffer *out, scratch;
	struct calls calls;
	struct call_names names;
	struct calls_imports imports;
	uint32_t *order; /* functions that are shown; CALLS_IMPORTS_ROW among them */
	size_t count;
	bool by_cpu;
};

static const struct calls_function *function_of(const struct calls_text *t, uint32_t function)
{
	return &t->calls.functions.data[function];
}

static const char *label_of(struct calls_text *t, uint32_t function)
{
	t->scratch.size = 0;
	if (function == CALLS_IMPORTS_ROW)
		return t->imports.label;
	call_name_add(&t->scratch, &t->names.items[function]);
	return buffer_string(&t->scratch);
}

static unsigned width_of(struct calls_text *t, uint32_t function)
{
	label_of(t, function);
	return print_count_columns(print_text(&t->scratch));
}

static void add_spaces(struct calls_text *t, size_t count)
{
	while (count--)
		buffer_add_char(t->out, ' ');
}

/* "3/1": all calls and primitive ones. */
static void add_count(struct calls_text *t, uint64_t calls, uint64_t primitive, int width)
{
	char text[48];
	int length = snprintf(text, sizeof text, "%" PRIu64, calls);
	if (calls != primitive)
		snprintf(text + length, sizeof text - (size_t)length, "/%" PRIu64, primitive);
	buffer_printf(t->out, "%*s", width, text);
}

static void add_seconds(struct calls_text *t, uint64_t ns, uint64_t divisor)
{
	if (divisor)
		buffer_printf(t->out, " %8.3f", (double)ns / (double)NS_PER_S / (double)divisor);
	else
		buffer_add_string(t->out, "         ");
}

/* ---- which functions ---- */

static void add_title(struct calls_text *t)
{
	struct calls_whole whole = calls_whole(&t->calls, t->options->measured);
	buffer_printf(t->out, "         %" PRIu64 " function calls ", whole.calls);
	if (whole.calls != whole.primitive)
		buffer_printf(t->out, "(%" PRIu64 " primitive calls) ", whole.primitive);
	buffer_printf(t->out, "in %.3f seconds%s\n\n", (double)whole.time / (double)NS_PER_S,
		t->by_cpu ? " of CPU time" : "");
}

static struct error *keep_matching(struct calls_text *t, const char *pattern)
{
	regex_t regex;
	size_t kept = 0;
	TRY(calls_pattern_compile(pattern, &regex));
	for (size_t i = 0; i < t->count; i++)
		if (regexec(&regex, label_of(t, t->order[i]), 0, NULL, 0) == 0)
			t->order[kept++] = t->order[i];
	regfree(&regex);
	t->count = kept;
	return NULL;
}

/* The list of all functions, then what the pattern and -n leave of it, in the words of pstats. */
static struct error *choose(struct calls_text *t, const char *pattern)
{
	free(t->order);
	t->order = calls_rows_sort(&t->calls, &t->names, t->options);
	if (!t->order)
		return &error_no_memory;
	t->count = t->calls.functions.count;
	if (!pattern)
		t->count = calls_imports_fold(&t->imports, &t->calls, t->options, t->order, t->count);
	_cleanup_buffer_ struct buffer said = { 0 };
	buffer_printf(&said, "   Ordered by: %s\n", calls_sort_title(t->options->call_sort));
	if (pattern) {
		size_t all = t->count;
		TRY(keep_matching(t, pattern));
		if (t->count != all) {
			buffer_printf(&said, "   List reduced from %zu to %zu due to restriction <", all, t->count);
			calls_pattern_add(&said, pattern);
			buffer_add_string(&said, ">\n");
		}
	}
	if (t->options->rows && t->options->rows < t->count) {
		buffer_printf(&said, "   List reduced from %zu to %zu due to restriction <%zu>\n", t->count,
			t->options->rows, t->options->rows);
		t->count = t->options->rows;
	}
	if (t->count)
		buffer_printf(t->out, "%s\n", buffer_string(&said));
	if (!t->count && pattern) {
		buffer_add_string(t->out, "No function matches ");
		calls_pattern_add(t->out, pattern);
		buffer_add_string(t->out, ".\n\n");
	}
	return said.failed ? &error_no_memory : NULL;
}

/* ---- the table ---- */

/* Of the whole run. */
static void add_share(struct calls_text *t, uint64_t ns)
{
	uint64_t whole = calls_whole(&t->calls, t->options->measured).time;
	buffer_printf(t->out, " %6.1f%%", whole ? 100 * (double)ns / (double)whole : 0);
}

static void add_row(struct calls_text *t, uint32_t function)
{
	bool imports = function == CALLS_IMPORTS_ROW;
	const struct calls_sum *sum = imports ? &t->imports.sum : &function_of(t, function)->sum;
	struct calls_times times = calls_times(sum, t->options->measured);
	add_count(t, sum->calls, sum->primitive, 9);
	add_seconds(t, times.self, 1);
	add_seconds(t, times.self, sum->calls);
	add_seconds(t, times.total, 1);
	add_seconds(t, times.total, imports ? 0 : sum->primitive);
	if (t->options->shares) {
		add_share(t, times.self);
		add_share(t, times.total);
	}
	buffer_printf(t->out, " %s\n", label_of(t, function));
}

static void add_table(struct calls_text *t)
{
	if (!t->count)
		return;
	buffer_printf(t->out, "   ncalls  tottime  percall  cumtime  percall %sfilename:lineno(function)\n",
		t->options->shares ? "   own%    all% " : "");
	for (size_t i = 0; i < t->count; i++)
		add_row(t, t->order[i]);
	buffer_add_string(t->out, "\n\n");
}

/* Generators and coroutines. */
static void add_resumed(struct calls_text *t)
{
	bool any = false;
	for (size_t i = 0; i < t->count; i++) {
		const struct calls_function *function = t->order[i] == CALLS_IMPORTS_ROW ? NULL
											 : function_of(t, t->order[i]);
		if (!function || !function->sum.resumed)
			continue;
		if (!any)
			buffer_add_string(t->out,
				"   Generators and coroutines: how often they were started and resumed, and for how long they were suspended\n\n"
				"   ncalls   resumed suspended filename:lineno(function)\n");
		any = true;
		add_count(t, function->sum.calls, function->sum.primitive, 9);
		uint64_t suspended = function->suspended > 0 ? (uint64_t)function->suspended : 0;
		buffer_printf(t->out, " %9" PRIu64 " %9.3f %s\n", function->sum.resumed,
			(double)suspended / (double)NS_PER_S, label_of(t, t->order[i]));
	}
	if (any)
		buffer_add_string(t->out, "\n\n");
}

/* ---- callers and callees ---- */

struct related {
	const struct call_name *name;
	uint32_t function;
	const struct calls_sum *sum;
};

static int by_related_name(const void *left, const void *right)
{
	const struct related *a = left, *b = right;
	return call_name_compare(a->name, b->name);
}

static void add_related(struct calls_text *t, uint32_t function, const struct related *all, size_t count, size_t width,
	const char *arrow)
{
	buffer_add_string(t->out, label_of(t, function));
	add_spaces(t, width - width_of(t, function));
	buffer_printf(t->out, "%s ", arrow);
	for (size_t i = 0; i < count; i++) {
		const struct calls_sum *sum = all[i].sum;
		struct calls_times times = calls_times(sum, t->options->measured);
		if (i)
			add_spaces(t, width + 1);
		add_count(t, sum->calls, sum->primitive, i ? 9 : 7);
		add_seconds(t, times.self, 1);
		add_seconds(t, times.total, 1);
		buffer_printf(t->out, "  %s\n", label_of(t, all[i].function));
	}
	if (!count)
		buffer_add_char(t->out, '\n');
}

/* Numbers of pairs in the order of the function that they are listed for; those of function i begin at starts[i]. */
static void list_pairs(const struct calls *calls, bool callees, uint32_t *starts, uint32_t *listed)
{
	const struct calls_pair *pairs = calls->pairs.data;
	for (size_t i = 0; i < calls->pairs.count; i++)
		starts[(callees ? pairs[i].caller : pairs[i].callee) + 2]++;
	for (size_t i = 2; i < calls->functions.count + 2; i++)
		starts[i] += starts[i - 1];
	for (uint32_t i = 0; i < calls->pairs.count; i++)
		listed[starts[(callees ? pairs[i].caller : pairs[i].callee) + 1]++] = i;
}

static struct error *add_relations(struct calls_text *t, bool callees, size_t width)
{
	const struct calls *calls = &t->calls;
	_cleanup_free_ uint32_t *starts = calloc(calls->functions.count + 2, sizeof *starts),
				*listed = malloc((calls->pairs.count + 1) * sizeof *listed);
	_cleanup_free_ struct related *related = malloc((calls->functions.count + 1) * sizeof *related);
	if (!starts || !listed || !related)
		return &error_no_memory;
	list_pairs(calls, callees, starts, listed);
	for (size_t i = 0; i < t->count; i++) {
		size_t count = 0;
		for (uint32_t j = starts[t->order[i]]; j < starts[t->order[i] + 1]; j++) {
			const struct calls_pair *pair = &calls->pairs.data[listed[j]];
			uint32_t other = callees ? pair->callee : pair->caller;
			related[count++] = (struct related){ &t->names.items[other], other, &pair->sum };
		}
		qsort(related, count, sizeof *related, by_related_name);
		add_related(t, t->order[i], related, count, width, callees ? "->" : "<-");
	}
	return NULL;
}

static struct error *add_relation_table(struct calls_text *t, const char *pattern, bool callees)
{
	static const char heading[] = "Function ";
	size_t width = 0;
	TRY(choose(t, pattern));
	if (!t->count)
		return NULL;
	for (size_t i = 0; i < t->count; i++) {
		size_t columns = width_of(t, t->order[i]);
		width = columns > width ? columns : width;
	}
	width += 2;
	buffer_add_string(t->out, heading);
	add_spaces(t, width > sizeof heading - 1 ? width - (sizeof heading - 1) : 0);
	buffer_add_string(t->out, callees ? "called...\n" : "was called by...\n");
	if (t->calls.pairs.count) {
		add_spaces(t, width);
		buffer_add_string(t->out, "    ncalls  tottime  cumtime\n");
	}
	TRY(add_relations(t, callees, width));
	buffer_add_string(t->out, "\n\n");
	return NULL;
}

/* ---- all of it ---- */

static struct error *add_all(struct calls_text *t, struct profile *profile)
{
	const struct report_options *options = t->options;
	TRY(calls_init(profile, &t->calls));
	t->by_cpu = options->cpu_clock && t->calls.has_cpu;
	if (t->by_cpu)
		calls_use_cpu(&t->calls);
	TRY(call_names_init(&t->calls, options->full_paths, &t->names));
	if (!options->imports)
		TRY(calls_imports_find(&t->calls, &t->imports));
	if (options->callers)
		TRY(add_relation_table(t, options->callers, /* callees */ false));
	if (options->callees)
		TRY(add_relation_table(t, options->callees, /* callees */ true));
	if (!options->callers && !options->callees) {
		if (options->title)
			buffer_printf(t->out, "%s\n\n", options->title);
		add_title(t);
		TRY(choose(t, NULL));
		add_table(t);
		add_resumed(t);
		TRY(calls_exceptions_write(&t->calls, &t->names, options, t->out));
		if (t->calls.has_cpu && !t->by_cpu)
			TRY(calls_waiting_write(&t->calls, &t->names, options, t->out));
	}
	calls_notes_add(t->out, &t->calls, options);
	return t->scratch.failed || t->out->failed ? &error_no_memory : NULL;
}

struct error *calls_text_write(struct profile *profile, const struct report_options *options, struct buffer *out)
{
	struct calls_text t = { .options = options, .out = out };
	struct error *error = add_all(&t, profile);
	free(t.order);
	buffer_deinit(&t.scratch);
	calls_imports_deinit(&t.imports);
	call_names_deinit(&t.names);
	calls_deinit(&t.calls);
	return error;
}
