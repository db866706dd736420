#include "bytecode/callee.h"

#include <string.h>

enum { UNIT = 2 };

static const struct callee_instruction *nth_last(const struct callee_scan *scan, size_t n)
{
	return &scan->last[(scan->count - 1 - n) % CALLEE_EXPRESSION_MAX];
}

/* ---- decoding ---- */

/* 2.7: one byte, or three. */
static struct callee_instruction decode_27(
	const struct opcode_table *table, const uint8_t *code, size_t size, size_t at)
{
	bool has = code[at] >= table->have_argument;
	return (struct callee_instruction){
		.info = &table->opcodes[code[at]],
		.argument = has && size - at >= 3 ? (uint32_t)(code[at + 1] | code[at + 2] << 8) : 0,
		.start = at,
		.end = at + (has ? 3 : 1),
	};
}

/* From 3.6: units of opcode and argument, and cache entries from 3.11. */
static struct callee_instruction decode_unit(
	const struct opcode_table *table, const uint8_t *code, size_t size, size_t at)
{
	const struct opcode_info *info = &table->opcodes[code[at]];
	return (struct callee_instruction){
		.info = info,
		.argument = size - at >= UNIT ? code[at + 1] : 0,
		.start = at,
		.end = at + UNIT + (size_t)info->caches * UNIT,
	};
}

/* The next instruction, with the argument that those before it extend. */
static bool decode_next(struct callee_scan *scan)
{
	bool old = scan->table->version < 0x0306, extends = true;
	while (extends && scan->at < scan->size) {
		struct callee_instruction next = old ? decode_27(scan->table, scan->code, scan->size, scan->at)
						     : decode_unit(scan->table, scan->code, scan->size, scan->at);
		next.argument |= scan->extended << (old ? 16 : 8);
		extends = next.info->extends;
		scan->extended = extends ? next.argument : 0;
		if (!extends)
			scan->last[scan->count++ % CALLEE_EXPRESSION_MAX] = next;
		scan->at = next.end;
	}
	return !extends;
}

/* ---- following the stack ---- */

static bool effect_of(const struct callee_instruction *instruction, int32_t *ret_effect)
{
	const struct opcode_info *info = instruction->info;
	int32_t argument = (int32_t)(instruction->argument & 0xffffff), steps = argument;
	switch (info->effect_kind) {
	case EFFECT_LOW_BIT:
		steps = argument & 1;
		break;
	case EFFECT_BITS:
		steps = __builtin_popcount((unsigned)argument);
		break;
	case EFFECT_CALL_27:
		*ret_effect = -((argument & 255) + 2 * (argument >> 8 & 255));
		return true;
	case EFFECT_LINEAR:
		break;
	default:
		return false;
	}
	*ret_effect = info->effect + info->effect_slope * steps;
	return true;
}

/* How far below the top the callable lies, itself counted. */
static int32_t callable_of(const struct callee_instruction *call)
{
	if (call->info->effect_kind == EFFECT_CALL_27)
		return 1 + (int32_t)(call->argument & 255) + 2 * (int32_t)(call->argument >> 8 & 255);
	return call->info->callable + call->info->callable_slope * (int32_t)(call->argument & 0xffffff);
}

/* Whether the instruction put an entry at this depth, when the stack has `after` entries after it. */
static bool put_it(const struct callee_instruction *instruction, int32_t after, int32_t deep)
{
	uint8_t puts = instruction->info->puts;
	bool two = puts == PUTS_TWO || (puts == PUTS_TWO_IF_ODD && instruction->argument & 1);
	return puts != PUTS_NOTHING && after <= (two ? 2 : 1) - deep;
}

/* The instruction that put the entry there which lies `deep` below the top when the call begins; NULL: not known. What
 * comes after it, the arguments, leaves the stack higher. */
static const struct callee_instruction *find_producer(const struct callee_scan *scan, int32_t deep)
{
	int32_t depth = 0, effect; /* above that at the call, after the instruction */
	size_t most = scan->count < CALLEE_EXPRESSION_MAX ? scan->count : CALLEE_EXPRESSION_MAX;
	for (size_t n = 1; n < most; n++) {
		const struct callee_instruction *instruction = nth_last(scan, n);
		if (put_it(instruction, depth, deep))
			return instruction;
		if (!effect_of(instruction, &effect))
			return NULL;
		depth -= effect;
	}
	return NULL;
}

static int32_t find_name(const struct callee_scan *scan)
{
	const struct callee_instruction *call = nth_last(scan, 0);
	if (!call->info->callable)
		return -1;
	const struct callee_instruction *producer = find_producer(scan, callable_of(call));
	if (!producer || !producer->info->name_shift)
		return -1;
	return (int32_t)(producer->argument >> (producer->info->name_shift - 1) & 0xffffff);
}

void callee_scan_begin(struct callee_scan *scan, const struct opcode_table *table, const uint8_t *code, size_t size)
{
	scan->table = table;
	scan->code = code;
	scan->size = size;
	scan->at = scan->count = scan->extended = 0;
}

bool callee_scan_next(struct callee_scan *scan, struct callee *ret_callee)
{
	if (!scan->table || !decode_next(scan))
		return false;
	const struct callee_instruction *last = nth_last(scan, 0);
	*ret_callee = (struct callee){ last->info, last->start, last->end, find_name(scan) };
	return true;
}

struct callee callee_find(const struct opcode_table *table, const uint8_t *code, size_t size, size_t offset)
{
	struct callee_scan scan;
	callee_scan_begin(&scan, table, code, size);
	while (table && decode_next(&scan)) {
		const struct callee_instruction *last = nth_last(&scan, 0);
		if (last->end > offset)
			return (struct callee){ last->info, last->start, last->end, find_name(&scan) };
	}
	return (struct callee){ .name = -1 };
}
