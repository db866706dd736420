/* report.c: `pyrometer report`: a recording as text or in another format. Everything that a report can say is computed
 * in report/; here the file is read and what was asked for is passed on. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cmd/cmd.h"
#include "cmd/foreign.h"
#include "cmd/memory_options.h"
#include "cmd/outputs.h"
#include "cmd/report_beside.h"
#include "cmd/segment.h"
#include "cmd/table_options.h"
#include "recording/reader.h"

struct report_command_options {
	struct option_list outputs;
	const char *format;
	enum report_by by;
	struct table_options table;
	struct memory_options_view memory;
	enum profile_weight weight;
	bool idle, gil, cpu, threads, full_paths, lines, raw, tree;
};

/* In the order of the enum that they stand for. */
static const char *const weight_words[] = { "samples", "wall", "cpu", "bytes", "count", NULL };
_Static_assert(sizeof weight_words / sizeof *weight_words == PROFILE_WEIGHT_END + 1, "a word for each weight");

static void warn(const struct recording_status *status, const char *path, uint32_t mode)
{
	if (!status->complete)
		fprintf(stderr, "pyrometer report: warning: %s is not whole: %s\n", path, status->reason);
	if (!status->complete && (mode == RECORDING_CALLS || mode == RECORDING_LINES))
		segment_say_left(path);
	_cleanup_free_ char *part = NULL;
	if (asprintf(&part, "%s.part", path) < 0)
		part = NULL;
	else if (access(part, F_OK) == 0)
		fprintf(stderr, "pyrometer report: note: beside it is %s, a recording that has not ended\n", part);
}

static void choose_view(const struct report_command_options *options, struct report_options *report)
{
	*report = report_options_default();
	report->view.idle = options->idle;
	report->view.only_gil = options->gil;
	report->view.only_cpu = options->cpu;
	report->view.weight = options->weight;
	report->by = options->by;
	report->tree = options->tree;
	report->threads = options->threads;
	report->full_paths = options->full_paths;
	report->lines = options->lines;
}

/* A recording that does not know what was asked for is no report of zeros. */
static struct error *check_clock(const struct profile *profile, const char *path)
{
	bool known = !profile;
	for (size_t i = 0; !known && i < profile->tallies.count; i++)
		known = profile->tallies.data[i].cpu > 0;
	for (size_t i = 0; !known && i < profile->lines.count; i++)
		known = profile->lines.data[i].cpu > 0;
	if (known)
		return NULL;
	if (profile->info.mode == RECORDING_SAMPLES)
		return error_new(ERROR_USAGE,
			"--clock is for recordings of calls and lines; of samples it is --cpu or --weight cpu");
	return error_new(ERROR_USAGE, "--clock cpu: CPU time is not in %s", path);
}

/* What only recordings of memory have. */
static struct error *check_memory(const struct report_command_options *options, const char *path)
{
	if (memory_options_given(&options->memory))
		return error_new(ERROR_USAGE,
			"%s holds no allocations: --peak, --leaks and their kin are for what `memory` recorded", path);
	if (options->by >= REPORT_BY_FILE)
		return error_new(ERROR_USAGE, "%s holds no allocations: --by %s is for what `memory` recorded", path,
			report_by_words[options->by]);
	return NULL;
}

/* Bytes on a screen help nobody. */
static struct error *check_terminal(const struct report_command_options *options)
{
	const struct report_format *format = options->format ? report_find_format(options->format) : NULL;
	if (!format || !format->binary || !isatty(STDOUT_FILENO))
		return NULL;
	return error_new(ERROR_USAGE, "%s is not for a terminal: give -o FILE", format->name);
}

/* Of calls a FILE.part may have nothing yet: it is all in segments. */
static struct error *read_recording(const char *path, struct sink *sink, struct recording_status *status)
{
	size_t length = strlen(path);
	struct error *error = recording_read(path, sink, status);
	if (error && length > 5 && strcmp(path + length - 5, ".part") == 0)
		segment_say_left(path);
	return error;
}

static struct error *write_reports(
	const struct report_command_options *options, const struct invocation *invocation, const char *path)
{
	static const char *to_stdout = "-";
	const struct option_list none = { .items = { .data = &to_stdout, .count = 1 } };
	bool asked = options->outputs.items.count > 0;
	if (!asked)
		TRY(check_terminal(options));
	struct outputs outputs = { .quiet = true };
	struct recording_status status = { .complete = true };
	char *title = NULL;
	choose_view(options, &outputs.report);
	/* Before the file is read: what is wrong whatever it holds. */
	TRY(table_options_apply(&options->table, /* mode */ 0, &outputs.report));
	TRY(memory_options_choose(&options->memory, &outputs.memory));
	struct error *error = outputs_open(&outputs, asked ? &options->outputs : &none, options->format);
	if (!error && invocation->word_count > 1)
		error = report_beside_check(&outputs);
	if (!error)
		error = foreign_read(path, &outputs, &title);
	if (!error && !title && segment_is_it(path))
		error = segment_read(path, invocation, &outputs);
	else if (!error && !title)
		error = read_recording(path, outputs_sink(&outputs), &status);
	if (!error && invocation->word_count > 1)
		error = report_beside_read(&outputs, path, invocation->words + 1, invocation->word_count - 1);
	if (!error && outputs.profile)
		error = table_options_apply(&options->table, outputs.profile->info.mode, &outputs.report);
	if (!error && outputs.profile && outputs.profile->info.mode != RECORDING_MEMORY)
		error = check_memory(options, path);
	if (!error && options->table.clock)
		error = check_clock(outputs.profile, path);
	if (!error) {
		if (!title)
			warn(&status, path, outputs.profile ? outputs.profile->info.mode : 0);
		outputs.report.title = title;
		error = outputs_finish(&outputs);
	}
	outputs_deinit(&outputs);
	free(title);
	return error;
}

