/* raw.c: a recording as text, for people who want to know what is really in it. One line a block, one a record; the
 * offset of each block; texts quoted. It is the reader with a sink that prints.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "recording/block.h"
#include "recording/names.h"
#include "recording/reader.h"

enum { LINE_TABLE_SHOWN = 32 /* bytes of a line table that are printed */ };

struct printer {
	struct sink sink; /* first: the sink is the printer */
	struct recording_observer observer;
	FILE *out;
	struct buffer line;
};

static struct printer *printer_of(struct sink *sink)
{
	return (struct printer *)sink;
}

static void add_escaped(struct buffer *line, unsigned char byte)
{
	if (byte == '"' || byte == '\\')
		buffer_printf(line, "\\%c", byte);
	else if (byte < 0x20 || byte == 0x7f)
		buffer_printf(line, "\\x%02x", byte);
	else
		buffer_add_char(line, (char)byte);
}

static void add_text(struct buffer *line, const char *name, struct text text)
{
	buffer_printf(line, " %s=\"", name);
	for (size_t i = 0; i < text.size; i++)
		add_escaped(line, (unsigned char)text.data[i]);
	buffer_add_char(line, '"');
}

static void add_bytes(struct buffer *line, const char *name, struct text text)
{
	buffer_printf(line, " %s=%zu:", name, text.size);
	for (size_t i = 0; i < text.size && i < LINE_TABLE_SHOWN; i++)
		buffer_printf(line, "%02x", (unsigned char)text.data[i]);
	if (text.size > LINE_TABLE_SHOWN)
		buffer_add_string(line, "...");
}

/* Writes the line out; the next one is empty. */
static struct error *print_line(struct printer *printer)
{
	buffer_add_char(&printer->line, '\n');
	if (printer->line.failed)
		return &error_no_memory;
	size_t written = fwrite(printer->line.data, 1, printer->line.size, printer->out);
	bool whole = written == printer->line.size;
	printer->line.size = 0;
	return whole ? NULL : error_os(errno, "cannot print");
}

static struct error *print_block(struct recording_observer *observer, const struct recording_block *block)
{
	struct printer *printer = (struct printer *)(void *)((char *)observer - offsetof(struct printer, observer));
	const char *type = block->type == BLOCK_DEFINITIONS ? "definitions"
			   : block->type == BLOCK_EVENTS    ? "events"
							    : "unknown";
	buffer_printf(&printer->line,
		"block %" PRIu32 " at=%" PRIu64 " type=%u(%s) stored=%" PRIu32 " raw=%" PRIu32 "%s", block->sequence,
		block->offset, block->type, type, block->stored_size, block->raw_size,
		block->flags & BLOCK_COMPRESSED ? " zstd" : "");
	return print_line(printer);
}

static struct error *print_begin(struct sink *sink, const struct recording_info *info)
{
	struct printer *printer = printer_of(sink);
	struct buffer *line = &printer->line;
	buffer_printf(line, "info start_unix_ns=%" PRIu64 " rate_millihertz=%" PRIu64 " mode=%u(%s) blocking=%u",
		info->start_unix_ns, info->rate_millihertz, info->mode, recording_mode_name(info->mode),
		info->blocking);
	buffer_printf(line, " tick_seed=%" PRIu64 " tick_period_ns=%" PRIu64, info->tick_seed, info->tick_period_ns);
	add_text(line, "command", info->command);
	add_text(line, "host", info->host);
	add_text(line, "tool", info->tool);
	add_text(line, "system", info->system);
	return print_line(printer);
}

static struct error *print_process(struct sink *sink, const struct process_def *def)
{
	struct printer *printer = printer_of(sink);
	struct buffer *line = &printer->line;
	buffer_printf(line, "process id=%u pid=%u parent=%u python=0x%08x flags=%u time=%" PRIu64, def->id, def->pid,
		def->parent, def->python_version, def->flags, def->time);
	add_text(line, "command", def->command);
	add_text(line, "executable", def->executable);
	add_text(line, "search_path", def->search_path);
	return print_line(printer);
}

static struct error *print_thread(struct sink *sink, const struct thread_def *def)
{
	struct printer *printer = printer_of(sink);
	buffer_printf(&printer->line, "thread id=%u process=%u tid=%u flags=%u ident=%" PRIu64, def->id, def->process,
		def->tid, def->flags, def->ident);
	add_text(&printer->line, "name", def->name);
	return print_line(printer);
}

static struct error *print_code(struct sink *sink, const struct code_def *def)
{
	struct printer *printer = printer_of(sink);
	struct buffer *line = &printer->line;
	buffer_printf(line, "code id=%u first_line=%u flags=%u", def->id, def->first_line, def->flags);
	add_text(line, "file", def->file);
	add_text(line, "name", def->name);
	add_text(line, "qualname", def->qualname);
	buffer_printf(line, " line_table_kind=%u", def->line_table_kind);
	add_bytes(line, "line_table", def->line_table);
	return print_line(printer);
}

