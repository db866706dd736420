/* text_head.c: what was measured, how well, at what cost, and where the time went in all. */
#include <inttypes.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "report/head.h"
#include "report/idle.h"
#include "report/page.h"

static void add_count(struct buffer *out, uint64_t count, const char *what, const char *plural)
{
	print_add_number(out, count);
	buffer_printf(out, " %s%s", what, count == 1 ? "" : plural);
}

static uint32_t count_processes(const struct page *page)
{
	uint32_t count = 0;
	for (size_t i = 1; i < page->profile->processes.count; i++)
		count += page->times.processes[i].samples > 0;
	return count;
}

static void add_command(struct page *page)
{
	const struct profile *profile = page->profile;
	struct buffer *text = &page->scratch;
	text->size = 0;
	if (profile->processes.count > 1)
		label_add_command(text, profile->processes.data[1].command);
	if (!text->size)
		buffer_add_string(text, "a program whose command line is not known");
	page_ink(page, INK_TITLE);
	print_add_fitted(page->out, print_text(text), page_room(page, 0), PRINT_CUT_END, page->options->ascii);
	page_ink(page, INK_PLAIN);
	page_end_line(page);
}

static void add_start(struct buffer *text, uint64_t unix_ns)
{
	time_t seconds = (time_t)(unix_ns / NS_PER_S);
	struct tm local;
	char date[32];
	if (unix_ns && localtime_r(&seconds, &local) && strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &local))
		buffer_printf(text, ", %s", date);
}

/* "CPython 3.11.7, pid 4242 and 1 more process, on furnace, 2023-11-14 22:13:20" */
static void add_process(struct page *page)
{
	const struct profile *profile = page->profile;
	struct buffer text = { 0 };
	if (profile->processes.count > 1) {
		const struct profile_process *first = &profile->processes.data[1];
		buffer_add_string(&text, first->python_version ? "CPython " : "Python of unknown version");
		head_add_python_version(&text, first->python_version);
		buffer_printf(&text, "%s, pid %u", first->flags & 1 ? " free-threaded" : "", first->pid);
		if (profile->processes.count > 2) {
			buffer_add_string(&text, " and ");
			add_count(&text, profile->processes.count - 2, "more process", "es");
		}
	}
	if (profile->info.host.size) {
		buffer_add_string(&text, text.size ? ", on " : "on ");
		print_add_text(&text, profile->info.host);
	}
	add_start(&text, profile->info.start_unix_ns);
	page_paragraph(page, INK_PLAIN, 0, buffer_string(&text));
	buffer_deinit(&text);
}

/* "7.54 s at 1,000 Hz: 23,156 samples of 5 threads: 23,065 exact, 84 repaired, 7 partial; 3 ticks late, 1 missed" */
static void add_samples(struct page *page)
{
	const struct profile *profile = page->profile;
	const struct profile_times *all = &page->times.all;
	struct buffer text = { 0 };
	print_add_duration(&text, profile_duration(profile), page->options->ascii);
	if (profile->info.rate_millihertz) {
		buffer_add_string(&text, " at ");
		print_add_number(&text, (profile->info.rate_millihertz + 500) / 1000);
		buffer_add_string(&text, " Hz, ");
	} else {
		buffer_add_string(&text, " as fast as it goes, ");
	}
	add_count(&text, all->samples, "sample", "s");
	buffer_add_string(&text, " of ");
	add_count(&text, all->threads, "thread", "s");
	buffer_add_string(&text, ": ");
	print_add_number(&text, all->quality[QUALITY_EXACT]);
	buffer_add_string(&text, " exact, ");
	print_add_number(&text, all->quality[QUALITY_REPAIRED]);
	buffer_add_string(&text, " repaired, ");
	print_add_number(&text, all->quality[QUALITY_PARTIAL]);
	buffer_add_string(&text, " partial");
	if (profile->ended) {
		buffer_add_string(&text, "; ");
		add_count(&text, profile->end.ticks_late, "tick", "s");
		buffer_add_string(&text, " late, ");
		print_add_number(&text, profile->end.ticks_missed);
		buffer_add_string(&text, " missed");
		if (profile->end.read_errors) {
			buffer_add_string(&text, ", ");
			add_count(&text, profile->end.read_errors, "read", "s");
			buffer_add_string(&text, " failed");
		}
	}
	page_paragraph(page, INK_PLAIN, 0, buffer_string(&text));
	buffer_deinit(&text);
}

