/* synthetic_tool.c: a recording of synthetic.h as a report, on stdout: for looking at, and for tests of foreign
 * readers.
 *
 * usage: synthetic_tool SCENE FORMAT [OPTION...]
 *     SCENE: shop, hostile, many, empty, one, idle, bakery, mill, cellar, deep, moments, script: what the lines on
 * stdin say (script.c), or lprof: a file of line_profiler on stdin FORMAT: a name of report_list_formats(), or pyro,
 * which goes to --path FILE
 *     --idle --gil --cpu --threads --full-paths --lines --summary --colour --ascii
 *     --by X, --sort X, --weight X, --rows N, --width N, --root FOLDER (of the shop's own files), --time (to stderr),
 *     --measured, --callers PATTERN, --callees PATTERN, --self, --skip-zero, --summarize, --unit SECONDS */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "profile/lprof_reader.h"
#include "recording/writer.h"
#include "report/report.h"
#include "synthetic.h"

static void feed_one(struct sink *sink, unsigned state, unsigned count)
{
	struct feed feed;
	feed_begin(&feed, sink, 100);
	uint32_t thread = feed_thread(&feed, feed_process(&feed, 7, "python3 one.py", "/srv"), 7, "MainThread");
	uint32_t stack = feed_stack(&feed, 0, feed_function(&feed, "f", "/srv/one.py", 3), 1);
	feed_samples(&feed, thread, stack, state, QUALITY_EXACT, count);
	feed_end(&feed);
}

/* The profile is that of a file. */
static struct error *read_lprof(struct profile *profile)
{
	static char chunk[1 << 16];
	static struct buffer content; /* the profile's texts are copies, but the tool ends soon anyway */
	for (size_t count; (count = fread(chunk, 1, sizeof chunk, stdin)) > 0;)
		buffer_add(&content, chunk, count);
	return lprof_read(content.data, content.size, profile);
}

static bool feed_scene(struct sink *sink, const char *scene, const char *root)
{
	struct feed feed;
	if (strcmp(scene, "shop") == 0)
		feed_shop(sink, root);
	else if (strcmp(scene, "hostile") == 0)
		feed_hostile(sink);
	else if (strcmp(scene, "many") == 0)
		feed_many(sink, 1000000, 10000);
	else if (strcmp(scene, "empty") == 0)
		feed_begin(&feed, sink, 1000);
	else if (strcmp(scene, "one") == 0)
		feed_one(sink, FEED_BUSY, 1);
	else if (strcmp(scene, "idle") == 0)
		feed_one(sink, FEED_IDLE, 500);
	else if (strcmp(scene, "moments") == 0)
		feed_moments(sink);
	else if (strcmp(scene, "bakery") == 0)
		feed_bakery(sink);
	else if (strcmp(scene, "mill") == 0)
		feed_mill(sink, root, 1700000000);
	else if (strcmp(scene, "cellar") == 0)
		feed_cellar(sink, root);
	else if (strcmp(scene, "deep") == 0)
		feed_deep_calls(sink, 200000, 800000);
	else if (strcmp(scene, "script") == 0)
		feed_script(sink, stdin);
	else
		return false;
	return true;
}

static bool set_flag(struct report_options *options, const char *word)
{
	const struct {
		const char *word;
		bool *flag;
	} flags[] = {
		{ "--idle", &options->view.idle },
		{ "--gil", &options->view.only_gil },
		{ "--cpu", &options->view.only_cpu },
		{ "--threads", &options->threads },
		{ "--full-paths", &options->full_paths },
		{ "--lines", &options->lines },
		{ "--summary", &options->summary },
		{ "--colour", &options->colour },
		{ "--ascii", &options->ascii },
		{ "--measured", &options->measured },
		{ "--self", &options->line_self },
		{ "--skip-zero", &options->skip_zero },
		{ "--summarize", &options->summarize },
	};
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		if (strcmp(flags[i].word, word) == 0)
			return *flags[i].flag = true;
	return false;
}

