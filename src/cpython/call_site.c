#include "cpython/call_site.h"

#include "cpython/call_opcodes.h"

enum { UNIT = 2 };

/* 3.13 points at the instruction itself, 3.11 and 3.12 at its last cache entry. */
static bool is_call(uint16_t version, const uint8_t *unit, unsigned back)
{
	for (size_t i = 0; i < sizeof call_opcodes / sizeof *call_opcodes; i++) {
		const struct call_opcode *call = &call_opcodes[i];
		unsigned caches = version >= 0x030d ? 0 : call->caches;
		if (call->version == version && caches == back && call->opcode == *unit)
			return true;
	}
	return false;
}

bool call_site_can_push(struct memory *memory, const struct runtime *runtime, int64_t instruction, int64_t offset)
{
	enum { CACHES_MAX = 9 };
	uint8_t units[(CACHES_MAX + 1) * UNIT];
	if (runtime->version < 0x030b || runtime->version > 0x030d)
		return true;
	if (offset < 0)
		return false;
	uint64_t start = (uint64_t)instruction - CACHES_MAX * UNIT;
	if (!memory_read(memory, start, units, sizeof units))
		return false;
	for (unsigned back = 0; back <= CACHES_MAX && (int64_t)back * UNIT <= offset; back++)
		if (is_call(runtime->version, &units[(CACHES_MAX - back) * UNIT], back))
			return true;
	return false;
}
