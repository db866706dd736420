/* What memory_blocks.py calls by ctypes, which lets go of the GIL meanwhile: malloc and free, so many times. */
#include <stdlib.h>

void get_and_free(long times, size_t size)
{
	while (times-- > 0) {
		char *volatile block = malloc(size);
		if (block)
			*block = 1;
		free(block);
	}
}
