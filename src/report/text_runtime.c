/* text_runtime.c: what the interpreter did besides running code: the collector, the GIL; and threads and processes. */
#include <inttypes.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "report/page.h"

enum { ROWS = 20, GC_LINES = 5, GIL_ROWS = 5 };

struct collections {
	uint64_t generations[PROFILE_GC_GENERATIONS];
	bool any;
};

static struct collections count_collections(const struct profile *profile)
{
	struct collections sum = { 0 };
	for (size_t i = 1; i < profile->processes.count; i++)
		for (size_t g = 0; g < PROFILE_GC_GENERATIONS; g++) {
			sum.generations[g] += profile_counter_change(&profile->processes.data[i].gc[g]);
			sum.any |= sum.generations[g] > 0;
		}
	return sum;
}

static int more_gc(const void *left, const void *right)
{
	const struct profile_line_row *a = *(const struct profile_line_row *const *)left,
				      *b = *(const struct profile_line_row *const *)right;
	if (a->gc.weight != b->gc.weight)
		return a->gc.weight < b->gc.weight ? 1 : -1;
	return (a > b) - (a < b);
}

static struct error *add_gc_lines(struct page *page)
{
	const struct profile_flat *flat = &page->flat;
	_cleanup_free_ const struct profile_line_row **rows = malloc((flat->lines.count + 1) * sizeof *rows);
	if (!rows)
		return &error_no_memory;
	size_t count = 0;
	for (size_t i = 0; i < flat->lines.count; i++)
		if (flat->lines.data[i].gc.weight)
			rows[count++] = &flat->lines.data[i];
	qsort(rows, count, sizeof *rows, more_gc);
	if (count) {
		page_ink(page, INK_DIM);
		page_write(page, "%8s%5s  %s", "share", "", "the line that set it off");
		page_ink(page, INK_PLAIN);
		page_end_line(page);
	}
	for (size_t i = 0; i < count && i < page_rows(page, GC_LINES); i++) {
		struct label label = label_of_function(&page->labels, rows[i]->function);
		label.line = rows[i]->line;
		page_share_with_interval(page, rows[i]->gc.weight);
		page_write(page, "  ");
		label_add_fitted(page->out, &label, page_room(page, 15), page->options->ascii);
		page_end_line(page);
	}
	return NULL;
}

struct error *page_add_collections(struct page *page)
{
	struct collections counts = count_collections(page->profile);
	struct buffer remark = { 0 };
	if (!page->flat.gc.weight && !counts.any && !page->profile->gc_pauses)
		return NULL;
	if (page->flat.gc.weight || page->profile->states_seen & STATE_GC) {
		struct profile_share share = profile_share_of(
			page->flat.gc.weight, page->view.all.weight, page->view.all.samples);
		buffer_printf(&remark, "%.1f %%", share.share * 100);
	}
	if (counts.any) {
		buffer_printf(&remark, "%scollections of generation 0, 1, 2: ", remark.size ? "; " : "");
		for (size_t g = 0; g < PROFILE_GC_GENERATIONS; g++) {
			buffer_add_string(&remark, g ? ", " : "");
			print_add_number(&remark, counts.generations[g]);
		}
	}
	if (!counts.any && page->profile->gc_pauses) {
		buffer_add_string(&remark, remark.size ? "; " : "");
		print_add_number(&remark, page->profile->gc_pauses);
		buffer_printf(&remark, " collection%s seen", page->profile->gc_pauses == 1 ? "" : "s");
	}
	page_title(page, "Garbage collection", buffer_string(&remark));
	buffer_deinit(&remark);
	return page->flat.gc.weight ? add_gc_lines(page) : NULL;
}

static uint64_t count_handovers(const struct profile *profile)
{
	uint64_t sum = 0;
	for (size_t i = 1; i < profile->processes.count; i++)
		sum += profile_counter_change(&profile->processes.data[i].gil_switches);
	return sum;
}

static int longer_wait(const void *left, const void *right, void *data)
{
	const struct profile_wait *waits = data, *a = &waits[*(const uint32_t *)left],
				  *b = &waits[*(const uint32_t *)right];
	if (a->wall != b->wall)
		return a->wall < b->wall ? 1 : -1;
	return (a > b) - (a < b);
}

