/* print.c: see print.h. */
#include "report/print.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

enum { REPLACEMENT = 0xfffd };

/* Characters of no width and of two columns, the blocks that occur in names; the rest is one. */
static const struct {
	uint32_t first, last;
	uint8_t columns;
} widths[] = {
	{ 0x0300, 0x036f, 0 },
	{ 0x0591, 0x05bd, 0 },
	{ 0x064b, 0x065f, 0 },
	{ 0x1100, 0x115f, 2 },
	{ 0x1ab0, 0x1aff, 0 },
	{ 0x20d0, 0x20ff, 0 },
	{ 0x2e80, 0x303e, 2 },
	{ 0x3041, 0x33ff, 2 },
	{ 0x3400, 0x4dbf, 2 },
	{ 0x4e00, 0x9fff, 2 },
	{ 0xa000, 0xa4cf, 2 },
	{ 0xac00, 0xd7a3, 2 },
	{ 0xf900, 0xfaff, 2 },
	{ 0xfe00, 0xfe0f, 0 },
	{ 0xfe30, 0xfe6f, 2 },
	{ 0xff00, 0xff60, 2 },
	{ 0xffe0, 0xffe6, 2 },
	{ 0x1f300, 0x1f64f, 2 },
	{ 0x1f900, 0x1f9ff, 2 },
	{ 0x20000, 0x3fffd, 2 },
};

static uint8_t columns_of(uint32_t code)
{
	for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
		if (code <= widths[i].last)
			return code >= widths[i].first ? widths[i].columns : 1;
	return 1;
}

/* The bytes of the sequence that starts with this one, 0: none does. */
static unsigned sequence_size(unsigned char first)
{
	return first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
}

/* An empty text may have no bytes at all. */
static const char *start_of(struct text text)
{
	return text.data ? text.data : "";
}

struct print_char print_read_char(const char *at, const char *end)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *bytes = (const unsigned char *)at;
	unsigned size = sequence_size(bytes[0]);
	uint32_t code = size > 1 ? bytes[0] & (0x7f >> size) : bytes[0];
	bool good = size && (size_t)(end - at) >= size;
	for (unsigned i = 1; good && i < size; i++) {
		good = (bytes[i] & 0xc0) == 0x80;
		code = code << 6 | (bytes[i] & 0x3f);
	}
	if (!good || code < smallest[size] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return (struct print_char){ .code = UINT32_MAX, .size = 1, .columns = 4, .byte = bytes[0] };
	return (struct print_char){ .code = code, .size = (uint8_t)size, .columns = columns_of(code) };
}

/* Controls, and what turns the direction of text around or is not to be seen. */
static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200b && code <= 0x200f) ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) || code == 0xfeff;
}

/* A character as it is printed; at most 10 bytes. Returns the columns. */
static unsigned add_char(struct buffer *out, const char *at, struct print_char c)
{
	size_t before = out->size;
	if (c.code == UINT32_MAX)
		buffer_printf(out, "\\x%02x", c.byte);
	else if (c.code == '\n' || c.code == '\r' || c.code == '\t')
		buffer_printf(out, "\\%c", c.code == '\n' ? 'n' : c.code == '\r' ? 'r' : 't');
	else if (is_control(c.code) && c.code < 0x100)
		buffer_printf(out, "\\x%02x", (unsigned)c.code);
	else if (is_control(c.code))
		buffer_printf(out, "\\u%04x", (unsigned)c.code);
	else {
		buffer_add(out, at, c.size);
		return c.columns;
	}
	return (unsigned)(out->size - before);
}

/* What most of a text is, taken in one go. */
static size_t plain_run(const char *at, const char *end)
{
	const char *start = at;
	while (at < end && *at >= 0x20 && *at < 0x7f)
		at++;
	return (size_t)(at - start);
}

void print_add_text(struct buffer *out, struct text text)
{
	const char *at = start_of(text), *end = at + text.size;
	while (at < end) {
		size_t run = plain_run(at, end);
		buffer_add(out, at, run);
		at += run;
		if (at == end)
			break;
		struct print_char c = print_read_char(at, end);
		add_char(out, at, c);
		at += c.size;
	}
}

unsigned print_count_columns(struct text text)
{
	struct buffer printed = { 0 };
	unsigned columns = 0;
	for (const char *at = start_of(text), *end = at + text.size; at < end;) {
		size_t run = plain_run(at, end);
		columns += (unsigned)run;
		at += run;
		if (at == end)
			break;
		struct print_char c = print_read_char(at, end);
		printed.size = 0;
		columns += add_char(&printed, at, c);
		at += c.size;
	}
	buffer_deinit(&printed);
	return columns;
}

/* The longest start of the text that fits; returns its columns. */
static unsigned add_start(struct buffer *out, struct text text, unsigned columns)
{
	unsigned taken = 0;
	for (const char *at = start_of(text), *end = at + text.size; at < end;) {
		struct print_char c = print_read_char(at, end);
		size_t before = out->size;
		unsigned more = add_char(out, at, c);
		if (taken + more > columns) {
			out->size = before;
			break;
		}
		taken += more;
		at += c.size;
	}
	return taken;
}

/* Where the longest end of the text that fits begins. */
static const char *find_end(struct text text, unsigned total, unsigned columns)
{
	struct buffer printed = { 0 };
	const char *at = text.data, *end = text.data + text.size;
	while (at < end && total > columns) {
		struct print_char c = print_read_char(at, end);
		printed.size = 0;
		total -= add_char(&printed, at, c);
		at += c.size;
	}
	buffer_deinit(&printed);
	return at;
}

