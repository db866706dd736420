/* version.c: see version.h. */
#include "cmd/version.h"

#include <sys/utsname.h>
#include <zlib.h>
#include <zstd.h>

#include "cpython/layout.h"

#ifdef __clang__
static const char compiler[] = __VERSION__;
#else
static const char compiler[] = "gcc " __VERSION__;
#endif

enum { NEWEST_MINOR = 63 };

static void write_range(struct buffer *text, unsigned major, unsigned first, unsigned last, bool *any)
{
	buffer_printf(text, "%s%u.%u", *any ? ", " : "", major, first);
	if (last > first)
		buffer_printf(text, "-%u.%u", major, last);
	*any = true;
}

/* Runs of minor versions that follow each other are drawn together. */
static void write_versions(struct buffer *text, bool free_threaded)
{
	bool any = false;
	for (unsigned major = 2; major <= 3; major++)
		for (unsigned minor = 0; minor <= NEWEST_MINOR; minor++) {
			unsigned first = minor;
			while (minor <= NEWEST_MINOR && layout_find((uint16_t)(major << 8 | minor), free_threaded))
				minor++;
			if (minor > first)
				write_range(text, major, first, minor - 1, &any);
		}
}

void version_write_pythons(struct buffer *text)
{
	_cleanup_buffer_ struct buffer free_threaded = { 0 };
	write_versions(text, /* free_threaded= */ false);
	write_versions(&free_threaded, /* free_threaded= */ true);
	if (free_threaded.size)
		buffer_printf(text, "; free-threaded: %s", buffer_string(&free_threaded));
}

void version_write(struct buffer *text)
{
	struct utsname system = { 0 };
	uname(&system);
	buffer_add_string(text, "pyrometer " PYROMETER_VERSION "\nreads CPython ");
	version_write_pythons(text);
	buffer_printf(text, "\nbuilt with %s, zstd %s, zlib %s, for %s %s\n", compiler, ZSTD_versionString(),
		zlibVersion(), system.sysname, system.machine);
}

void version_write_short(struct buffer *text)
{
	buffer_add_string(text, "pyrometer " PYROMETER_VERSION);
}
