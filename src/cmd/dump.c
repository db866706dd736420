/* dump.c: `pyrometer dump PID`: every thread's stack, once. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cmd/cmd.h"
#include "cmd/json.h"
#include "cmd/terminal.h"
#include "cmd/value.h"
#include "os/process.h"
#include "os/task.h"
#include "profile/profile.h"
#include "report/label.h"
#include "report/print.h"
#include "report/source.h"
#include "sample/doctor.h"
#include "sample/states.h"
#include "sample/threads.h"

struct dump_options {
	pid_t pid;
	bool json, full_paths;
};

struct piece {
	size_t start, size;
};

/* What is printed: the stacks as a profile has decoded them, with the words that a report would use. */
struct dump {
	const struct dump_options *options;
	struct target *target;
	struct profile *profile;
	struct labels labels;
	struct sources sources;
	VEC(struct piece) written; /* by frame: where in the text it stands already */
	bool colour;
};

/* Takes samples until one of all threads is exact, or as good as it gets: one look has no bias to fear. */
static struct error *take_sample(struct target *target)
{
	enum { TRIES = 50 };
	for (unsigned i = 0; i < TRIES; i++) {
		bool exact = true;
		TRY(target_sample(target, clock_now()));
		for (size_t k = 0; k < target->threads.count; k++)
			exact &= target->threads.data[k]->quality == QUALITY_EXACT;
		if (exact)
			break;
	}
	return NULL;
}

/* ---- what is said of a thread ---- */

struct thread_view {
	const struct thread *thread;
	uint16_t state, syscall;
	struct buffer name;
};

static const char *state_word(uint16_t state)
{
	if (state & STATE_STOPPED)
		return "stopped";
	if (state & STATE_GC)
		return "collecting garbage";
	if (state & STATE_WAITS_GIL)
		return "waits for the GIL";
	if (state & STATE_ON_CPU)
		return "running";
	if (state & STATE_UNINTERRUPTIBLE)
		return "waits for the disk or the kernel";
	return "idle";
}

static void view_thread(struct target *target, struct thread *thread, struct thread_view *view)
{
	char kernel_name[16];
	*view = (struct thread_view){ .thread = thread };
	thread->changed = false; /* of one sample there is no movement to be seen: the kernel is asked */
	view->state = states_of_thread(target, thread, clock_now(), &view->syscall);
	if (!target_thread_name(target, thread, &view->name) && thread->tid &&
		task_read_name(target->pid, (pid_t)thread->tid, kernel_name))
		buffer_add_string(&view->name, kernel_name);
}

/* ---- text ---- */

static void write_heading(struct buffer *text, const struct target *target)
{
	_cleanup_process_ struct process process = { 0 };
	char version[24];
	runtime_version_text(&target->runtime, version);
	buffer_printf(text, "process %d, Python %s", target->pid, version);
	struct error *error = process_read(target->pid, &process);
	if (!error) {
		buffer_add_string(text, ": ");
		process_write_command(&process, text);
	}
	error_free(error);
	buffer_add_char(text, '\n');
}

static void write_frame(struct dump *dump, const struct profile_frame *frame, struct buffer *text)
{
	const struct profile_function *function = &dump->profile->functions.data[frame->function];
	struct text file = dump->labels.files.data[frame->function];
	buffer_add_string(text, "    ");
	print_add_text(text, function->name);
	if (file.size) {
		buffer_add_string(text, " (");
		print_add_text(text, file);
		if (frame->line) {
			buffer_add_char(text, ':');
			print_add_integer(text, frame->line);
		}
		buffer_add_char(text, ')');
	}
	const struct source_file *source = file.size ? sources_find(&dump->sources, frame->function) : NULL;
	struct text line = source ? source_line(source, frame->line) : (struct text){ 0 };
	while (line.size && (line.data[0] == ' ' || line.data[0] == '\t'))
		line = (struct text){ line.data + 1, line.size - 1 };
	if (line.size) {
		buffer_add_string(text, dump->colour ? "\n        \033[2m" : "\n        ");
		print_add_text(text, line);
		buffer_add_string(text, dump->colour ? "\033[0m" : "");
	}
	buffer_add_char(text, '\n');
}

