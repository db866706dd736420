/* segment.c: see segment.h. */
#include "cmd/segment.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/segment/segment.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "cmd/about.h"
#include "inject/drain.h"
#include "os/process.h"

bool segment_is_it(const char *path)
{
	uint64_t magic = 0;
	FILE *file = fopen(path, "re");
	bool is = file && fread(&magic, sizeof magic, 1, file) == 1 && magic == SEGMENT_MAGIC;
	if (file)
		fclose(file);
	return is;
}

static struct error *begin(const struct invocation *invocation, struct sink *sink, uint32_t mode, uint64_t age)
{
	_cleanup_about_ struct about about;
	struct recording_info info = { .mode = mode, .start_unix_ns = clock_read(CLOCK_REALTIME) - age };
	about_init(&about, invocation);
	about_fill_info(&about, &info);
	return sink->ops->begin(sink, &info);
}

/* The process that asks for a report of its own knows its command line. */
static struct error *drain(struct drain *drain, const char *path, const struct drain_head *head)
{
	_cleanup_process_ struct process process = { 0 };
	struct process_def def = { .pid = head->pid };
	if ((pid_t)head->pid == getppid())
		error_free(process_read(getppid(), &process));
	def.command = (struct text){ process.command.data, process.command.size };
	def.executable = (struct text){ process.executable, process.executable ? strlen(process.executable) : 0 };
	return drain_segment(drain, path, &def, head->start_ns);
}

struct error *segment_read(const char *path, const struct invocation *invocation, struct outputs *outputs)
{
	struct sink *sink = outputs_sink(outputs);
	struct drain_head head;
	struct drain d;
	TRY(drain_read_head(path, &head));
	uint64_t now = clock_read(CLOCK_MONOTONIC), age = now > head.start_ns ? now - head.start_ns : 0;
	TRY(begin(invocation, sink, head.mode, age));
	drain_init(&d, sink);
	struct error *error = drain(&d, path, &head);
	if (!error && d.sealed[0])
		fprintf(stderr, "pyrometer report: warning: not all was counted: %s\n", d.sealed);
	drain_deinit(&d);
	TRY(error);
	const struct recording_end end = { .duration = age };
	return sink->ops->end(sink, &end);
}

/* Beside the segments a link to each FILE.part that their pyrometer is writing. */
#define LINKS "recording-"

struct error *segment_link(const char *folder, const struct outputs *outputs)
{
	for (size_t i = 0; i < outputs->items.count; i++) {
		const struct output *output = &outputs->items.data[i];
		_cleanup_free_ char *part = NULL, *whole = NULL, *link = NULL;
		if (!output->writer)
			continue;
		if (asprintf(&part, "%s.part", output->path) < 0 || asprintf(&link, "%s/" LINKS "%zu", folder, i) < 0)
			return &error_no_memory;
		if ((whole = realpath(part, NULL)) && symlink(whole, link))
			return error_os(errno, "cannot write in %s", folder);
	}
	return NULL;
}

static bool belongs_to(const char *segment, const struct stat *recording)
{
	_cleanup_free_ char *pattern = NULL;
	glob_t links = { 0 };
	bool belongs = false;
	struct stat linked;
	if (asprintf(&pattern, "%.*s/" LINKS "*", (int)(strrchr(segment, '/') - segment), segment) < 0)
		return false;
	if (glob(pattern, GLOB_NOSORT, NULL, &links) == 0)
		for (size_t i = 0; i < links.gl_pathc; i++)
			belongs |= stat(links.gl_pathv[i], &linked) == 0 && linked.st_ino == recording->st_ino &&
				   linked.st_dev == recording->st_dev;
	globfree(&links);
	return belongs;
}

static void say_if_left(const char *path)
{
	struct drain_head head;
	struct error *error = drain_read_head(path, &head);
	if (!error && head.owner && process_has_ended((pid_t)head.owner))
		fprintf(stderr, "pyrometer report: note: what was counted in process %u is in %s: report that\n",
			head.pid, path);
	error_free(error);
}

/* Where launches make their folders. */
void segment_say_left(const char *recording)
{
	static const char *const patterns[] = { "/dev/shm/pyrometer-*/*.segment", "/tmp/pyrometer-*/*.segment" };
	struct stat status;
	if (stat(recording, &status))
		return;
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
		glob_t found = { 0 };
		if (glob(patterns[i], GLOB_NOSORT, NULL, &found) == 0)
			for (size_t k = 0; k < found.gl_pathc; k++)
				if (access(found.gl_pathv[k], R_OK) == 0 && belongs_to(found.gl_pathv[k], &status))
					say_if_left(found.gl_pathv[k]);
		globfree(&found);
	}
}
