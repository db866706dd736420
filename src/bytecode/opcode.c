#include "bytecode/opcode.h"

#include <stddef.h>

#include "bytecode/opcode_tables.h"

const struct opcode_table *opcode_table_find(uint16_t version)
{
	for (size_t i = 0; i < sizeof opcode_tables / sizeof *opcode_tables; i++)
		if (opcode_tables[i].version == version)
			return &opcode_tables[i];
	return NULL;
}
