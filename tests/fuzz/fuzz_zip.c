/* fuzz_zip.c: the ends of zip archives, of any bytes: no access outside, and an end. */
#include <stddef.h>
#include <stdint.h>

#include "cmd/zip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	zip_tail_has(data, size, "__main__.py");
	return 0;
}
