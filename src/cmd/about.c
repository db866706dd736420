/* about.c: see about.h. */
#include "cmd/about.h"

#include <string.h>

#include "cmd/version.h"

static struct text text_of(const struct buffer *buffer)
{
	return (struct text){ buffer->data, buffer->size };
}

void about_init(struct about *about, const struct invocation *invocation)
{
	*about = (struct about){ 0 };
	uname(&about->names);
	for (int i = 0; i < invocation->argc; i++)
		buffer_printf(&about->command, "%s%s", i ? " " : "", invocation->argv[i]);
	version_write_short(&about->tool);
	buffer_printf(&about->system, "%s %s %s", about->names.sysname, about->names.release, about->names.machine);
}

void about_deinit(struct about *about)
{
	buffer_deinit(&about->command);
	buffer_deinit(&about->tool);
	buffer_deinit(&about->system);
}

void about_fill_info(const struct about *about, struct recording_info *info)
{
	info->command = text_of(&about->command);
	info->tool = text_of(&about->tool);
	info->system = text_of(&about->system);
	info->host = (struct text){ about->names.nodename, strlen(about->names.nodename) };
}
