#include "cmd/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cmd/terminal.h"
#include "os/process.h"
#include "profile/profile.h"
#include "recording/writer.h"

/* ---- opening ---- */

static bool is_recording_name(const char *path)
{
	size_t length = strlen(path);
	return length > 5 && strcmp(path + length - 5, ".pyro") == 0;
}

static struct error *choose_format(const char *path, const char *format, const struct report_format **ret_format)
{
	*ret_format = NULL;
	if (format ? strcmp(format, "pyro") == 0 : is_recording_name(path))
		return NULL;
	*ret_format = report_find_format(format ? format : strcmp(path, "-") == 0 ? "text" : path);
	if (*ret_format)
		return NULL;
	_cleanup_buffer_ struct buffer known = { 0 };
	for (const struct report_format *const *each = report_list_formats(); *each; each++)
		buffer_printf(&known, ", %s", format ? (*each)->name : (*each)->extensions[0]);
	return error_new(ERROR_USAGE, "%s%s is no format that is known: %s%s", format ? "" : "the name ",
		format ? format : path, format ? "pyro" : ".pyro", buffer_string(&known));
}

static struct error *add_recording(struct outputs *outputs, const char *path)
{
	struct output output = { .path = path };
	TRY(recording_writer_create(path, &output.writer));
	if (!vec_push(&outputs->items, output)) {
		recording_writer_abort(output.writer);
		return &error_no_memory;
	}
	return tee_add(&outputs->tee, output.writer) ? NULL : &error_no_memory;
}

/* Whether a file can be made there, before the target runs. */
static struct error *check_report_path(const char *path)
{
	struct stat status;
	if (strcmp(path, "-") == 0)
		return NULL;
	if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
		return error_new(ERROR_FAILED, "%s is a folder; give the name of a file", path);
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	if (!folder)
		return &error_no_memory;
	return access(folder, W_OK) ? error_os(errno, "cannot write %s", path) : NULL;
}

static struct error *need_profile(struct outputs *outputs)
{
	if (outputs->profile)
		return NULL;
	TRY(profile_create(NULL, &outputs->profile));
	return tee_add(&outputs->tee, &outputs->profile->sink) ? NULL : &error_no_memory;
}

struct error *outputs_open(struct outputs *outputs, const struct option_list *paths, const char *format)
{
	tee_init(&outputs->tee);
	if (!outputs->quiet)
		TRY(need_profile(outputs));
	for (size_t i = 0; i < paths->items.count; i++) {
		const char *path = paths->items.data[i];
		const struct report_format *chosen;
		TRY(choose_format(path, format, &chosen));
		if (!chosen) {
			TRY(add_recording(outputs, path));
			continue;
		}
		TRY(check_report_path(path));
		TRY(need_profile(outputs));
		if (!vec_push(&outputs->items, (struct output){ .path = path, .format = chosen }))
			return &error_no_memory;
	}
	return NULL;
}

struct error *outputs_check_folder(const struct outputs *outputs)
{
	if (outputs->items.count || access(".", W_OK) == 0)
		return NULL;
	return error_os(errno, "cannot write a recording into the current folder (give -o FILE)");
}

static bool is_taken(const char *path)
{
	_cleanup_free_ char *part = NULL;
	return access(path, F_OK) == 0 || (asprintf(&part, "%s.part", path) > 0 && access(part, F_OK) == 0);
}

struct error *outputs_open_default(struct outputs *outputs, const char *name, pid_t pid)
{
	enum { TRIES = 10000 };
	if (outputs->items.count)
		return NULL;
	TRY(outputs_check_folder(outputs));
	_cleanup_process_ struct process process = { 0 };
	if (!name) {
		TRY(process_read(pid, &process));
		for (char *p = process.name; *p; p++)
			*p = *p == '/' ? '_' : *p;
		name = process.name;
	}
	for (unsigned i = 1; i < TRIES; i++) {
		free(outputs->default_path);
		int length = i == 1 ? asprintf(&outputs->default_path, "%s-%d.pyro", name, pid)
				    : asprintf(&outputs->default_path, "%s-%d-%u.pyro", name, pid, i);
		if (length < 0) {
			outputs->default_path = NULL;
			return &error_no_memory;
		}
		if (!is_taken(outputs->default_path))
			break;
	}
	return add_recording(outputs, outputs->default_path);
}