static bool set_value(struct report_options *options, const char *word, const char *value)
{
	if (strcmp(word, "--rows") == 0)
		options->rows = strtoul(value, NULL, 10);
	else if (strcmp(word, "--width") == 0)
		options->width = (unsigned)strtoul(value, NULL, 10);
	else if (strcmp(word, "--weight") == 0)
		return report_find_weight(value, &options->view.weight);
	else if (strcmp(word, "--by") == 0)
		for (enum report_by by = 0; report_by_words[by]; by++)
			options->by = strcmp(report_by_words[by], value) == 0 ? by : options->by;
	else if (strcmp(word, "--sort") == 0)
		return !report_parse_sort(value, 0, options);
	else if (strcmp(word, "--unit") == 0)
		options->unit = strtod(value, NULL);
	else if (strcmp(word, "--callers") == 0)
		options->callers = value;
	else if (strcmp(word, "--callees") == 0)
		options->callees = value;
	else
		return false;
	return true;
}

static int fail(const char *what, const char *which)
{
	fprintf(stderr, "synthetic_tool: %s %s\n", what, which);
	return 2;
}

static int write_recording(const char *scene, const char *path)
{
	struct sink *writer;
	struct error *error = recording_writer_create(path, &writer);
	if (!error && !feed_scene(writer, scene, ""))
		return fail("no such scene:", scene);
	if (!error)
		error = recording_writer_finish(writer);
	return error ? fail("failed:", error_message(error)) : 0;
}

/* A format that is written while events come. */
static int write_stream(const struct report_format *format, const char *scene, const char *root)
{
	struct report_stream *stream;
	struct error *error = format->open(stdout, &stream);
	if (error)
		return fail("failed:", error_message(error));
	if (!feed_scene(report_stream_sink(stream), scene, root))
		return fail("no such scene:", scene);
	error = report_stream_finish(stream);
	report_stream_destroy(stream);
	return error ? fail("failed:", error_message(error)) : 0;
}

int main(int argc, char **argv)
{
	struct report_options options = report_options_default();
	const char *root = "/srv/shop";
	bool timed = false;
	if (argc < 3)
		return fail("usage:", "SCENE FORMAT [OPTION...]");
	if (argc == 5 && strcmp(argv[2], "pyro") == 0)
		return write_recording(argv[1], argv[4]);
	for (int i = 3; i < argc; i++) {
		if (strcmp(argv[i], "--time") == 0)
			timed = true;
		else if (strcmp(argv[i], "--root") == 0 && i + 1 < argc)
			root = argv[++i];
		else if (!set_flag(&options, argv[i]) && (i + 1 == argc || !set_value(&options, argv[i], argv[i + 1])))
			return fail("no such option:", argv[i]);
		else if (argv[i][2] && i + 1 < argc && !set_flag(&(struct report_options){ 0 }, argv[i]))
			i++;
	}
	const struct report_format *format = report_find_format(argv[2]);
	struct profile *profile;
	struct buffer out = { 0 };
	if (!format)
		return fail("no such format:", argv[2]);
	if (format->open)
		return write_stream(format, argv[1], root);
	struct error *error = profile_create(NULL, &profile);
	bool is_lprof = strcmp(argv[1], "lprof") == 0;
	if (!error && is_lprof)
		error = read_lprof(profile);
	if (!error && !is_lprof && !feed_scene(&profile->sink, argv[1], root))
		return fail("no such scene:", argv[1]);
	uint64_t start = clock_now();
	if (!error)
		error = format->write(profile, &options, &out);
	if (error)
		return fail("failed:", error_message(error));
	if (timed)
		fprintf(stderr, "%zu rows, %zu stacks, %zu bytes in %.1f ms\n", profile->rows.count,
			profile->stacks.count, out.size, (double)(clock_now() - start) / NS_PER_MS);
	if (out.size)
		fwrite(out.data, 1, out.size, stdout);
	buffer_deinit(&out);
	profile_destroy(profile);
	return 0;
}
