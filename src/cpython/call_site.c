#include "cpython/call_site.h"

#include "cpython/call_opcodes.h"

enum { UNIT = 2, CACHES_MAX = 10 };

/* Where the instructions of a code object begin; 0: cannot be said. */
static uint64_t instructions_of(struct memory *memory, const struct layout *l, uint64_t code)
{
	uint64_t bytes;
	if (l->code.code_adaptive != LAYOUT_NONE)
		return code + l->code.code_adaptive;
	return memory_read_u64(memory, code + l->code.code, &bytes) && bytes ? bytes + l->bytes.data : 0;
}

/* 3.11 and 3.12 point at the last cache entry of the instruction, the others at the instruction itself. */
static const struct call_opcode *find_opcode(uint16_t version, const uint8_t *unit, unsigned back)
{
	bool at_cache = version == 0x030b || version == 0x030c;
	for (size_t i = 0; i < sizeof call_opcodes / sizeof *call_opcodes; i++) {
		const struct call_opcode *call = &call_opcodes[i];
		if (call->version == version && call->opcode == *unit && back == (at_cache ? call->caches : 0))
			return call;
	}
	return NULL;
}

struct call_site call_site_look(struct memory *memory, const struct runtime *runtime, uint64_t code, int64_t offset)
{
	bool needs_proof = runtime->version >= 0x030b && runtime->version <= 0x030d;
	struct call_site site = { .pushes = !needs_proof };
	uint8_t units[(CACHES_MAX + 1) * UNIT];
	uint64_t start = instructions_of(memory, &runtime->layout, code);
	if (offset < 0 || !start)
		return site;
	/* Until 3.5 instructions have one or three bytes, and the offset is that of the opcode all the same. */
	unsigned most = (uint64_t)offset / UNIT < CACHES_MAX ? (unsigned)offset / UNIT : CACHES_MAX;
	if (!memory_read(memory, start + (uint64_t)offset - most * UNIT, units, most * UNIT + 1))
		return site;
	for (unsigned back = 0; back <= most; back++) {
		const struct call_opcode *call = find_opcode(runtime->version, &units[(most - back) * UNIT], back);
		if (!call)
			continue;
		site.calls |= call->calls;
		site.pushes |= call->pushes;
	}
	return site;
}