/* What should make one doubt the rest. */
static void add_warnings(struct page *page)
{
	enum { WORTH = 100 }; /* a program that ends while it is read is one read, and no reason for doubt */
	const struct profile *profile = page->profile;
	struct buffer text = { 0 };
	head_add_cut(&text, profile);
	page_warning(page, &text);
	if (profile->ended && profile->end.read_errors * WORTH >= profile->end.ticks_due && profile->end.read_errors) {
		add_count(&text, profile->end.read_errors, "read", "s");
		buffer_add_string(&text, " of the program failed.");
	}
	page_warning(page, &text);
	if (profile->ended && profile->end.unseen_children) {
		add_count(&text, profile->end.unseen_children, "child process", "es");
		buffer_add_string(&text, " ended before a sample could be taken.");
	}
	page_warning(page, &text);
	if (profile->ended && profile->end.children_unknown)
		buffer_add_string(
			&text, profile->end.children_found == CHILDREN_BY_EVENTS
				       ? "More child processes began than could be followed: some may be missing."
				       : "Child processes that ended within a millisecond or two may be missing: "
					 "to be told of each by the kernel takes root or CAP_NET_ADMIN.");
	page_warning(page, &text);
	head_add_status(&text, profile);
	page_warning(page, &text);
	buffer_deinit(&text);
}

struct figure {
	const char *title;
	uint64_t ns;
	bool shown, has_share;
};

enum { FIGURE_WIDTH = 11 };

/* Of all threads' time; the kernel's accounting and the samples of a thread differ a little. */
static double share_of_threads(const struct page *page, uint64_t ns)
{
	uint64_t whole = page->times.all.wall;
	return whole && ns < whole ? (double)ns / (double)whole : ns ? 1 : 0;
}

static void add_figures(struct page *page, const struct figure *figures, size_t count)
{
	page_end_line(page);
	for (size_t i = 0; i < count; i++)
		if (figures[i].shown)
			page_cell(page, INK_DIM, FIGURE_WIDTH, "%s", figures[i].title);
	page_end_line(page);
	for (size_t i = 0; i < count; i++)
		if (figures[i].shown)
			page_duration(page, INK_STRONG, FIGURE_WIDTH, figures[i].ns);
	page_end_line(page);
	for (size_t i = 0; i < count; i++)
		if (figures[i].shown && figures[i].has_share)
			page_cell(
				page, INK_PLAIN, FIGURE_WIDTH, "%.1f %%", share_of_threads(page, figures[i].ns) * 100);
		else if (figures[i].shown)
			page_cell(page, INK_PLAIN, FIGURE_WIDTH, "%s", "");
	page_end_line(page);
}

static void add_note(struct page *page, struct buffer *text)
{
	if (text->size)
		page_paragraph(page, INK_DIM, 3, buffer_string(text));
	text->size = 0;
}

static void add_base(struct page *page, struct buffer *text)
{
	const struct profile_times *all = &page->times.all;
	uint32_t processes = count_processes(page);
	if (all->threads < 2)
		return;
	buffer_add_string(text, "shares of the ");
	print_add_duration(text, all->wall, page->options->ascii);
	buffer_printf(text, " that %u threads had", all->threads);
	if (processes > 1)
		buffer_printf(text, " in %u processes", processes);
	add_note(page, text);
}

/* What is not plain to who sees such a column for the first time. */
static void add_meanings(struct page *page, struct buffer *text)
{
	enum { WORTH = 20 }; /* a twentieth */
	const struct profile_times *all = &page->times.all;
	if (all->core_wait * WORTH > all->wall)
		buffer_add_string(text, "core wait: ready to run, but all cores of the machine were busy");
	add_note(page, text);
	if (all->gil_wait * WORTH > all->wall)
		buffer_add_string(text, "GIL wait: ready to run Python code, but another thread held the GIL");
	add_note(page, text);
}

