/* report_kit.c: see report_kit.h. */
#include "report_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "base/varint.h"
#include "report/print.h"
#include "synthetic.h"

struct buffer kit_write(feed_scene *scene, const char *format, const struct report_options *options)
{
	struct profile *profile;
	struct buffer out = { 0 };
	assert_null(profile_create(NULL, &profile));
	scene(&profile->sink);
	assert_non_null(report_find_format(format));
	assert_null(report_find_format(format)->write(profile, options, &out));
	profile_destroy(profile);
	buffer_string(&out);
	assert_false(out.failed);
	return out;
}

void kit_expect_golden(const struct buffer *out, const char *name)
{
	const char *folder = getenv("GOLDEN_DIR");
	char path[4096];
	_cleanup_buffer_ struct buffer expected = { 0 };
	assert_non_null(folder);
	snprintf(path, sizeof path, "%s/%s", folder, name);
	_cleanup_fclose_ FILE *file = fopen(path, getenv("PYROMETER_UPDATE_GOLDEN") ? "w+" : "r");
	if (!file)
		fail_msg("no file %s", path);
	if (getenv("PYROMETER_UPDATE_GOLDEN"))
		fwrite(out->data, 1, out->size, file);
	rewind(file);
	for (int c; (c = getc(file)) != EOF;)
		buffer_add_char(&expected, (char)c);
	if (expected.size != out->size || memcmp(expected.data, out->data, out->size) != 0)
		fail_msg("%s is not what came out:\n%s", name, out->data);
}

void kit_shop(struct sink *sink)
{
	feed_shop(sink, "/srv/shop");
}

void kit_hostile(struct sink *sink)
{
	feed_hostile(sink);
}

void kit_nothing(struct sink *sink)
{
	struct feed feed;
	feed_begin(&feed, sink, 1000);
	feed_end(&feed);
}

void kit_one(struct sink *sink)
{
	struct feed feed;
	feed_begin(&feed, sink, 100);
	uint32_t thread = feed_thread(&feed, feed_process(&feed, 7, "python3 one.py", "/srv"), 7, "MainThread");
	feed_samples(&feed, thread, feed_stack(&feed, 0, feed_function(&feed, "f", "/srv/one.py", 3), 1), FEED_BUSY,
		QUALITY_EXACT, 1);
	feed_end(&feed);
}

/* A JSON reader of nothing but its syntax. */
struct json_reader {
	const char *at, *end;
};

static bool read_value(struct json_reader *r);

static void skip_space(struct json_reader *r)
{
	while (r->at < r->end && strchr(" \t\r\n", *r->at) && *r->at)
		r->at++;
}

static bool take(struct json_reader *r, char c)
{
	if (r->at == r->end || *r->at != c)
		return false;
	r->at++;
	return true;
}

static bool read_escape(struct json_reader *r)
{
	if (r->at == r->end)
		return false;
	char c = *r->at++;
	if (c != 'u')
		return c && strchr("\"\\/bfnrt", c);
	for (int i = 0; i < 4; i++, r->at++)
		if (r->at == r->end || !*r->at || !strchr("0123456789abcdefABCDEF", *r->at))
			return false;
	return true;
}

static bool read_string(struct json_reader *r)
{
	if (!take(r, '"'))
		return false;
	while (r->at < r->end && *r->at != '"') {
		struct print_char c = print_read_char(r->at, r->end);
		if (c.code == UINT32_MAX || c.code < 0x20)
			return false;
		r->at += c.size;
		if (c.code == '\\' && !read_escape(r))
			return false;
	}
	return take(r, '"');
}

static bool read_number(struct json_reader *r)
{
	const char *start = r->at;
	take(r, '-');
	while (r->at < r->end && *r->at && strchr("0123456789.eE+-", *r->at))
		r->at++;
	return r->at > start;
}

static bool read_word(struct json_reader *r, const char *word)
{
	size_t length = strlen(word);
	if ((size_t)(r->end - r->at) < length || memcmp(r->at, word, length) != 0)
		return false;
	r->at += length;
	return true;
}

static bool read_members(struct json_reader *r, char close, bool named)
{
	skip_space(r);
	if (take(r, close))
		return true;
	do {
		skip_space(r);
		if (named) {
			if (!read_string(r))
				return false;
			skip_space(r);
			if (!take(r, ':'))
				return false;
		}
		if (!read_value(r))
			return false;
		skip_space(r);
	} while (take(r, ','));
	return take(r, close);
}

static bool read_value(struct json_reader *r)
{
	skip_space(r);
	if (take(r, '{'))
		return read_members(r, '}', true);
	if (take(r, '['))
		return read_members(r, ']', false);
	if (r->at < r->end && *r->at == '"')
		return read_string(r);
	return read_word(r, "true") || read_word(r, "false") || read_word(r, "null") || read_number(r);
}