static void add_wait(struct page *page, const struct profile_wait *wait)
{
	page_duration(page, INK_PLAIN, 9, wait->wall);
	page_write(page, "  ");
	page->scratch.size = 0;
	label_add_thread(&page->scratch, page->profile, wait->thread);
	buffer_add_string(&page->scratch, " for ");
	label_add_thread(&page->scratch, page->profile, wait->holder);
	print_add_fitted(
		page->out, print_text(&page->scratch), page_room(page, 11), PRINT_CUT_END, page->options->ascii);
	page_end_line(page);
}

/* Who waited for whom. */
static struct error *add_waits(struct page *page)
{
	size_t count = page->profile->waits.count;
	_cleanup_free_ uint32_t *order = malloc((count + 1) * sizeof *order);
	if (!order)
		return &error_no_memory;
	for (size_t i = 0; i < count; i++)
		order[i] = (uint32_t)i;
	qsort_r(order, count, sizeof *order, longer_wait, page->profile->waits.data);
	if (count) {
		page_ink(page, INK_DIM);
		page_write(page, "%9s  %s", "waited", "which thread, for which");
		page_ink(page, INK_PLAIN);
		page_end_line(page);
	}
	for (size_t i = 0; i < count && i < page_rows(page, GIL_ROWS); i++)
		add_wait(page, &page->profile->waits.data[order[i]]);
	return NULL;
}

static int more_waiting(const void *left, const void *right, void *data)
{
	const struct profile_function_row *rows = data, *a = &rows[*(const uint32_t *)left],
					  *b = &rows[*(const uint32_t *)right];
	if (a->waits_gil != b->waits_gil)
		return a->waits_gil < b->waits_gil ? 1 : -1;
	return (a > b) - (a < b);
}

/* Which functions waited, and how much the same ones held. */
static struct error *add_waiting_functions(struct page *page)
{
	const struct profile_flat *flat = &page->flat;
	_cleanup_free_ uint32_t *order = malloc((flat->functions.count + 1) * sizeof *order);
	if (!order)
		return &error_no_memory;
	for (size_t i = 0; i < flat->functions.count; i++)
		order[i] = (uint32_t)i;
	qsort_r(order, flat->functions.count, sizeof *order, more_waiting, flat->functions.data);
	if (!flat->functions.count || !flat->functions.data[order[0]].waits_gil)
		return NULL;
	page_ink(page, INK_DIM);
	page_write(page, "%8s%8s  %s", "waits", "holds", "function");
	page_ink(page, INK_PLAIN);
	page_end_line(page);
	for (size_t i = 0; i < flat->functions.count && i < page_rows(page, GIL_ROWS); i++) {
		const struct profile_function_row *row = &flat->functions.data[order[i]];
		if (!row->waits_gil)
			break;
		struct label label = label_of_function(&page->labels, row->function);
		page_share(page, row->waits_gil);
		page_share(page, row->holds_gil);
		page_write(page, "  ");
		label_add_fitted(page->out, &label, page_room(page, 18), page->options->ascii);
		page_end_line(page);
	}
	return NULL;
}

struct error *page_add_gil(struct page *page)
{
	const struct profile_times *all = &page->times.all;
	uint64_t wall = profile_duration(page->profile), handovers = count_handovers(page->profile);
	if (!all->gil_wait && !(page->options->view.only_gil && all->gil_held))
		return NULL;
	struct buffer remark = { 0 };
	buffer_printf(&remark, "held %.1f %% of the wall time, waited for ",
		wall ? (double)all->gil_held * 100 / (double)wall : 0);
	print_add_duration(&remark, all->gil_wait, page->options->ascii);
	if (handovers && wall) {
		buffer_add_string(&remark, "; ");
		print_add_number(&remark, (uint64_t)((double)handovers * NS_PER_S / (double)wall + 0.5));
		buffer_add_string(&remark, " handovers a second");
	}
	page_title(page, "GIL", buffer_string(&remark));
	buffer_deinit(&remark);
	TRY(add_waits(page));
	return add_waiting_functions(page);
}

static int busier(const void *left, const void *right, void *data)
{
	const struct profile_times *times = data, *a = &times[*(const uint32_t *)left],
				   *b = &times[*(const uint32_t *)right];
	uint64_t x = a->wall - a->idle, y = b->wall - b->idle;
	if (x != y)
		return x < y ? 1 : -1;
	if (a->wall != b->wall)
		return a->wall < b->wall ? 1 : -1;
	return (a > b) - (a < b);
}