/* "2.40 s in clock_nanosleep (sleep)" */
static void add_idle_call(const struct page *page, struct buffer *text, const struct profile_idle *idle)
{
	struct idle_call call = idle_find_call(page->profile, idle->system_call);
	print_add_duration(text, idle->wall, page->options->ascii);
	if (call.name)
		buffer_printf(text, " in %s (%s)", call.name, call.meaning);
	else if (call.meaning)
		buffer_printf(text, " %s", call.meaning);
	else
		buffer_printf(text, " in system call %d", idle->system_call);
}

/* "idle: 2.40 s in clock_nanosleep (sleep), 0.41 s in futex (a lock)" */
static struct error *add_idle(struct page *page, struct buffer *text)
{
	enum { MOST = 3, WORTH = 50, WORTH_OF_ALL = 100 };
	const struct profile *profile = page->profile;
	uint64_t all = page->times.all.idle;
	if (!all || all * WORTH_OF_ALL < page->times.all.wall)
		return NULL;
	_cleanup_free_ uint32_t *order = idle_order(profile);
	if (!order)
		return &error_no_memory;
	for (size_t i = 0; i < profile->idle.count && i < MOST; i++) {
		const struct profile_idle *idle = &profile->idle.data[order[i]];
		if (idle->wall * WORTH < all)
			break;
		buffer_add_string(text, i ? ", " : "idle: ");
		add_idle_call(page, text, idle);
	}
	add_note(page, text);
	return NULL;
}

/* "GIL held 82.2 % of the wall time, collector 4.1 ms": parts of the columns, not columns. */
static void add_interpreter(struct page *page, struct buffer *text)
{
	const struct profile_times *all = &page->times.all;
	uint64_t wall = profile_duration(page->profile), states = page->profile->states_seen;
	if (states & STATE_HOLDS_GIL && wall && count_processes(page) < 2)
		buffer_printf(text, "GIL held %.1f %% of the wall time", (double)all->gil_held * 100 / (double)wall);
	if (states & STATE_GC) {
		buffer_add_string(text, text->size ? ", collector " : "collector ");
		print_add_duration(text, all->gc, page->options->ascii);
	}
	add_note(page, text);
}

/* Wall time, and what the threads did in it: every moment of a thread is in one of the columns after the first. */
static struct error *add_times(struct page *page)
{
	enum { WORTH = 200 };
	const struct profile_times *all = &page->times.all;
	bool gil_wait = all->gil_wait || (all->threads > 1 && page->profile->states_seen & STATE_HOLDS_GIL);
	const struct figure figures[] = {
		{ "wall", profile_duration(page->profile), true, false },
		{ all->cpu_exact ? "CPU" : "CPU, about", all->cpu, true, true },
		{ "core wait", all->core_wait, page_shows_core_wait(page), true },
		{ "GIL wait", all->gil_wait, gil_wait, true },
		{ "disk wait", all->disk_wait, all->disk_wait * WORTH > all->wall, true },
		{ "idle", all->idle, true, true },
	};
	_cleanup_buffer_ struct buffer text = { 0 };
	add_figures(page, figures, sizeof figures / sizeof *figures);
	add_base(page, &text);
	add_meanings(page, &text);
	TRY(add_idle(page, &text));
	add_interpreter(page, &text);
	return NULL;
}

static void add_own_cost(struct page *page)
{
	const struct recording_end *end = &page->profile->end;
	struct buffer text = { 0 };
	if (!page->profile->ended || !end->duration)
		return;
	buffer_add_string(&text, "Pyrometer took ");
	print_add_duration(&text, end->own_cpu_ns, page->options->ascii);
	buffer_printf(&text, " of CPU (%.1f %% of a core) and ", (double)end->own_cpu_ns * 100 / (double)end->duration);
	if (end->stopped_ns) {
		buffer_add_string(&text, "stopped the program for ");
		print_add_duration(&text, end->stopped_ns, page->options->ascii);
		buffer_add_string(&text, " in all.");
	} else {
		buffer_add_string(&text, "never stopped the program.");
	}
	page_end_line(page);
	page_paragraph(page, INK_DIM, 0, buffer_string(&text));
	buffer_deinit(&text);
}

void page_add_target(struct page *page)
{
	add_command(page);
	add_process(page);
}

struct error *page_add_head(struct page *page)
{
	page_add_target(page);
	add_samples(page);
	add_warnings(page);
	if (page->times.all.samples)
		TRY(add_times(page));
	add_own_cost(page);
	return NULL;
}
