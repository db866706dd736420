#include "cpython/call_site.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "bytecode/callee.h"

enum { UNIT = 2, CODE_BYTES_MAX = 1 << 18 };

/* Where the instructions of a code object begin; 0: cannot be said. */
static uint64_t instructions_of(struct memory *memory, const struct layout *l, uint64_t code)
{
	uint64_t bytes;
	if (l->code.code_adaptive != LAYOUT_NONE)
		return code + l->code.code_adaptive;
	return memory_read_u64(memory, code + l->code.code, &bytes) && bytes ? bytes + l->bytes.data : 0;
}

/* 3.11 and 3.12 point at the last cache entry of an instruction that has put a frame on the stack; at the instruction
 * itself while it runs, as the others do all the time. */
static bool points_at_cache(uint16_t version)
{
	return version == 0x030b || version == 0x030c;
}

struct call_site call_site_look(struct memory *memory, const struct runtime *runtime, uint64_t code, int64_t offset)
{
	bool needs_proof = runtime->version >= 0x030b && runtime->version <= 0x030d;
	struct call_site site = { .pushes = !needs_proof, .name = -1 };
	uint64_t start = instructions_of(memory, &runtime->layout, code);
	_cleanup_buffer_ struct buffer bytes = { 0 };
	if (offset < 0 || offset >= CODE_BYTES_MAX || !start)
		return site;
	/* The instruction's argument is needed, too. */
	size_t size = (size_t)offset + (runtime->version < 0x0306 ? 3 : UNIT);
	if (!buffer_reserve(&bytes, size) || !memory_read(memory, start, bytes.data, size))
		return site;
	struct callee callee = callee_find(
		opcode_table_find(runtime->version), (const uint8_t *)bytes.data, size, (size_t)offset);
	if (!callee.info)
		return site;
	bool at_last = (size_t)offset + UNIT == callee.end, at_start = (size_t)offset == callee.start;
	site.calls = callee.info->calls && (at_start || (at_last && points_at_cache(runtime->version)));
	site.pushes |= callee.info->pushes && (points_at_cache(runtime->version) ? at_last : at_start);
	site.name = site.calls ? callee.name : -1;
	return site;
}

uint64_t call_site_name(struct memory *memory, const struct runtime *runtime, uint64_t code, int32_t index)
{
	const struct layout *l = &runtime->layout;
	uint64_t names, name;
	bool ok = index >= 0 && memory_read_u64(memory, code + l->code.names, &names) &&
		  memory_read_u64(memory, names + l->tuple.items + 8 * (uint64_t)index, &name);
	return ok ? name : 0;
}

/* ---- looking for a call ---- */

/* All instructions of the code object. */
static bool read_instructions(struct memory *memory, const struct layout *l, uint64_t code, struct buffer *bytes)
{
	uint64_t start = instructions_of(memory, l, code), size;
	/* ob_size of the bytes object, or, since 3.11, of the code object itself, which counts units. */
	uint64_t sized = l->code.code_adaptive != LAYOUT_NONE ? code : start - l->bytes.data;
	if (!start || !memory_read_u64(memory, sized + l->var_object.size, &size))
		return false;
	if (l->code.code_adaptive != LAYOUT_NONE)
		size *= UNIT;
	if (!size || size > CODE_BYTES_MAX || !buffer_reserve(bytes, size) ||
		!memory_read(memory, start, bytes->data, size))
		return false;
	bytes->size = size;
	return true;
}

/* The index of a name in co_names; -1: it is not there. */
static int32_t find_name(struct memory *memory, const struct layout *l, uint64_t code, uint64_t name)
{
	enum { NAMES_MAX = 4096 };
	uint64_t names, count;
	_cleanup_buffer_ struct buffer items = { 0 };
	if (!memory_read_u64(memory, code + l->code.names, &names) ||
		!memory_read_u64(memory, names + l->var_object.size, &count) || count > NAMES_MAX ||
		!buffer_reserve(&items, count * 8) ||
		!memory_read(memory, names + l->tuple.items, items.data, count * 8))
		return -1;
	for (uint32_t i = 0; i < count; i++)
		if (frame_word_((const unsigned char *)items.data, i * 8) == name)
			return (int32_t)i;
	return -1;
}

int64_t call_site_find(struct memory *memory, const struct runtime *runtime, uint64_t code, uint64_t name, bool resumes,
	int64_t before)
{
	_cleanup_buffer_ struct buffer bytes = { 0 };
	int32_t index = resumes ? -1 : find_name(memory, &runtime->layout, code, name);
	if ((!resumes && index < 0) || !read_instructions(memory, &runtime->layout, code, &bytes))
		return -1;
	struct callee_scan scan;
	struct callee callee;
	int64_t found = -1;
	callee_scan_begin(&scan, opcode_table_find(runtime->version), (const uint8_t *)bytes.data, bytes.size);
	while (callee_scan_next(&scan, &callee)) {
		if (resumes ? !callee.info->resumes : callee.name != index)
			continue;
		int64_t at = (int64_t)(points_at_cache(runtime->version) ? callee.end - UNIT : callee.start);
		if (found >= 0 && at > before)
			break;
		found = at;
	}
	return found;
}
