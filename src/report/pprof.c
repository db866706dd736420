/* pprof.c: profile.proto of github.com/google/pprof, gzipped.
 *
 * Three values a sample: samples/count, wall/nanoseconds, cpu/nanoseconds. Samples are one for each (stack, thread,
 * quality), which stand in their labels; the leaf comes first. A function's system_name stays unset: pprof would take
 * it for a mangled C++ name and make nothing of `<module>`. Files keep their full paths, since pprof opens them. */
#include <string.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "report/formats.h"
#include "report/label.h"
#include "report/print.h"
#include "report/protobuf.h"

/* Field numbers of profile.proto. */
enum {
	FIELD_SAMPLE_TYPE = 1,
	FIELD_SAMPLE,
	FIELD_MAPPING,
	FIELD_LOCATION,
	FIELD_FUNCTION,
	FIELD_STRING_TABLE,
	FIELD_TIME_NANOS = 9,
	FIELD_DURATION_NANOS,
	FIELD_PERIOD_TYPE,
	FIELD_PERIOD,
	FIELD_COMMENT,
	FIELD_DEFAULT_SAMPLE_TYPE
};
enum { VALUE_TYPE_TYPE = 1, VALUE_TYPE_UNIT };
enum { SAMPLE_LOCATION_ID = 1, SAMPLE_VALUE, SAMPLE_LABEL };
enum { LABEL_KEY = 1, LABEL_STR, LABEL_NUM };
enum {
	MAPPING_ID = 1,
	MAPPING_FILENAME = 5,
	MAPPING_HAS_FUNCTIONS = 7,
	MAPPING_HAS_FILENAMES,
	MAPPING_HAS_LINE_NUMBERS
};
enum { LOCATION_ID = 1, LOCATION_MAPPING_ID, LOCATION_LINE = 4 };
enum { LINE_FUNCTION_ID = 1, LINE_LINE };
enum { FUNCTION_ID = 1, FUNCTION_NAME, FUNCTION_FILENAME = 4, FUNCTION_START_LINE };

enum { THE_MAPPING = 1, THREADLESS = 1 << 29 };

struct pprof_sample {
	uint32_t node, thread, process;
	uint8_t quality;
	uint64_t samples, wall, cpu;
};

struct pprof {
	const struct profile_view *view;
	const struct profile_tree *tree;
	struct buffer *out, message, inner, packed, name;
	struct profile_strings strings; /* the string table: number 0 is empty in both */
	VEC(struct pprof_sample) samples;
	struct map index;
	bool failed;
};

static uint32_t string_of(struct pprof *p, struct text text)
{
	uint32_t number = 0;
	p->failed |= !profile_strings_add(&p->strings, text, &number);
	return number;
}

static uint32_t word_of(struct pprof *p, const char *word)
{
	return string_of(p, (struct text){ word, strlen(word) });
}

/* pprof prints names as they are; a newline would cut a row, and proto3 wants UTF-8. */
static uint32_t printable_of(struct pprof *p, struct text text)
{
	p->name.size = 0;
	print_add_text(&p->name, text);
	return string_of(p, print_text(&p->name));
}

static void add_value_type(struct pprof *p, unsigned field, const char *type, const char *unit)
{
	protobuf_add_number(&p->message, VALUE_TYPE_TYPE, word_of(p, type));
	protobuf_add_number(&p->message, VALUE_TYPE_UNIT, word_of(p, unit));
	protobuf_add_message(p->out, field, &p->message);
}