/* ---- while it records ---- */

struct sink *outputs_sink(struct outputs *outputs)
{
	return &outputs->tee.sink;
}

struct error *outputs_flush(struct outputs *outputs, uint64_t now)
{
	for (size_t i = 0; i < outputs->items.count; i++)
		if (outputs->items.data[i].writer)
			TRY(recording_writer_flush(outputs->items.data[i].writer, now));
	return NULL;
}

/* ---- at the end ---- */

static struct error *write_all(int fd, const char *data, size_t size, const char *path)
{
	while (size) {
		ssize_t written = write(fd, data, size);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return error_os(errno, "cannot write %s", path);
		data += written;
		size -= (size_t)written;
	}
	return NULL;
}

/* Beside, then renamed: a reader never sees half of it, and an old file stays when this one cannot be whole. */
static struct error *replace_file(const char *path, const struct buffer *content)
{
	_cleanup_free_ char *beside = NULL;
	if (asprintf(&beside, "%s.XXXXXX", path) < 0)
		return &error_no_memory;
	_cleanup_close_ int fd = mkostemp(beside, O_CLOEXEC);
	if (fd < 0)
		return error_os(errno, "cannot write %s", path);
	mode_t mask = umask(0);
	umask(mask);
	struct error *error = write_all(fd, content->data, content->size, path);
	if (!error && (fchmod(fd, 0666 & ~mask) || rename(beside, path)))
		error = error_os(errno, "cannot write %s", path);
	if (error)
		unlink(beside);
	return error;
}

static struct error *write_report(struct outputs *outputs, const struct output *output)
{
	_cleanup_buffer_ struct buffer content = { 0 };
	struct report_options options = outputs->report;
	bool to_stdout = strcmp(output->path, "-") == 0;
	if (to_stdout)
		report_options_for_terminal(&options, stdout);
	TRY(output->format->write(outputs->profile, &options, &content));
	if (content.failed)
		return &error_no_memory;
	return to_stdout ? write_all(STDOUT_FILENO, content.data, content.size, "standard output")
			 : replace_file(output->path, &content);
}

static struct error *print_summary(struct outputs *outputs)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	struct report_options options = outputs->report;
	options.summary = true;
	report_options_for_terminal(&options, stderr);
	TRY(report_find_format("text")->write(outputs->profile, &options, &text));
	for (size_t i = 0; i < outputs->items.count; i++) {
		const struct output *output = &outputs->items.data[i];
		if (strcmp(output->path, "-") == 0)
			continue;
		buffer_printf(
			&text, "%s%s %s", i ? "" : "\n", output->format ? "report:   " : "recording:", output->path);
		if (!output->format)
			buffer_printf(&text, "    (pyrometer report %s)", output->path);
		buffer_add_char(&text, '\n');
	}
	if (text.failed)
		return &error_no_memory;
	return write_all(STDERR_FILENO, text.data, text.size, "standard error");
}

struct error *outputs_finish(struct outputs *outputs)
{
	struct error *first = NULL;
	for (size_t i = 0; i < outputs->items.count; i++) {
		struct output *output = &outputs->items.data[i];
		struct sink *writer = output->writer;
		output->writer = NULL;
		struct error *error = output->format ? write_report(outputs, output) : recording_writer_finish(writer);
		if (first)
			error_free(error);
		else
			first = error;
	}
	if (!first && !outputs->quiet)
		first = print_summary(outputs);
	return first;
}

static void abort_recording(const struct output *output, bool discard)
{
	_cleanup_free_ char *part = NULL;
	if (!output->writer)
		return;
	recording_writer_abort(output->writer);
	if (discard && asprintf(&part, "%s.part", output->path) > 0)
		unlink(part);
}

void outputs_deinit(struct outputs *outputs)
{
	for (size_t i = 0; i < outputs->items.count; i++)
		abort_recording(&outputs->items.data[i], outputs->discard);
	vec_free(&outputs->items);
	tee_deinit(&outputs->tee);
	profile_destroy(outputs->profile);
	free(outputs->default_path);
}
