/* Blocks by number, got and given back without a Python object: what test_memory_lines.py's programs ask for. */
#include <stdlib.h>

static void *slots[64];

void give(int slot)
{
	free(slots[slot]);
	slots[slot] = NULL;
}

void get(int slot, size_t size)
{
	give(slot);
	slots[slot] = malloc(size);
}