/* Rows differ in the state of their thread, which pprof has no place for. */
static struct error *merge_rows(struct pprof *p)
{
	for (size_t i = 0; i < p->view->rows.count; i++) {
		const struct profile_row *row = &p->view->profile->rows.data[p->view->rows.data[i]];
		uint32_t node = p->tree->row_nodes[i];
		uint32_t whose = row->thread ? row->thread : THREADLESS | row->process;
		uint64_t key = (uint64_t)node << 32 | (uint64_t)whose << 2 | row->quality;
		uint64_t *found = map_get(&p->index, key);
		if (!found) {
			struct pprof_sample sample = {
				.node = node, .thread = row->thread, .process = row->process, .quality = row->quality
			};
			if (!map_put(&p->index, key, p->samples.count) || !vec_push(&p->samples, sample))
				return &error_no_memory;
			found = map_get(&p->index, key);
		}
		struct pprof_sample *sample = &p->samples.data[*found];
		sample->samples += row->samples;
		sample->wall += row->wall;
		sample->cpu += profile_row_weight(row, PROFILE_CPU);
	}
	return NULL;
}

static void add_label(struct pprof *p, const char *key, uint32_t string, uint64_t number)
{
	protobuf_add_number(&p->inner, LABEL_KEY, word_of(p, key));
	protobuf_add_number(&p->inner, LABEL_STR, string);
	protobuf_add_number(&p->inner, LABEL_NUM, number);
	protobuf_add_message(&p->message, SAMPLE_LABEL, &p->inner);
}

static void add_sample(struct pprof *p, const struct pprof_sample *sample)
{
	static const char *const qualities[QUALITY_END] = { "exact", "repaired", "partial" };
	const struct profile *profile = p->view->profile;
	const struct profile_node *nodes = p->tree->nodes.data;
	for (uint32_t at = sample->node; at; at = nodes[at].parent)
		buffer_add_varint(&p->packed, nodes[at].what + 1);
	protobuf_add_message(&p->message, SAMPLE_LOCATION_ID, &p->packed);
	buffer_add_varint(&p->packed, sample->samples);
	buffer_add_varint(&p->packed, sample->wall);
	buffer_add_varint(&p->packed, sample->cpu);
	protobuf_add_message(&p->message, SAMPLE_VALUE, &p->packed);
	p->name.size = 0;
	label_add_thread(&p->name, profile, sample->thread);
	add_label(p, "thread", string_of(p, print_text(&p->name)), 0);
	if (profile->threads.data[sample->thread].tid)
		add_label(p, "tid", 0, profile->threads.data[sample->thread].tid);
	if (profile->processes.data[sample->process].pid)
		add_label(p, "pid", 0, profile->processes.data[sample->process].pid);
	add_label(p, "quality", word_of(p, qualities[sample->quality]), 0);
	protobuf_add_message(p->out, FIELD_SAMPLE, &p->message);
}

static void add_mapping(struct pprof *p)
{
	const struct profile *profile = p->view->profile;
	struct text executable = profile->processes.count > 1 ? profile->processes.data[1].executable
							      : (struct text){ "", 0 };
	protobuf_add_number(&p->message, MAPPING_ID, THE_MAPPING);
	protobuf_add_number(
		&p->message, MAPPING_FILENAME, executable.size ? printable_of(p, executable) : word_of(p, "python"));
	protobuf_add_number(&p->message, MAPPING_HAS_FUNCTIONS, 1);
	protobuf_add_number(&p->message, MAPPING_HAS_FILENAMES, 1);
	protobuf_add_number(&p->message, MAPPING_HAS_LINE_NUMBERS, 1);
	protobuf_add_message(p->out, FIELD_MAPPING, &p->message);
}

static void add_location(struct pprof *p, uint32_t id)
{
	const struct profile_frame *frame = &p->view->profile->frames.data[id];
	uint32_t line = frame->line == PROFILE_WHOLE ? p->view->profile->functions.data[frame->function].first_line
						     : frame->line;
	protobuf_add_number(&p->message, LOCATION_ID, (uint64_t)id + 1);
	protobuf_add_number(&p->message, LOCATION_MAPPING_ID, THE_MAPPING);
	protobuf_add_number(&p->inner, LINE_FUNCTION_ID, (uint64_t)frame->function + 1);
	protobuf_add_number(&p->inner, LINE_LINE, line);
	protobuf_add_message(&p->message, LOCATION_LINE, &p->inner);
	protobuf_add_message(p->out, FIELD_LOCATION, &p->message);
}

