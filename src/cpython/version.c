/* The target's version, where it does not publish it as a number: CPython formats sys.version once at start into a
 * static buffer, "3.8.18 (default, ...", and that lies in a writable segment of every build since 2.7. */
#include "cpython/version.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

enum { BLOCK = 1 << 16, OVERLAP = 64 };

static unsigned number(const char **p, const char *end)
{
	unsigned value = 0;
	while (*p < end && isdigit((unsigned char)**p) && value < 1000)
		value = value * 10 + (unsigned)(*(*p)++ - '0');
	return value;
}

/* "3.13.0rc1+ (" and the like, exactly; 0 when it is something else. */
static uint32_t parse(const char *p, const char *end)
{
	unsigned major = number(&p, end);
	if ((major != 2 && major != 3) || p >= end || *p++ != '.' || p >= end || !isdigit((unsigned char)*p))
		return 0;
	unsigned minor = number(&p, end);
	if (p >= end || *p++ != '.' || p >= end || !isdigit((unsigned char)*p))
		return 0;
	unsigned micro = number(&p, end), level = 0xf, serial = 0;
	if (p < end && (*p == 'a' || *p == 'b' || *p == 'r')) {
		level = *p == 'a' ? 0xa : *p == 'b' ? 0xb : 0xc;
		p += *p == 'r' ? 2 : 1;
		serial = number(&p, end);
	}
	if (p < end && *p == '+')
		p++;
	if (end - p < 2 || p[0] != ' ' || p[1] != '(' || minor > 255 || micro > 255)
		return 0;
	return major << 24 | minor << 16 | micro << 8 | level << 4 | (serial & 0xf);
}

static uint32_t search(const char *block, size_t size)
{
	const char *end = block + size;
	for (const char *p = block; (p = memchr(p, '.', (size_t)(end - p))); p++) {
		if (p == block || (p[-1] != '2' && p[-1] != '3') || (p - 1 > block && p[-2] != '\0'))
			continue;
		uint32_t version = parse(p - 1, end);
		if (version)
			return version;
	}
	return 0;
}

uint32_t version_search(struct memory *memory, const struct elf_image *image)
{
	_cleanup_free_ char *block = malloc(BLOCK + OVERLAP);
	if (!block)
		return 0;
	for (size_t i = 0; i < image->segment_count; i++) {
		const struct elf_segment *segment = &image->segments[i];
		if (!segment->writable)
			continue;
		for (uint64_t at = segment->start; at < segment->end; at += BLOCK) {
			size_t size = segment->end - at < BLOCK + OVERLAP ? segment->end - at : BLOCK + OVERLAP;
			if (!memory_read(memory, at, block, size))
				continue;
			uint32_t version = search(block, size);
			if (version)
				return version;
		}
	}
	return 0;
}
