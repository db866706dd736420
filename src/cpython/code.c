#include "cpython/code.h"
#include "cpython/object.h"

#include <string.h>

enum { INSTRUCTIONS_MAX = 64 << 20, LINE_MAX_SANE = 1 << 30, FRAME_WORDS_MAX = 1 << 20 };

size_t code_head_size(const struct layout *l)
{
	return l->code.size < CODE_HEAD_MAX ? l->code.size : CODE_HEAD_MAX;
}

static uint64_t word(const unsigned char *bytes, uint32_t offset)
{
	uint64_t value = 0;
	if (offset <= CODE_HEAD_MAX - sizeof value)
		memcpy(&value, bytes + offset, sizeof value);
	return value;
}

static uint32_t half(const unsigned char *bytes, uint32_t offset)
{
	uint32_t value = 0;
	if (offset <= CODE_HEAD_MAX - sizeof value)
		memcpy(&value, bytes + offset, sizeof value);
	return value;
}

static bool is_pointer(uint64_t p)
{
	return p > 4096 && p % 8 == 0 && p >> 56 == 0;
}

static uint32_t frame_size(const struct layout *l, const unsigned char *bytes)
{
	uint32_t words = half(bytes, l->code.framesize);
	if (l->code.framesize == LAYOUT_NONE)
		words = half(bytes, l->code.nlocalsplus) + half(bytes, l->code.stacksize) + l->iframe.localsplus / 8u;
	return words < FRAME_WORDS_MAX ? words * 8 : 0;
}

bool code_head_parse(const struct layout *l, const unsigned char *bytes, struct code_head *ret_head)
{
	struct code_head head = {
		.filename = word(bytes, l->code.filename),
		.name = word(bytes, l->code.name),
		.qualname = word(bytes, l->code.qualname),
		.linetable = word(bytes, l->code.linetable),
		.first_line = half(bytes, l->code.firstlineno),
		.version = half(bytes, l->code.version),
		.flags = half(bytes, l->code.flags),
	};
	if (l->code.code_adaptive != LAYOUT_NONE) {
		uint64_t units = word(bytes, l->var_object.size);
		if (!units || units > INSTRUCTIONS_MAX)
			return false;
		head.instructions = units * 2;
		head.frame_size = frame_size(l, bytes);
	} else {
		head.instructions = word(bytes, l->code.code);
		if (!is_pointer(head.instructions))
			return false;
	}
	if (!is_pointer(head.filename) || !is_pointer(head.name) || !is_pointer(head.linetable) ||
		(l->code.qualname != LAYOUT_NONE && !is_pointer(head.qualname)) || head.first_line > LINE_MAX_SANE)
		return false;
	*ret_head = head;
	return true;
}

bool code_head_equal(const struct code_head *a, const struct code_head *b)
{
	return a->filename == b->filename && a->name == b->name && a->qualname == b->qualname &&
	       a->linetable == b->linetable && a->instructions == b->instructions && a->first_line == b->first_line &&
	       a->version == b->version && a->flags == b->flags;
}

static enum lines_kind line_table_kind(uint16_t version)
{
	if (version >= 0x030b)
		return LINES_KIND_311;
	if (version == 0x030a)
		return LINES_KIND_310;
	return version >= 0x0300 ? LINES_KIND_LNOTAB_SIGNED : LINES_KIND_LNOTAB_UNSIGNED;
}

static bool still_same(struct memory *memory, const struct layout *l, uint64_t code, const struct code_head *head)
{
	unsigned char bytes[CODE_HEAD_MAX];
	struct code_head now;
	return memory_read(memory, code, bytes, code_head_size(l)) && code_head_parse(l, bytes, &now) &&
	       code_head_equal(head, &now);
}

bool code_read(struct memory *memory, const struct runtime *runtime, uint64_t code, const struct code_head *head,
	struct code_content *ret_content)
{
	struct code_content content = { .first_line = head->first_line,
		.line_table_kind = line_table_kind(runtime->version) };
	struct buffer *bytes = &content.bytes;
	size_t ends[4];
	bool ok = object_read_text(memory, runtime, head->filename, bytes);
	ends[0] = bytes->size;
	ok = ok && object_read_text(memory, runtime, head->name, bytes);
	ends[1] = bytes->size;
	ok = ok && (!head->qualname || object_read_text(memory, runtime, head->qualname, bytes));
	ends[2] = bytes->size;
	ok = ok && object_read_bytes(memory, runtime, head->linetable, bytes);
	ends[3] = bytes->size;
	if (!ok || bytes->failed || !still_same(memory, &runtime->layout, code, head)) {
		buffer_deinit(bytes);
		return false;
	}
	content.file = (struct text){ bytes->data, ends[0] };
	content.name = (struct text){ bytes->data + ends[0], ends[1] - ends[0] };
	content.qualname = (struct text){ bytes->data + ends[1], ends[2] - ends[1] };
	content.line_table = (struct text){ bytes->data + ends[2], ends[3] - ends[2] };
	*ret_content = content;
	return true;
}

void code_content_deinit(struct code_content *content)
{
	buffer_deinit(&content->bytes);
}