static void add_function(struct pprof *p, uint32_t id)
{
	const struct profile_function *function = &p->view->profile->functions.data[id];
	protobuf_add_number(&p->message, FUNCTION_ID, (uint64_t)id + 1);
	protobuf_add_number(&p->message, FUNCTION_NAME, printable_of(p, function->name));
	protobuf_add_number(&p->message, FUNCTION_FILENAME, printable_of(p, function->file));
	protobuf_add_number(&p->message, FUNCTION_START_LINE, function->first_line);
	protobuf_add_message(p->out, FIELD_FUNCTION, &p->message);
}

/* Those that the tree has. */
static struct error *add_places(struct pprof *p)
{
	const struct profile *profile = p->view->profile;
	_cleanup_free_ bool *frames = calloc(profile->frames.count + 1, 1),
			    *functions = calloc(profile->functions.count + 1, 1);
	if (!frames || !functions)
		return &error_no_memory;
	for (size_t i = 1; i < p->tree->nodes.count; i++)
		frames[p->tree->nodes.data[i].what] = true;
	for (uint32_t i = 0; i < profile->frames.count; i++)
		if (frames[i]) {
			functions[profile->frames.data[i].function] = true;
			add_location(p, i);
		}
	for (uint32_t i = 0; i < profile->functions.count; i++)
		if (functions[i])
			add_function(p, i);
	return NULL;
}

static void add_comment(struct pprof *p, const char *what, struct text text)
{
	p->name.size = 0;
	buffer_add_string(&p->name, what);
	print_add_text(&p->name, text);
	protobuf_add_number(p->out, FIELD_COMMENT, string_of(p, print_text(&p->name)));
}

/* "6,226 samples: 6,135 exact, 84 repaired, 7 partial; ticks late: 3, missed: 1", of the view. */
static void add_quality(struct pprof *p)
{
	uint64_t counts[QUALITY_END] = { 0 };
	struct buffer *text = &p->inner;
	for (size_t i = 0; i < p->samples.count; i++)
		counts[p->samples.data[i].quality] += p->samples.data[i].samples;
	print_add_number(text, p->view->all.samples);
	buffer_add_string(text, " samples: ");
	print_add_number(text, counts[QUALITY_EXACT]);
	buffer_add_string(text, " exact, ");
	print_add_number(text, counts[QUALITY_REPAIRED]);
	buffer_add_string(text, " repaired, ");
	print_add_number(text, counts[QUALITY_PARTIAL]);
	buffer_add_string(text, " partial");
	if (p->view->profile->ended) {
		buffer_add_string(text, "; ticks late: ");
		print_add_number(text, p->view->profile->end.ticks_late);
		buffer_add_string(text, ", missed: ");
		print_add_number(text, p->view->profile->end.ticks_missed);
	}
	protobuf_add_number(p->out, FIELD_COMMENT, string_of(p, print_text(text)));
	text->size = 0;
}

static void add_head(struct pprof *p, enum profile_weight weight)
{
	const struct profile *profile = p->view->profile;
	add_value_type(p, FIELD_SAMPLE_TYPE, "samples", "count");
	add_value_type(p, FIELD_SAMPLE_TYPE, "wall", "nanoseconds");
	add_value_type(p, FIELD_SAMPLE_TYPE, "cpu", "nanoseconds");
	protobuf_add_number(p->out, FIELD_TIME_NANOS, profile->info.start_unix_ns);
	protobuf_add_number(p->out, FIELD_DURATION_NANOS, profile_duration(profile));
	add_value_type(p, FIELD_PERIOD_TYPE, "wall", "nanoseconds");
	if (profile->info.rate_millihertz)
		protobuf_add_number(p->out, FIELD_PERIOD, 1000ull * NS_PER_S / profile->info.rate_millihertz);
	add_comment(p, "made by ", profile->info.tool);
	add_comment(p, "recorded by ", profile->info.command);
	add_comment(p, "on ", profile->info.host);
	add_quality(p);
	const char *usual = weight == PROFILE_CPU ? "cpu" : weight == PROFILE_WALL ? "wall" : "samples";
	protobuf_add_number(p->out, FIELD_DEFAULT_SAMPLE_TYPE, word_of(p, usual));
}