/* The same frames stand in the stacks of most threads: the text of each is made once. */
static void write_frame_again(struct dump *dump, uint32_t frame, struct buffer *text)
{
	struct piece *piece = &dump->written.data[frame];
	if (piece->size && buffer_reserve(text, piece->size)) {
		buffer_add(text, text->data + piece->start, piece->size);
		return;
	}
	piece->start = text->size;
	write_frame(dump, &dump->profile->frames.data[frame], text);
	piece->size = text->size - piece->start;
}

static void write_stack(struct dump *dump, uint32_t stack, struct buffer *text)
{
	if (!stack)
		buffer_add_string(text, "    no Python frame\n");
	for (; stack; stack = dump->profile->stacks.data[stack].parent)
		write_frame_again(dump, dump->profile->stacks.data[stack].frame, text);
}

static void write_thread(struct dump *dump, const struct thread_view *view, struct buffer *text)
{
	const char *bold = dump->colour ? "\033[1m" : "", *plain = dump->colour ? "\033[0m" : "";
	const struct target *target = dump->target;
	buffer_printf(text, "\n%sthread %u", bold, view->thread->tid);
	if (view->name.size)
		buffer_printf(text, " \"%.*s\"", (int)view->name.size, view->name.data);
	buffer_printf(text, "%s %s%s", plain, state_word(view->state),
		target_holds_gil(target, view->thread) ? ", holds the GIL" : "");
	if (view->thread->quality == QUALITY_REPAIRED)
		buffer_add_string(text, ", repaired");
	buffer_add_char(text, '\n');
	write_stack(dump, view->thread->stack, text);
}

/* ---- JSON ---- */

static void write_json_stack(struct dump *dump, uint32_t stack, struct json *json)
{
	for (; stack; stack = dump->profile->stacks.data[stack].parent) {
		const struct profile_frame *frame = &dump->profile->frames
							     .data[dump->profile->stacks.data[stack].frame];
		const struct profile_function *function = &dump->profile->functions.data[frame->function];
		json_open(json, NULL, '{');
		json_bytes(json, "name", function->name);
		json_bytes(json, "file", dump->labels.files.data[frame->function]);
		json_number(json, "line", frame->line);
		json_number(json, "first_line", function->first_line);
		json_close(json, '}');
	}
}

static void write_json_thread(struct dump *dump, const struct thread_view *view, struct json *json)
{
	static const char *const qualities[] = { "exact", "repaired", "partial" };
	json_open(json, NULL, '{');
	json_number(json, "tid", view->thread->tid);
	json_bytes(json, "name", (struct text){ view->name.data, view->name.size });
	json_text(json, "state", state_word(view->state));
	json_bool(json, "holds_gil", target_holds_gil(dump->target, view->thread));
	json_text(json, "quality", qualities[view->thread->quality]);
	json_open(json, "frames", '[');
	write_json_stack(dump, view->thread->stack, json);
	json_close(json, ']');
	json_close(json, '}');
}

static void write_json(struct dump *dump, struct buffer *text)
{
	struct json json = { .out = text };
	char version[24];
	runtime_version_text(&dump->target->runtime, version);
	json_open(&json, NULL, '{');
	json_text(&json, "schema", "pyrometer.dump/1");
	json_number(&json, "pid", dump->target->pid);
	json_text(&json, "python", version);
	json_open(&json, "threads", '[');
	for (size_t i = dump->target->threads.count; i-- > 0;) {
		struct thread_view view;
		if (!threads_has_begun(dump->target, i))
			continue;
		view_thread(dump->target, dump->target->threads.data[i], &view);
		write_json_thread(dump, &view, &json);
		buffer_deinit(&view.name);
	}
	json_close(&json, ']');
	json_close(&json, '}');
}

static struct error *write_text(struct dump *dump, struct buffer *text)
{
	while (dump->written.count < dump->profile->frames.count)
		if (!vec_push(&dump->written, (struct piece){ 0 }))
			return &error_no_memory;
	write_heading(text, dump->target);
	for (size_t i = dump->target->threads.count; i-- > 0;) {
		struct thread_view view;
		if (!threads_has_begun(dump->target, i))
			continue;
		view_thread(dump->target, dump->target->threads.data[i], &view);
		write_thread(dump, &view, text);
		buffer_deinit(&view.name);
	}
	return NULL;
}

