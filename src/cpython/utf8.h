/* utf8.h: characters of a str as UTF-8. Header-only and without any state, since the agent needs it, too. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { UTF8_MAX = 4 }; /* bytes of a character */

/* To `to`, which has room for UTF8_MAX; how many bytes. What is no code point becomes U+FFFD; halves of surrogates
 * stay. */
static inline size_t utf8_put(char *to, uint32_t c)
{
	static const unsigned char first[UTF8_MAX] = { 0, 0xc0, 0xe0, 0xf0 };
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c > 0x10ffff)
		c = 0xfffd;
	size_t more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
	to[0] = (char)(first[more] | c >> 6 * more);
	for (size_t i = 1; i <= more; i++)
		to[i] = (char)(0x80 | (c >> 6 * (more - i) & 0x3f));
	return more + 1;
}