static struct error *add_all(struct pprof *p, enum profile_weight weight)
{
	TRY(merge_rows(p));
	add_head(p, weight);
	for (size_t i = 0; i < p->samples.count; i++)
		add_sample(p, &p->samples.data[i]);
	add_mapping(p);
	TRY(add_places(p));
	for (size_t i = 0; i < p->strings.texts.count; i++)
		protobuf_add_bytes(
			p->out, FIELD_STRING_TABLE, p->strings.texts.data[i].data, p->strings.texts.data[i].size);
	return p->failed || p->out->failed || p->message.failed || p->inner.failed || p->packed.failed || p->name.failed
		       ? &error_no_memory
		       : NULL;
}

static struct error *encode(struct pprof *p, enum profile_weight weight)
{
	struct error *error = profile_strings_init(&p->strings) ? add_all(p, weight) : &error_no_memory;
	profile_strings_deinit(&p->strings);
	buffer_deinit(&p->message);
	buffer_deinit(&p->inner);
	buffer_deinit(&p->packed);
	buffer_deinit(&p->name);
	vec_free(&p->samples);
	map_deinit(&p->index);
	return error;
}

static struct error *compress_to(const struct buffer *from, struct buffer *out)
{
	enum { GZIP = 16, LEVEL = 6, MEMORY = 8 };
	z_stream stream = { 0 };
	if (from->size > UINT32_MAX)
		return error_new(ERROR_FAILED,
			"a pprof file of more than 4 GiB cannot be written; look at less with --by function");
	if (deflateInit2(&stream, LEVEL, Z_DEFLATED, MAX_WBITS + GZIP, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
		return &error_no_memory;
	size_t bound = deflateBound(&stream, (uLong)from->size);
	bool done = bound <= UINT32_MAX && buffer_reserve(out, bound);
	if (done) {
		stream.next_in = (unsigned char *)from->data;
		stream.avail_in = (unsigned)from->size;
		stream.next_out = (unsigned char *)out->data + out->size;
		stream.avail_out = (unsigned)bound;
		done = deflate(&stream, Z_FINISH) == Z_STREAM_END;
		out->size += stream.total_out;
	}
	deflateEnd(&stream);
	return done ? NULL : &error_no_memory;
}

static struct error *write_pprof(struct profile *profile, const struct report_options *options, struct buffer *out)
{
	_cleanup_profile_view_ struct profile_view view = { 0 };
	_cleanup_profile_tree_ struct profile_tree tree = { 0 };
	_cleanup_buffer_ struct buffer message = { 0 };
	struct profile_view_options asked = options->view;
	asked.weight = PROFILE_SAMPLES;
	TRY(profile_view_init(profile, &asked, &view));
	TRY(profile_tree_init(
		&view, &(struct profile_tree_options){ .by_line = options->by != REPORT_BY_FUNCTION }, &tree));
	struct pprof p = { .view = &view, .tree = &tree, .out = &message };
	TRY(encode(&p, options->view.weight));
	return compress_to(&message, out);
}

const struct report_format report_format_pprof = {
	.name = "pprof",
	.summary = "gzipped profile.proto, for pprof and the servers that take it",
	.extensions = (const char *const[]){ ".pb.gz", ".pprof", NULL },
	.binary = true,
	.write = write_pprof,
};
