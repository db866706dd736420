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

/* A device or a pipe: written as it is, since nothing may take its place. */
static bool is_stream(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

/* Whether a file can be made there, before the target runs. */
static struct error *check_report_path(const char *path)
{
	struct stat status;
	if (strcmp(path, "-") == 0)
		return NULL;
	if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
		return error_new(ERROR_FAILED, "%s is a folder; give the name of a file", path);
	if (is_stream(path))
		return access(path, W_OK) ? error_os(errno, "cannot write %s", path) : NULL;
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	if (!folder)
		return &error_no_memory;
	return access(folder, W_OK) ? error_os(errno, "cannot write %s", path) : NULL;
}

/* ---- beside what is there ---- */

/* The file itself, where a symbolic link leads to it. */
static char *real_path(const char *path)
{
	char *real = realpath(path, NULL);
	return real ? real : strdup(path);
}

static struct error *open_beside(const char *path, char **ret_beside, int *ret_fd)
{
	_cleanup_free_ char *real = real_path(path), *beside = NULL;
	if (!real || asprintf(&beside, "%s.XXXXXX", real) < 0)
		return &error_no_memory;
	*ret_fd = mkostemp(beside, O_CLOEXEC);
	if (*ret_fd < 0)
		return error_os(errno, "cannot write %s", path);
	*ret_beside = take_ptr(beside);
	return NULL;
}

/* A reader never sees half of it, and an old file stays when this one cannot be whole. A symbolic link stays, too. */
static struct error *put_in_place(const char *path, const char *beside, int fd)
{
	_cleanup_free_ char *real = real_path(path);
	mode_t mask = umask(0);
	umask(mask);
	if (!real)
		return &error_no_memory;
	return fchmod(fd, 0666 & ~mask) || rename(beside, real) ? error_os(errno, "cannot write %s", path) : NULL;
}

/* A pipe that nobody reads would never be opened: that is said instead (ENXIO). */
static struct error *open_device(const char *path, int *ret_fd)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && errno == ENXIO)
		return error_new(ERROR_FAILED, "cannot write %s: nobody reads from this pipe", path);
	*ret_fd = fd;
	return fd < 0 || fcntl(fd, F_SETFL, 0) ? error_os(errno, "cannot write %s", path) : NULL;
}

/* ---- what is written as it comes ---- */

static struct error *open_file(struct output *output)
{
	_cleanup_close_ int fd = -1;
	if (strcmp(output->path, "-") == 0)
		fd = dup(STDOUT_FILENO);
	else if (is_stream(output->path))
		TRY(open_device(output->path, &fd));
	else
		TRY(open_beside(output->path, &output->beside, &fd));
	output->file = fd < 0 ? NULL : fdopen(fd, "we");
	if (!output->file)
		return error_os(errno, "cannot write %s", output->path);
	take_fd(&fd);
	return NULL;
}

static void close_stream(struct output *output)
{
	report_stream_destroy(output->stream);
	if (output->file)
		fclose(output->file);
	if (output->beside)
		unlink(output->beside);
	free(output->beside);
	output->stream = NULL;
	output->file = NULL;
	output->beside = NULL;
}

static struct error *add_stream(struct outputs *outputs, const char *path, const struct report_format *format)
{
	struct output output = { .path = path, .format = format };
	struct error *error = open_file(&output);
	if (!error)
		error = format->open(output.file, &output.stream);
	if (!error && !tee_add(&outputs->tee, report_stream_sink(output.stream)))
		error = &error_no_memory;
	if (!error && !vec_push(&outputs->items, output))
		error = &error_no_memory;
	if (error)
		close_stream(&output);
	return error;
}

static struct error *finish_stream(struct output *output)
{
	TRY(report_stream_finish(output->stream));
	if (!output->beside)
		return NULL;
	TRY(put_in_place(output->path, output->beside, fileno(output->file)));
	free(output->beside);
	output->beside = NULL;
	return NULL;
}