static struct error *report_run(const struct invocation *invocation, int *ret_status)
{
	const struct report_command_options *options = invocation->options;
	if (!invocation->word_count)
		return error_new(ERROR_USAGE, "give the recording to report");
	const char *path = invocation->words[0];
	if (options->raw && invocation->word_count > 1)
		return error_new(
			ERROR_USAGE, "--raw prints one recording: '%s' is one word too many", invocation->words[1]);
	if (options->raw && (options->format || options->outputs.items.count))
		return error_new(ERROR_USAGE, "--raw prints to stdout: leave -o and --format out");
	return options->raw ? recording_print_raw(path, stdout) : write_reports(options, invocation, path);
}

const struct command report_command = {
	.name = "report",
	.question = "Where does the time go, without touching the program?",
	.summary = "show a recording: as text, as a flame graph, or for other tools",
	.usage = (const char *const[]){ "[options] FILE.pyro", "[options] FILE.pstats", "[options] FILE.lprof",
		"[options] MEMORY.pyro|FILE.dat...", NULL },
	.description =
		"Prints where the time went: what was measured and how well, functions by own and by total time, the tree of calls, "
		"the hottest lines, threads and processes. Shares carry a 95 % interval. Idle time is left out unless --idle.\n\n"
		"With -o the report goes to files, whose names give the format. A recording that was cut off, even FILE.part, is "
		"reported as far as it goes.\n\n"
		"Of a recording of calls it prints what Python's cProfile does: ncalls, how often a function was called (3/1: three "
		"times, once not by itself); tottime, the seconds in it without what it called; cumtime, with that; percall, each "
		"of the two a call. Files that cProfile wrote (.pstats, .prof) are read, too.\n\n"
		"Of a recording of lines it prints what line_profiler does: hits and time of each line amid its source. Files that "
		"line_profiler wrote (.lprof) are read, too.\n\n"
		"Of a recording of `memory --rss` it draws resident memory over time, and says what made it move; files of mprof "
		"(.dat) are read, too. Of these several may be given, which are then drawn in one picture, each from its own "
		"beginning.",
	.options =
		(const struct option[]){
			{ .help = "Output" },
			{ 'o', "output", "FILE",
				"where the report goes; its name gives the format: .txt, .svg, .collapsed, .speedscope.json, "
				".pb.gz, .pstats, .callgrind, .lprof, .dat, .json; .pyro writes what could be read as a recording; may be given more than once; - is stdout",
				OPTION_LIST(struct report_command_options, outputs) },
			{ 0, "format", "NAME", "the format of outputs whose name does not tell",
				OPTION_TEXT(struct report_command_options, format) },
			{ 0, "raw", NULL, "print every block and record of the file instead, also of a damaged one",
				OPTION_FLAG(struct report_command_options, raw) },
			{ .help = "What counts" },
			{ 0, "idle", NULL, "idle time, too", OPTION_FLAG(struct report_command_options, idle) },
			{ 0, "gil", NULL, "only time in which the GIL was held",
				OPTION_FLAG(struct report_command_options, gil) },
			{ 0, "cpu", NULL, "only time on a core", OPTION_FLAG(struct report_command_options, cpu) },
			MEMORY_VIEW_OPTION_ROWS(struct report_command_options, memory),
			{ 0, "weight", "WHAT", "by what shares are counted",
				OPTION_CHOICE(struct report_command_options, weight, weight_words) },
			{ .help = "How it is shown" },
			{ 0, "by", "WHAT", "what a frame is",
				OPTION_CHOICE(struct report_command_options, by, report_by_words) },
			{ 0, "threads", NULL, "a root frame for each thread",
				OPTION_FLAG(struct report_command_options, threads) },
			{ 0, "lines", NULL, "hot lines amid their source",
				OPTION_FLAG(struct report_command_options, lines) },
			TABLE_OPTION_ROWS(struct report_command_options, table),
			{ 0, "full-paths", NULL, "file names as the program has them",
				OPTION_FLAG(struct report_command_options, full_paths) },
			{ .help = "Lines" },
			TABLE_LINE_OPTION_ROWS(struct report_command_options, table),
			{ .help = "Who called whom" },
			TABLE_CALLER_OPTION_ROWS(struct report_command_options, table),
			{ 0, "tree", NULL, "only the tree of calls, heaviest first; -n says how many lines",
				OPTION_FLAG(struct report_command_options, tree) },
			{ 0 },
		},
	.options_size = sizeof(struct report_command_options),
	.examples =
		(const struct example[]){
			{ "report web.pyro", "read it in the terminal" },
			{ "report web.pyro -o web.svg -o web.pb.gz",
				"a flame graph for the browser, and a file for pprof" },
			{ "report calls.pyro --sort time -n 10", "the ten functions with the most time of their own" },
			{ "report calls.pyro --callers put", "who called put, and how often" },
			{ "report old.prof --sort time", "the same of a file that cProfile wrote" },
			{ "report app.py.lprof --skip-zero", "the lines that line_profiler measured" },
			{ "report before.pyro after.pyro -o both.svg", "memory over time of two runs in one picture" },
			{ "report web.pyro --idle --threads", "what the threads waited for, each by itself" },
			{ NULL, NULL },
		},
	.run = report_run,
};
