/* fuzz_lprof.c: any bytes as a file of line_profiler, and what can be read of them in every format of lines; and as a
 * source in which a block is looked for.
 *
 * `seeds_lprof --seeds FOLDER` writes two to start from. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profile/lprof_reader.h"
#include "report/block.h"
#include "report/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void find_block(const char *data, size_t size)
{
	VEC(struct text) lines = { 0 };
	for (const char *at = data, *end = data + size; at < end;) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		struct text line = { at, (size_t)((newline ? newline : end) - at) };
		if (!vec_push(&lines, line))
			abort();
		at += line.size + 1;
	}
	size_t count = block_count_lines(lines.data, lines.count);
	if (count > lines.count || (!count && lines.count))
		abort();
	vec_free(&lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "text", "json", "lprof", "collapsed", "pprof", "svg" };
	struct profile *profile;
	struct report_options options = report_options_default();
	find_block((const char *)data, size);
	if (profile_create(NULL, &profile))
		abort();
	struct error *error = lprof_read(data, size, profile);
	for (size_t i = 0; !error && i < sizeof names / sizeof *names; i++) {
		struct buffer out = { 0 };
		options.line_self = options.summarize = size % 2;
		options.line_sort = (enum report_line_sort)(size % 5);
		options.rows = size % 3;
		options.view.weight = PROFILE_WALL;
		error = report_find_format(names[i])->write(profile, &options, &out);
		if (error && error->kind != ERROR_NO_MEMORY)
			abort();
		buffer_deinit(&out);
	}
	error_free(error);
	profile_destroy(profile);
	return 0;
}

#ifdef FUZZ_STANDALONE

/* As line_profiler 5.1 writes it: a function with two lines, and one without. */
static const char seed[] =
	"\x80\x05\x95\x70\x00\x00\x00\x00\x00\x00\x00\x8c\x1bline_profiler.line_profiler\x94\x8c\x09LineStats\x94\x93\x94"
	")\x81\x94}\x94(\x8c\x07timings\x94}\x94(\x8c\x04"
	"t.py\x94K\x01\x8c\x01"
	"f\x94\x87\x94]\x94(K\x03K\x01M\xbd\x02\x87\x94K\x04M\xe9\x03J\xbe\x7e\x01\x00\x87\x94"
	"eh\x07K\x09\x8c\x01g\x94\x87\x94]\x94u\x8c\x04unit\x94G>\x11.\x0b\xe8&\xd6\x95ub.";

static void write_seed(const char *folder, const char *name, const void *data, size_t size)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *file = fopen(path, "wb");
	if (!file || fwrite(data, 1, size, file) != size || fclose(file))
		abort();
}

int main(int argc, char **argv)
{
	struct profile *profile;
	struct report_options options = report_options_default();
	struct buffer out = { 0 };
	if (argc != 3 || profile_create(NULL, &profile) || lprof_read(seed, sizeof seed - 1, profile) ||
		report_find_format("lprof")->write(profile, &options, &out))
		abort();
	write_seed(argv[2], "line_profiler", seed, sizeof seed - 1);
	write_seed(argv[2], "pyrometer", out.data, out.size);
	LLVMFuzzerTestOneInput((const uint8_t *)seed, sizeof seed - 1);
	buffer_deinit(&out);
	profile_destroy(profile);
	return 0;
}

#endif
