/* opcode.h: what is known of the opcodes of each version of CPython, specialized and instrumented ones too: a special
 * form has the properties of the opcode that it stands for. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* How the depth of the stack changes with an instruction's argument. */
enum opcode_effect {
	EFFECT_UNKNOWN, /* jumps among them */
	EFFECT_LINEAR,	/* effect + slope × argument */
	EFFECT_LOW_BIT, /* effect + slope × lowest bit of the argument */
	EFFECT_BITS,	/* effect + slope × number of bits that are set in the argument */
	EFFECT_CALL_27, /* 2.7: the argument counts positional arguments, and pairs of keyword arguments above 8 bits */
};

/* How many entries an instruction leaves on the stack, where that matters: a load by name may put a self or a NULL
 * beside what it loads. */
enum opcode_puts { PUTS_ONE, PUTS_TWO, PUTS_TWO_IF_ODD /* argument */, PUTS_NOTHING };

struct opcode_info {
	uint8_t caches;	    /* 2-byte units behind the instruction that are none */
	bool calls;	    /* calls something: as a leaf's instruction, C code */
	bool pushes;	    /* may put the frame of a Python function on the stack itself, without C between (3.11+) */
	bool resumes;	    /* runs a generator or coroutine on */
	bool extends;	    /* EXTENDED_ARG */
	uint8_t name_shift; /* of a load by name: the name's index is the argument >> (name_shift - 1); 0: it is none */
	uint8_t puts;	    /* enum opcode_puts */
	uint8_t effect_kind; /* enum opcode_effect */
	int8_t effect, effect_slope;
	uint8_t callable, callable_slope; /* of a call: how many entries from the top down to what is called, for
					   * each step of its argument so many more; 0: not known */
};

struct opcode_table {
	uint16_t version;      /* 0x030b */
	uint8_t have_argument; /* 2.7: opcodes from here on are followed by two bytes of argument */
	struct opcode_info opcodes[256];
};

/* NULL for a version that is not known. */
const struct opcode_table *opcode_table_find(uint16_t version);
