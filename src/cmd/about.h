/* about.h: what a recording says of itself that is the same for every command that makes one: by which command line, on
 * which machine, and with what it was made. */
#pragma once
#include <sys/utsname.h>

#include "base/buffer.h"
#include "cmd/cmd.h"
#include "recording/sink.h"

/* Holds what the texts of `struct recording_info` point to. */
struct about {
	struct utsname names;
	struct buffer command, tool, system;
};

void about_init(struct about *about, const struct invocation *invocation);
void about_deinit(struct about *about);
#define _cleanup_about_ __attribute__((cleanup(about_deinit)))

/* Sets the texts of `info`, which live as long as `about`. */
void about_fill_info(const struct about *about, struct recording_info *info);