static struct error *print_stack(struct sink *sink, const struct stack_def *def)
{
	struct printer *printer = printer_of(sink);
	buffer_printf(&printer->line, "stack id=%u parent=%u code=%u instruction=%d", def->id, def->parent, def->code,
		def->instruction);
	return print_line(printer);
}

/* Its state is an allocator. */
static bool is_of_memory(const struct event *event)
{
	return event->kind == EVENT_ALLOC || event->kind == EVENT_FREE ||
	       (event->kind == EVENT_TALLY && event->subject >= SUBJECT_MEMORY_PEAK &&
		       event->subject <= SUBJECT_MEMORY_SIZES);
}

static struct error *print_event(struct printer *printer, const struct event *event)
{
	struct buffer *line = &printer->line;
	buffer_printf(line, "event %s time=%" PRIu64 " process=%u thread=%u stack=%u", event_kind_name(event->kind),
		event->time, event->process, event->thread, event->stack);
	if (is_of_memory(event)) {
		buffer_printf(line, " allocator=%u", event->state);
	} else if (event->kind == EVENT_SAMPLE || event->state) {
		buffer_add_string(line, " state=");
		event_state_add_names(line, event->state);
	}
	if (event->kind == EVENT_SAMPLE || event->quality)
		buffer_printf(line, " quality=%s", event_quality_name(event->quality));
	if (event->subject)
		buffer_printf(line, " subject=%s", event_subject_name(event->subject));
	if (event->syscall)
		buffer_printf(line, " syscall=%u", event->syscall);
	if (event->waits_for)
		buffer_printf(line, " waits_for=%u", event->waits_for);
	if (event->logical_parent)
		buffer_printf(line, " logical_parent=%u", event->logical_parent);
	for (unsigned i = 0; i < WEIGHT_END; i++)
		if (event->weight[i])
			buffer_printf(line, " %s=%" PRIu64, event_weight_name(i), event->weight[i]);
	return print_line(printer);
}

static struct error *print_events(struct sink *sink, const struct event *events, size_t count)
{
	for (size_t i = 0; i < count; i++)
		TRY(print_event(printer_of(sink), &events[i]));
	return NULL;
}

static struct error *print_end(struct sink *sink, const struct recording_end *end)
{
	struct printer *printer = printer_of(sink);
	struct buffer *line = &printer->line;
	buffer_printf(line,
		"end duration=%" PRIu64 " ticks_due=%" PRIu64 " ticks_late=%" PRIu64 " ticks_missed=%" PRIu64,
		end->duration, end->ticks_due, end->ticks_late, end->ticks_missed);
	for (unsigned i = 0; i < QUALITY_END; i++)
		buffer_printf(line, " samples_%s=%" PRIu64, event_quality_name(i), end->samples[i]);
	buffer_printf(line,
		" read_errors=%" PRIu64 " own_cpu_ns=%" PRIu64 " stopped_ns=%" PRIu64 " bare_wake_ns=%" PRIu64,
		end->read_errors, end->own_cpu_ns, end->stopped_ns, end->bare_wake_ns);
	buffer_printf(line,
		" target_status=%u target_ended=%u unseen_children=%u children_found=%u children_unknown=%u",
		end->target_status, end->target_ended, end->unseen_children, end->children_found,
		end->children_unknown);
	return print_line(printer);
}

static const struct sink_ops printer_ops = {
	.begin = print_begin,
	.process = print_process,
	.thread = print_thread,
	.code = print_code,
	.stack = print_stack,
	.events = print_events,
	.end = print_end,
};

/* The last line: what was read and what is missing. */
static struct error *print_status(struct printer *printer, const struct recording_status *status)
{
	buffer_printf(&printer->line, "%s blocks=%" PRIu64 " events=%" PRIu64 " bytes=%" PRIu64 " lost=%" PRIu64,
		status->complete ? "complete" : "incomplete", status->blocks, status->events, status->bytes_read,
		status->bytes_lost);
	if (status->reason[0])
		buffer_printf(&printer->line, ": %s", status->reason);
	return print_line(printer);
}

struct error *recording_print_raw(const char *path, FILE *out)
{
	struct printer printer = { .sink = { &printer_ops }, .observer = { print_block }, .out = out };
	_cleanup_close_ int fd = -1;
	TRY(recording_open(path, &fd));
	struct recording_status status;
	struct error *error = recording_read_fd(fd, path, &printer.sink, &printer.observer, &status);
	if (!error)
		error = print_status(&printer, &status);
	if (!error && fflush(out))
		error = error_os(errno, "cannot print");
	buffer_deinit(&printer.line);
	return error;
}