bool kit_is_json(const struct buffer *json)
{
	struct json_reader r = { json->data, json->data + json->size };
	if (!read_value(&r))
		return false;
	skip_space(&r);
	return r.at == r.end;
}

uint64_t kit_sum_json_arrays(const struct buffer *json, const char *name)
{
	char pattern[64];
	uint64_t sum = 0;
	snprintf(pattern, sizeof pattern, "\"%s\":[", name);
	for (const char *at = json->data; (at = strstr(at, pattern));) {
		at += strlen(pattern);
		while (*at != ']') {
			char *end;
			sum += strtoull(at, &end, 10);
			at = *end == ',' ? end + 1 : end;
		}
	}
	return sum;
}

uint64_t kit_find_json_number(const struct buffer *json, const char *name)
{
	char pattern[64];
	snprintf(pattern, sizeof pattern, "\"%s\":", name);
	const char *found = strstr(json->data, pattern);
	assert_non_null(found);
	return strtoull(found + strlen(pattern), NULL, 10);
}

uint64_t kit_sum_collapsed(const struct buffer *text, long *ret_lines)
{
	uint64_t sum = 0;
	*ret_lines = 0;
	for (char *at = text->data, *end = text->data + text->size; at < end;) {
		char *newline = memchr(at, '\n', (size_t)(end - at)), *rest;
		char *space = newline ? memrchr(at, ' ', (size_t)(newline - at)) : NULL;
		if (!space || space == at) {
			*ret_lines = -1;
			return 0;
		}
		sum += strtoull(space + 1, &rest, 10);
		if (rest != newline || rest == space + 1) {
			*ret_lines = -1;
			return 0;
		}
		++*ret_lines;
		at = newline + 1;
	}
	return sum;
}

static struct buffer inflate_all(const struct buffer *gzipped, bool *ret_good)
{
	enum { GZIP = 16, STEP = 1 << 20 };
	struct buffer out = { 0 };
	z_stream stream = { .next_in = (unsigned char *)gzipped->data, .avail_in = (unsigned)gzipped->size };
	int status = inflateInit2(&stream, MAX_WBITS + GZIP);
	while (status == Z_OK && buffer_reserve(&out, STEP)) {
		stream.next_out = (unsigned char *)out.data + out.size;
		stream.avail_out = STEP;
		status = inflate(&stream, Z_NO_FLUSH);
		out.size += STEP - stream.avail_out;
	}
	*ret_good = status == Z_STREAM_END && stream.avail_in == 0;
	inflateEnd(&stream);
	return out;
}

/* A field of a protobuf message; a length-delimited one is in `bytes`. */
static uint64_t read_field(struct bytes_reader *r, struct bytes_reader *ret_bytes, unsigned *ret_field)
{
	uint64_t tag = read_varint(r);
	*ret_field = (unsigned)(tag >> 3);
	*ret_bytes = (struct bytes_reader){ 0 };
	if ((tag & 7) == 0)
		return read_varint(r);
	uint64_t size = read_varint(r);
	const unsigned char *bytes = (tag & 7) == 2 ? read_bytes(r, size) : NULL;
	if (bytes)
		*ret_bytes = (struct bytes_reader){ .at = bytes, .end = bytes + size };
	else
		r->bad = true;
	return 0;
}

static void add_sample(struct bytes_reader sample, uint64_t sums[3])
{
	enum { VALUE = 2 };
	while (sample.at < sample.end) {
		struct bytes_reader values;
		unsigned field;
		read_field(&sample, &values, &field);
		for (int i = 0; field == VALUE && i < 3; i++)
			sums[i] += read_varint(&values);
	}
}

bool kit_sum_pprof(const struct buffer *gzipped, uint64_t ret_sums[3])
{
	enum { SAMPLE = 2 };
	bool good;
	struct buffer message = inflate_all(gzipped, &good);
	struct bytes_reader r = { .at = (unsigned char *)message.data,
		.end = (unsigned char *)message.data + message.size };
	memset(ret_sums, 0, 3 * sizeof *ret_sums);
	while (good && r.at < r.end) {
		struct bytes_reader bytes;
		unsigned field;
		read_field(&r, &bytes, &field);
		if (field == SAMPLE)
			add_sample(bytes, ret_sums);
	}
	buffer_deinit(&message);
	return good && !r.bad;
}

void kit_expect_file(feed_scene *scene, const char *format, const struct report_options *options, const char *name)
{
	struct buffer out = kit_write(scene, format, options);
	kit_expect_golden(&out, name);
	buffer_deinit(&out);
}
