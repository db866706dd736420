/* pythons.c: see pythons.h. */
#include "cmd/pythons.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cmd/help.h"
#include "report/print.h"

static void explain(struct python_process *python, const struct machine_facts *machine)
{
	struct doctor_facts facts = { .machine = *machine, .has_target = true, .inspection = python->inspection };
	struct diagnosis diagnosis;
	facts_collect_target(python->process.pid, &facts.target);
	doctor_decide(&facts, &diagnosis);
	python->user = facts.target.credentials.effective_uid;
	python->readable = doctor_can_sample(&diagnosis);
	if (!python->readable)
		python->finding = diagnosis.findings[0];
}

/* False: no Python, or gone meanwhile. */
static bool look_at(pid_t pid, const struct machine_facts *machine, struct python_process *ret_python)
{
	struct python_process python = { 0 };
	_cleanup_error_ struct error *error = process_read(pid, &python.process);
	if (error || python.process.kernel_thread)
		goto no_python;
	inspect_process(pid, &python.inspection);
	if (python.inspection.found != PYTHON_READABLE && !inspect_is_named_python(&python.process))
		goto no_python;
	explain(&python, machine);
	*ret_python = python;
	return true;
no_python:
	process_deinit(&python.process);
	return false;
}

struct error *pythons_find(struct pythons *ret_pythons)
{
	_cleanup_process_list_ struct process_list list = { 0 };
	_cleanup_pythons_ struct pythons pythons = { 0 };
	struct machine_facts machine;
	TRY(process_list_read(&list));
	facts_collect_machine(/* try_child= */ false, &machine);
	for (size_t i = 0; i < list.pids.count; i++) {
		struct python_process python;
		if (list.pids.data[i] == getpid() || !look_at(list.pids.data[i], &machine, &python))
			continue;
		if (!vec_push(&pythons.items, python)) {
			process_deinit(&python.process);
			return &error_no_memory;
		}
	}
	*ret_pythons = pythons;
	pythons = (struct pythons){ 0 };
	return NULL;
}

void pythons_deinit(struct pythons *pythons)
{
	for (size_t i = 0; i < pythons->items.count; i++)
		process_deinit(&pythons->items.data[i].process);
	vec_free(&pythons->items);
}

/* ---- the table: a column is a row here and a small function ---- */

static void print_pid(const struct python_process *p, struct buffer *cell)
{
	buffer_printf(cell, "%d", p->process.pid);
}

static void print_version(const struct python_process *p, struct buffer *cell)
{
	char version[24] = "?";
	if (p->inspection.found == PYTHON_READABLE)
		runtime_version_text(&p->inspection.runtime, version);
	buffer_add_string(cell, version);
}

static void print_build(const struct python_process *p, struct buffer *cell)
{
	if (p->inspection.found != PYTHON_READABLE) {
		buffer_add_char(cell, '?');
		return;
	}
	buffer_printf(cell, "%s%s%s", p->inspection.runtime.shared ? "shared" : "static",
		p->inspection.debug ? " debug" : "", p->inspection.runtime.free_threaded ? " free-threaded" : "");
}

/* The two largest units: 3d 4h, 5m 20s. */
static void print_age(const struct python_process *p, struct buffer *cell)
{
	uint64_t s = p->process.age_ns / NS_PER_S;
	if (s >= 86400)
		buffer_printf(cell, "%ud %uh", (unsigned)(s / 86400), (unsigned)(s / 3600 % 24));
	else if (s >= 3600)
		buffer_printf(cell, "%uh %um", (unsigned)(s / 3600), (unsigned)(s / 60 % 60));
	else if (s >= 60)
		buffer_printf(cell, "%um %us", (unsigned)(s / 60), (unsigned)(s % 60));
	else
		buffer_printf(cell, "%us", (unsigned)s);
}

/* Minutes and seconds, as ps(1) and top(1) write it. */
static void print_cpu(const struct python_process *p, struct buffer *cell)
{
	uint64_t tenths = p->process.cpu_ns / (NS_PER_S / 10);
	buffer_printf(
		cell, "%u:%02u.%u", (unsigned)(tenths / 600), (unsigned)(tenths / 10 % 60), (unsigned)(tenths % 10));
}

static void print_readable(const struct python_process *p, struct buffer *cell)
{
	buffer_add_string(cell, p->readable ? "yes" : "no");
}

static const struct column {
	const char *title;
	bool right;
	void (*print)(const struct python_process *, struct buffer *cell);
} columns[] = {
	{ "PID", true, print_pid },
	{ "PYTHON", false, print_version },
	{ "BUILD", false, print_build },
	{ "AGE", true, print_age },
	{ "CPU", true, print_cpu },
	{ "READ", false, print_readable },
};

enum { COLUMNS = sizeof columns / sizeof *columns, COMMAND_LEAST = 16, FINDING_INDENT = 4 };

static void measure(const struct pythons *pythons, unsigned widths[static COLUMNS])
{
	for (size_t c = 0; c < COLUMNS; c++) {
		widths[c] = (unsigned)strlen(columns[c].title);
		for (size_t i = 0; i < pythons->items.count; i++) {
			_cleanup_buffer_ struct buffer cell = { 0 };
			columns[c].print(&pythons->items.data[i], &cell);
			widths[c] = cell.size > widths[c] ? (unsigned)cell.size : widths[c];
		}
	}
}

static void write_command(const struct python_process *p, unsigned room, struct buffer *text)
{
	_cleanup_buffer_ struct buffer command = { 0 };
	process_write_command(&p->process, &command);
	print_add_fitted(text, print_text(&command), room, /* keep_end= */ false, /* ascii= */ true);
	buffer_add_char(text, '\n');
}

static void write_finding(const struct finding *finding, unsigned width, struct buffer *text)
{
	_cleanup_buffer_ struct buffer words = { 0 };
	buffer_printf(&words, "%s%s%s", finding->cause, finding->remedy[0] ? ": " : "", finding->remedy);
	buffer_printf(text, "%*s", FINDING_INDENT, "");
	help_wrap(text, buffer_string(&words), FINDING_INDENT, FINDING_INDENT, width);
}

void pythons_write_table(const struct pythons *pythons, unsigned width, struct buffer *text)
{
	unsigned widths[COLUMNS], used = 0;
	if (!pythons->items.count)
		return;
	measure(pythons, widths);
	for (size_t c = 0; c < COLUMNS; c++) {
		buffer_printf(text, "%*s  ", columns[c].right ? (int)widths[c] : -(int)widths[c], columns[c].title);
		used += widths[c] + 2;
	}
	buffer_add_string(text, "COMMAND\n");
	for (size_t i = 0; i < pythons->items.count; i++) {
		for (size_t c = 0; c < COLUMNS; c++) {
			_cleanup_buffer_ struct buffer cell = { 0 };
			columns[c].print(&pythons->items.data[i], &cell);
			buffer_printf(text, "%*s  ", columns[c].right ? (int)widths[c] : -(int)widths[c],
				buffer_string(&cell));
		}
		write_command(
			&pythons->items.data[i], width > used + COMMAND_LEAST ? width - used : COMMAND_LEAST, text);
		if (!pythons->items.data[i].readable)
			write_finding(&pythons->items.data[i].finding, width, text);
	}
}
