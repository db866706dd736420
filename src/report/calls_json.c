/* calls_json.c: exact calls for programs. docs/json-calls.md is its description; a change that breaks a reader raises
 * the number in SCHEMA. */
#include <string.h>

#include "base/cleanup.h"
#include "report/calls_exceptions.h"
#include "report/head.h"
#include "report/print.h"

#define SCHEMA "pyrometer.calls/1"

struct calls_json {
	struct calls calls;
	struct call_names names;
	uint32_t *order, *place; /* functions by cumulative time, and where each stands */
	uint32_t *node;		 /* by stack: its number among those that count, from 0 */
	struct buffer *out;
};

static void add_signed(struct buffer *out, const char *name, int64_t value)
{
	buffer_printf(out, ",\"%s\":", name);
	if (value < 0)
		buffer_add_char(out, '-');
	print_add_integer(out, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

static void add_sum(struct buffer *out, const struct calls_sum *sum)
{
	struct calls_times corrected = calls_times(sum, /* measured */ false),
			   measured = calls_times(sum, /* measured */ true);
	head_add_json_number(out, "ncalls", sum->calls);
	head_add_json_number(out, "primitive", sum->primitive);
	head_add_json_number(out, "resumed", sum->resumed);
	head_add_json_number(out, "resumed_primitive", sum->resumed_primitive);
	head_add_json_number(out, "tottime_ns", corrected.self);
	head_add_json_number(out, "cumtime_ns", corrected.total);
	head_add_json_number(out, "measured_tottime_ns", measured.self);
	head_add_json_number(out, "measured_cumtime_ns", measured.total);
	head_add_json_number(out, "tottime_cpu_ns", corrected.self_cpu);
	head_add_json_number(out, "cumtime_cpu_ns", corrected.total_cpu);
}

static void add_function(struct calls_json *j, uint32_t number)
{
	const struct calls_function *function = &j->calls.functions.data[number];
	const struct profile *profile = j->calls.profile;
	const struct profile_code *code = &profile->codes.data[function->code];
	buffer_add_string(j->out, "{\"name\":");
	print_add_json(j->out, profile_strings_get(&profile->strings, code->name));
	head_add_json_text(j->out, "qualname", profile_strings_get(&profile->strings, code->qualname));
	head_add_json_text(j->out, "file", j->names.items[number].file);
	head_add_json_text(j->out, "path", profile_strings_get(&profile->strings, code->file));
	head_add_json_number(j->out, "line", code->first_line);
	head_add_json_bool(j->out, "builtin", code->flags & CODE_BUILTIN);
	_cleanup_buffer_ struct buffer label = { 0 };
	call_name_add(&label, &j->names.items[number]);
	head_add_json_text(j->out, "label", print_text(&label));
	add_sum(j->out, &function->sum);
	head_add_json_number(j->out, "unwound", function->unwound);
	add_signed(j->out, "suspended_ns", function->suspended);
	buffer_add_char(j->out, '}');
}

static void add_functions(struct calls_json *j)
{
	buffer_add_string(j->out, ",\n\"functions\":[");
	for (size_t i = 0; i < j->calls.functions.count; i++) {
		buffer_add_string(j->out, i ? ",\n" : "\n");
		add_function(j, j->order[i]);
	}
	buffer_add_char(j->out, ']');
}

static void add_pairs(struct calls_json *j)
{
	buffer_add_string(j->out, ",\n\"calls\":[");
	for (size_t i = 0; i < j->calls.pairs.count; i++) {
		const struct calls_pair *pair = &j->calls.pairs.data[i];
		buffer_printf(j->out, "%s{\"caller\":%u,\"callee\":%u", i ? ",\n" : "\n", j->place[pair->caller],
			j->place[pair->callee]);
		add_sum(j->out, &pair->sum);
		buffer_add_char(j->out, '}');
	}
	buffer_add_char(j->out, ']');
}

enum path_column {
	PATH_PARENT,
	PATH_FUNCTION,
	PATH_NCALLS,
	PATH_RESUMED,
	PATH_UNWOUND,
	PATH_TOTTIME,
	PATH_CUMTIME,
	PATH_MEASURED_CUMTIME,
	PATH_CUMTIME_CPU,
	PATH_COLUMN_END
};

static uint64_t path_value(const struct calls_json *j, const struct calls_node *node, enum path_column column)
{
	const struct calls_sum *sum = &node->sum;
	const uint64_t values[PATH_COLUMN_END] = {
		[PATH_FUNCTION] = j->place[node->function],
		[PATH_NCALLS] = sum->calls,
		[PATH_RESUMED] = sum->resumed,
		[PATH_UNWOUND] = node->unwound,
		[PATH_TOTTIME] = calls_times(sum, /* measured */ false).self,
		[PATH_CUMTIME] = calls_times(sum, /* measured */ false).total,
		[PATH_MEASURED_CUMTIME] = calls_times(sum, /* measured */ true).total,
		[PATH_CUMTIME_CPU] = calls_times(sum, /* measured */ false).total_cpu,
	};
	return values[column];
}

static void add_path_column(struct calls_json *j, enum path_column column)
{
	const struct profile *profile = j->calls.profile;
	bool first = true;
	for (size_t i = 1; i < profile->stacks.count; i++) {
		const struct calls_node *node = &j->calls.nodes[i];
		uint32_t parent = profile->stacks.data[i].parent;
		if (node->function == PROFILE_NONE)
			continue;
		if (!first)
			buffer_add_char(j->out, ',');
		first = false;
		if (column != PATH_PARENT)
			print_add_integer(j->out, path_value(j, node, column));
		else if (parent && j->calls.nodes[parent].function != PROFILE_NONE)
			print_add_integer(j->out, j->node[parent]);
		else
			buffer_add_string(j->out, "-1");
	}
}

static void add_paths(struct calls_json *j)
{
	static const char *const names[PATH_COLUMN_END] = { "parent", "function", "ncalls", "resumed", "unwound",
		"tottime_ns", "cumtime_ns", "measured_cumtime_ns", "cumtime_cpu_ns" };
	buffer_add_string(j->out, ",\n\"paths\":{");
	for (enum path_column column = 0; column < PATH_COLUMN_END; column++) {
		buffer_printf(j->out, "%s\"%s\":[", column ? ",\n" : "\n", names[column]);
		add_path_column(j, column);
		buffer_add_char(j->out, ']');
	}
	buffer_add_char(j->out, '}');
}

static void add_whole(struct calls_json *j)
{
	struct calls_whole corrected = calls_whole(&j->calls, /* measured */ false),
			   measured = calls_whole(&j->calls, /* measured */ true);
	buffer_add_string(j->out, ",\n\"totals\":{\"calls\":");
	print_add_integer(j->out, corrected.calls);
	head_add_json_number(j->out, "primitive", corrected.primitive);
	head_add_json_number(j->out, "time_ns", corrected.time);
	head_add_json_number(j->out, "measured_time_ns", measured.time);
	head_add_json_number(j->out, "cpu_ns", corrected.cpu);
	head_add_json_bool(j->out, "corrected", j->calls.has_cost);
	buffer_add_char(j->out, '}');
}

static struct error *index_all(struct calls_json *j, const struct report_options *options)
{
	size_t functions = j->calls.functions.count, stacks = j->calls.profile->stacks.count;
	j->order = calls_rows_sort(&j->calls, &j->names, options);
	j->place = malloc((functions + 1) * sizeof *j->place);
	j->node = malloc((stacks + 1) * sizeof *j->node);
	if (!j->order || !j->place || !j->node)
		return &error_no_memory;
	for (uint32_t i = 0; i < functions; i++)
		j->place[j->order[i]] = i;
	for (uint32_t i = 0, count = 0; i < stacks; i++)
		j->node[i] = j->calls.nodes[i].function == PROFILE_NONE ? PROFILE_NONE : count++;
	return NULL;
}

static struct error *add_all(struct calls_json *j, struct profile *profile, const struct report_options *options)
{
	_cleanup_profile_time_table_ struct profile_time_table times = { 0 };
	TRY(profile_time_table_init(profile, &times));
	TRY(calls_init(profile, &j->calls));
	TRY(call_names_init(&j->calls, options->full_paths, &j->names));
	TRY(index_all(j, options));
	buffer_add_string(j->out, "{\"schema\":\"" SCHEMA "\",\n");
	head_add_json(j->out, profile, &times.all);
	add_whole(j);
	add_functions(j);
	add_pairs(j);
	TRY(calls_exceptions_write_json(&j->calls, &j->names, j->out));
	add_paths(j);
	buffer_add_string(j->out, "}\n");
	return j->out->failed ? &error_no_memory : NULL;
}

struct error *calls_json_write(struct profile *profile, const struct report_options *options, struct buffer *out)
{
	struct calls_json j = { .out = out };
	struct error *error = add_all(&j, profile, options);
	free(j.order);
	free(j.place);
	free(j.node);
	call_names_deinit(&j.names);
	calls_deinit(&j.calls);
	return error;
}