/* ---- the command ---- */

static struct error *find_pid(const struct dump_options *options, const struct invocation *invocation, pid_t *ret_pid)
{
	*ret_pid = options->pid;
	if (invocation->word_count > (options->pid ? 0 : 1))
		return error_new(ERROR_USAGE, "'%s' is one word too many: dump takes one PID",
			invocation->words[options->pid ? 0 : 1]);
	if (options->pid)
		return NULL;
	if (!invocation->word_count)
		return error_new(ERROR_USAGE, "dump needs the PID of a process; `pyrometer ps` lists them");
	if (!value_parse_pid(invocation->words[0], ret_pid))
		return error_new(
			ERROR_USAGE, "'%s' is no PID; `pyrometer ps` lists the Python processes", invocation->words[0]);
	return NULL;
}

/* The profile needs to know of the process only to shorten file names. */
static struct error *define_process(struct dump *dump)
{
	_cleanup_buffer_ struct buffer path = { 0 };
	struct sink *sink = &dump->profile->sink;
	const struct recording_info info = { .mode = RECORDING_SAMPLES, .start_unix_ns = clock_read(CLOCK_REALTIME) };
	TRY(sink->ops->begin(sink, &info));
	target_search_path(dump->target, &path);
	const struct process_def def = {
		.id = 1, .pid = (uint32_t)dump->target->pid, .search_path = { path.data, path.size }
	};
	return sink->ops->process(sink, &def);
}

static struct error *sample_and_print(struct dump *dump)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	struct report_options report = report_options_default();
	report.full_paths = dump->options->full_paths;
	TRY(define_process(dump));
	TRY(take_sample(dump->target));
	target_index_names(dump->target);
	target_find_names(dump->target);
	TRY(profile_decode(dump->profile));
	TRY(labels_init(dump->profile, &report, &dump->labels));
	if (dump->options->json)
		write_json(dump, &text);
	else
		TRY(write_text(dump, &text));
	return terminal_print(&text);
}

static struct error *dump_target(const struct dump_options *options, struct target *target)
{
	struct dump dump = { .options = options, .target = target, .colour = terminal_has_colour(STDOUT_FILENO) };
	struct registry registry;
	TRY(profile_create(NULL, &dump.profile));
	dump.sources.profile = dump.profile;
	registry_init(&registry, &dump.profile->sink);
	target_attach_registry(target, &registry);
	struct error *error = sample_and_print(&dump);
	registry_deinit(&registry);
	labels_deinit(&dump.labels);
	sources_deinit(&dump.sources);
	vec_free(&dump.written);
	profile_destroy(dump.profile);
	return error;
}

static struct error *dump_run(const struct invocation *invocation, int *ret_status)
{
	const struct dump_options *options = invocation->options;
	struct target *target;
	pid_t pid;
	(void)ret_status;
	TRY(find_pid(options, invocation, &pid));
	struct error *error = target_open(pid, &target);
	if (error)
		return doctor_explain(pid, error);
	error = dump_target(options, target);
	target_destroy(target);
	return error;
}

const struct command dump_command = {
	.name = "dump",
	.question = "What is it doing right now?",
	.summary = "print the stack of every thread of a process, once",
	.usage = (const char *const[]){ "[options] PID", NULL },
	.description =
		"Prints what each Python thread of a running process does at this moment: its name, whether it runs, is idle or waits "
		"for the GIL, and its stack with the lines of source, innermost first. The process is not stopped.",
	.options =
		(const struct option[]){
			{ 'p', "pid", "PID", "the process, if it is not given as a word",
				OPTION_PID(struct dump_options, pid) },
			{ 0, "json", NULL, "print JSON, schema pyrometer.dump/1",
				OPTION_FLAG(struct dump_options, json) },
			{ 0, "full-paths", NULL, "file names as the process has them",
				OPTION_FLAG(struct dump_options, full_paths) },
			{ 0 },
		},
	.options_size = sizeof(struct dump_options),
	.examples =
		(const struct example[]){
			{ "dump 4242", "where does it hang?" },
			{ NULL, NULL },
		},
	.run = dump_run,
};