static struct error *need_profile(struct outputs *outputs)
{
	if (outputs->profile)
		return NULL;
	TRY(profile_create(NULL, &outputs->profile));
	outputs->profile->memory_choice = outputs->memory;
	return tee_add(&outputs->tee, &outputs->profile->sink) ? NULL : &error_no_memory;
}

struct error *outputs_open(struct outputs *outputs, const struct option_list *paths, const char *format)
{
	tee_init(&outputs->tee);
	if (!outputs->quiet || outputs->profiled)
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
		if (chosen->open) {
			TRY(add_stream(outputs, path, chosen));
			continue;
		}
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

struct error *outputs_sync(struct outputs *outputs)
{
	for (size_t i = 0; i < outputs->items.count; i++)
		if (outputs->items.data[i].writer)
			TRY(recording_writer_sync(outputs->items.data[i].writer));
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

static struct error *write_device(const char *path, const struct buffer *content)
{
	_cleanup_close_ int fd = -1;
	TRY(open_device(path, &fd));
	return write_all(fd, content->data, content->size, path);
}

static struct error *replace_file(const char *path, const struct buffer *content)
{
	_cleanup_free_ char *beside = NULL;
	_cleanup_close_ int fd = -1;
	TRY(open_beside(path, &beside, &fd));
	struct error *error = write_all(fd, content->data, content->size, path);
	if (!error)
		error = put_in_place(path, beside, fd);
	if (error)
		unlink(beside);
	return error;
}

static struct error *write_report(struct outputs *outputs, const struct output *output)
{
	_cleanup_buffer_ struct buffer content = { 0 };
	struct report_options options = outputs->report;
	bool to_stdout = strcmp(output->path, "-") == 0;
	/* Of calls and lines nothing was sampled: pictures are of their time. */
	uint32_t mode = outputs->profile->info.mode;
	if ((mode == RECORDING_CALLS || mode == RECORDING_LINES) && options.view.weight == PROFILE_SAMPLES)
		options.view.weight = options.cpu_clock ? PROFILE_CPU : PROFILE_WALL;
	if (mode == RECORDING_MEMORY && options.view.weight == PROFILE_SAMPLES)
		options.view.weight = PROFILE_BYTES;
	if (to_stdout)
		report_options_for_terminal(&options, stdout);
	TRY(output->format->write(outputs->profile, &options, &content));
	if (content.failed)
		return &error_no_memory;
	if (to_stdout)
		return write_all(STDOUT_FILENO, content.data, content.size, "standard output");
	return is_stream(output->path) ? write_device(output->path, &content) : replace_file(output->path, &content);
}

/* `-o -`: the report was sent to stdout, and need not be said twice. */
static bool is_on_stdout(const struct outputs *outputs)
{
	for (size_t i = 0; i < outputs->items.count; i++)
		if (strcmp(outputs->items.data[i].path, "-") == 0 &&
			outputs->items.data[i].format == report_find_format("text"))
			return true;
	return false;
}

static struct error *write_summary(struct outputs *outputs, struct buffer *text)
{
	struct report_options options = outputs->report;
	options.summary = true;
	report_options_for_terminal(&options, stderr);
	return report_find_format("text")->write(outputs->profile, &options, text);
}

static struct error *print_summary(struct outputs *outputs)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	if (!is_on_stdout(outputs))
		TRY(write_summary(outputs, &text));
	for (size_t i = 0; i < outputs->items.count; i++) {
		const struct output *output = &outputs->items.data[i];
		if (strcmp(output->path, "-") == 0)
			continue;
		buffer_printf(&text, "%s%s %s", i || !text.size ? "" : "\n",
			output->format ? "report:   " : "recording:", output->path);
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
		struct error *error = output->stream   ? finish_stream(output)
				      : output->format ? write_report(outputs, output)
						       : recording_writer_finish(writer);
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
	for (size_t i = 0; i < outputs->items.count; i++) {
		abort_recording(&outputs->items.data[i], outputs->discard);
		close_stream(&outputs->items.data[i]);
	}
	vec_free(&outputs->items);
	tee_deinit(&outputs->tee);
	profile_destroy(outputs->profile);
	free(outputs->default_path);
}