unsigned print_add_fitted(struct buffer *out, struct text text, unsigned columns, enum print_cut cut, bool ascii)
{
	const char *ellipsis = ascii ? ".." : "\xe2\x80\xa6";
	unsigned width = ascii ? 2 : 1, total = print_count_columns(text);
	if (total <= columns) {
		print_add_text(out, text);
		return total;
	}
	if (columns <= width)
		return add_start(out, text, columns);
	if (cut != PRINT_CUT_END) {
		const char *at = find_end(text, total, columns - width), *end = text.data + text.size;
		const char *slash = cut == PRINT_CUT_FOLDERS && at < end ? memchr(at, '/', (size_t)(end - at)) : NULL;
		if (slash)
			at = slash;
		buffer_add_string(out, ellipsis);
		return width + add_start(out, (struct text){ at, (size_t)(end - at) }, columns - width);
	}
	unsigned taken = add_start(out, text, columns - width);
	buffer_add_string(out, ellipsis);
	return taken + width;
}

/* "<" and ">" are escaped for the sake of pages that embed the JSON, U+2028 and U+2029 for old JavaScript. */
static bool json_escapes(uint32_t code, bool embedded)
{
	if (embedded && (code == '<' || code == '>' || code == '&'))
		return true;
	return code < 0x20 || code == 0x7f || (code >= 0x80 && code < 0xa0) || code == 0x2028 || code == 0x2029 ||
	       (code & 0xfffe) == 0xfffe;
}

static void add_json(struct buffer *out, struct text text, bool embedded)
{
	buffer_add_char(out, '"');
	for (const char *at = start_of(text), *end = at + text.size; at < end;) {
		struct print_char c = print_read_char(at, end);
		if (c.code == '"' || c.code == '\\')
			buffer_printf(out, "\\%c", (char)c.code);
		else if (c.code == '\n')
			buffer_add_string(out, "\\n");
		else if (c.code == UINT32_MAX || c.code > 0xffff ? c.code == UINT32_MAX
								 : json_escapes(c.code, embedded))
			buffer_printf(out, "\\u%04x", c.code == UINT32_MAX ? REPLACEMENT : (unsigned)c.code);
		else
			buffer_add(out, at, c.size);
		at += c.size;
	}
	buffer_add_char(out, '"');
}

void print_add_json(struct buffer *out, struct text text)
{
	add_json(out, text, /* embedded= */ true);
}

void print_add_json_alone(struct buffer *out, struct text text)
{
	add_json(out, text, /* embedded= */ false);
}

void print_add_utf8(struct buffer *out, struct text text)
{
	for (const char *at = start_of(text), *end = at + text.size; at < end;) {
		struct print_char c = print_read_char(at, end);
		if (c.code == UINT32_MAX)
			buffer_add_string(out, "\xef\xbf\xbd");
		else
			buffer_add(out, at, c.size);
		at += c.size;
	}
}

static bool xml_can_hold(uint32_t code)
{
	return (code >= 0x20 || code == '\t') && !(code >= 0x7f && code < 0xa0) && (code & 0xfffe) != 0xfffe &&
	       code != UINT32_MAX;
}

void print_add_xml(struct buffer *out, struct text text)
{
	for (const char *at = start_of(text), *end = at + text.size; at < end;) {
		struct print_char c = print_read_char(at, end);
		if (c.code == '&' || c.code == '<' || c.code == '>' || c.code == '"' || c.code == '\'')
			buffer_printf(out, "&#%u;", (unsigned)c.code);
		else if (!xml_can_hold(c.code))
			buffer_add_string(out, "\xef\xbf\xbd");
		else
			buffer_add(out, at, c.size);
		at += c.size;
	}
}

/* The digits of a number, from the back, with a separator or 0 after each third. */
static void add_digits(struct buffer *out, uint64_t number, char separator)
{
	char digits[32], *at = digits + sizeof digits;
	unsigned count = 0;
	do {
		if (separator && count && count % 3 == 0)
			*--at = separator;
		*--at = (char)('0' + number % 10);
		number /= 10;
		count++;
	} while (number);
	buffer_add(out, at, (size_t)(digits + sizeof digits - at));
}

void print_add_integer(struct buffer *out, uint64_t number)
{
	add_digits(out, number, 0);
}

void print_add_number(struct buffer *out, uint64_t number)
{
	add_digits(out, number, ',');
}

void print_add_duration(struct buffer *out, uint64_t ns, bool ascii)
{
	double s = (double)ns / NS_PER_S;
	uint64_t whole = (ns + NS_PER_S / 2) / NS_PER_S;
	if (ns == 0)
		buffer_add_string(out, "0 s");
	else if (ns < NS_PER_MS)
		buffer_printf(out, "%.0f %ss", s * 1e6, ascii ? "u" : "\xc2\xb5");
	else if (ns < 100 * (uint64_t)NS_PER_MS)
		buffer_printf(out, "%.*f ms", ns < 10 * NS_PER_MS, s * 1e3);
	else if (s < 99.95)
		buffer_printf(out, "%.*f s", s < 9.995 ? 2 : 1, s);
	else if (whole < 3600)
		buffer_printf(out, "%" PRIu64 " min %02" PRIu64 " s", whole / 60, whole % 60);
	else
		buffer_printf(out, "%" PRIu64 " h %02" PRIu64 " min", whole / 3600, whole % 3600 / 60);
}

void print_add_bytes(struct buffer *out, uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes;
	size_t unit = 0;
	for (; value >= 1024 && unit + 1 < sizeof units / sizeof *units; unit++)
		value /= 1024;
	buffer_printf(out, "%.*f %s", unit && value < 99.95 ? 1 : 0, value, units[unit]);
}