/* The ids of those with samples, the busiest first; NULL without memory. */
static uint32_t *order_by_time(struct profile_times *times, size_t count, size_t *ret_count)
{
	uint32_t *order = malloc((count + 1) * sizeof *order);
	*ret_count = 0;
	for (size_t i = 1; order && i < count; i++)
		if (times[i].samples)
			order[(*ret_count)++] = (uint32_t)i;
	if (order)
		qsort_r(order, *ret_count, sizeof *order, busier, times);
	return order;
}

static bool knows_gil(const struct page *page)
{
	return page->profile->states_seen & (STATE_HOLDS_GIL | STATE_WAITS_GIL);
}

static unsigned time_columns(const struct page *page)
{
	return 21 + (page_shows_core_wait(page) ? 10 : 0) + (knows_gil(page) ? 20 : 0);
}

static void add_time_heads(struct page *page, const char *title, const char *what)
{
	page_title(page, title, NULL);
	page_ink(page, INK_DIM);
	page_write(page, "%9s", "CPU");
	if (page_shows_core_wait(page))
		page_write(page, "%10s", "core wait");
	page_write(page, "%10s", "idle");
	if (knows_gil(page))
		page_write(page, "%10s%10s", "GIL held", "GIL wait");
	page_write(page, "  %s", what);
	page_ink(page, INK_PLAIN);
	page_end_line(page);
}

static void add_time_cells(struct page *page, const struct profile_times *times)
{
	page_duration(page, INK_PLAIN, 9, times->cpu);
	if (page_shows_core_wait(page))
		page_duration(page, INK_PLAIN, 10, times->core_wait);
	page_duration(page, INK_PLAIN, 10, times->idle);
	if (knows_gil(page)) {
		page_duration(page, INK_PLAIN, 10, times->gil_held);
		page_duration(page, INK_PLAIN, 10, times->gil_wait);
	}
	page_write(page, "  ");
}

/* A row for each of order[0..count), what it is called by `add_name` into page->scratch. */
static void add_time_rows(struct page *page, const struct profile_times *times, const uint32_t *order, size_t count,
	void (*add_name)(struct page *, uint32_t))
{
	unsigned taken = time_columns(page);
	size_t rows = page_rows(page, ROWS);
	for (size_t i = 0; i < count && i < rows; i++) {
		add_time_cells(page, &times[order[i]]);
		page->scratch.size = 0;
		add_name(page, order[i]);
		print_add_fitted(page->out, print_text(&page->scratch), page_room(page, taken), PRINT_CUT_END,
			page->options->ascii);
		page_end_line(page);
	}
	page->scratch.size = 0;
	if (count <= rows)
		return;
	page_ink(page, INK_DIM);
	page_write(page, "%*s%zu more", (int)taken, "", count - rows);
	page_ink(page, INK_PLAIN);
	page_end_line(page);
}

static void add_thread_name(struct page *page, uint32_t id)
{
	const struct profile_thread *thread = &page->profile->threads.data[id];
	label_add_thread(&page->scratch, page->profile, id);
	if (page->profile->processes.count > 2)
		buffer_printf(&page->scratch, " (pid %u, tid %u)", page->profile->processes.data[thread->process].pid,
			thread->tid);
	else if (thread->tid && thread->name.size)
		buffer_printf(&page->scratch, " (tid %u)", thread->tid);
}

static void add_process_name(struct page *page, uint32_t id)
{
	const struct profile_process *process = &page->profile->processes.data[id];
	buffer_printf(&page->scratch, "%u ", process->pid);
	label_add_command(&page->scratch, process->command);
}

struct error *page_add_threads(struct page *page)
{
	size_t count;
	_cleanup_free_ uint32_t *order = order_by_time(page->times.threads, page->profile->threads.count, &count);
	if (!order)
		return &error_no_memory;
	if (count < 2)
		return NULL;
	add_time_heads(page, "Threads", "thread");
	add_time_rows(page, page->times.threads, order, count, add_thread_name);
	return NULL;
}

struct error *page_add_processes(struct page *page)
{
	size_t count;
	_cleanup_free_ uint32_t *order = order_by_time(page->times.processes, page->profile->processes.count, &count);
	if (!order)
		return &error_no_memory;
	if (count < 2)
		return NULL;
	add_time_heads(page, "Processes", "process");
	add_time_rows(page, page->times.processes, order, count, add_process_name);
	return NULL;
}
