#include "cpython/layout.h"

#include <stddef.h>

#include "cpython/layouts.h"

const struct layout *layout_find(uint16_t version, bool free_threaded)
{
	for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++)
		if (layouts[i].version == version && layouts[i].free_threaded == free_threaded)
			return &layouts[i];
	return NULL;
}
