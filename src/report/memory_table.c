/* memory_table.c: see memory_table.h. */
#include "report/memory_table.h"

#include <inttypes.h>

static uint32_t frame_of(const struct profile *profile, const struct memory_row *row)
{
	return row->stack ? profile->stacks.data[row->stack].frame : PROFILE_NONE;
}

static uint64_t key_of(const struct profile *profile, enum report_by by, const struct memory_row *row)
{
	uint32_t frame = frame_of(profile, row);
	const struct profile_frame *f = frame == PROFILE_NONE ? NULL : &profile->frames.data[frame];
	uint32_t function = f ? f->function : FUNCTION_NO_PYTHON;
	switch (by) {
	case REPORT_BY_FUNCTION:
		return function;
	case REPORT_BY_FILE:
		return profile->functions.data[function].file_number;
	case REPORT_BY_TRACEBACK:
		return row->stack;
	case REPORT_BY_ALLOCATOR:
		return row->allocator;
	case REPORT_BY_THREAD:
		return row->thread;
	case REPORT_BY_PROCESS:
		return row->process;
	default:
		return (uint64_t)profile->functions.data[function].file_number << 32 | (f ? f->line : 0);
	}
}

static uint64_t magnitude(int64_t number)
{
	return number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
}

/* As tracemalloc sorts: differences first, where there are any. */
static int by_size(const void *left, const void *right)
{
	const struct memory_table_row *a = left, *b = right;
	const uint64_t keys[][2] = {
		{ magnitude(a->difference.bytes), magnitude(b->difference.bytes) },
		{ magnitude(a->shown.bytes), magnitude(b->shown.bytes) },
		{ magnitude(a->difference.count), magnitude(b->difference.count) },
		{ magnitude(a->shown.count), magnitude(b->shown.count) },
		{ b->key, a->key },
	};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (keys[i][0] != keys[i][1])
			return keys[i][0] < keys[i][1] ? 1 : -1;
	return 0;
}

struct error *memory_table_init(
	const struct profile *profile, enum memory_view view, enum report_by by, struct memory_table *ret_table)
{
	const struct profile_memory *m = profile->memory;
	struct memory_table table = { 0 };
	struct map index = { 0 };
	bool ok = true;
	for (size_t i = 0; ok && i < m->rows.count; i++) {
		const struct memory_row *row = &m->rows.data[i];
		struct memory_sum shown = memory_shown(view, row), difference = memory_difference(view, row);
		if (!memory_counts(row->allocator) ||
			(!shown.bytes && !shown.count && !difference.bytes && !difference.count))
			continue;
		uint64_t key = key_of(profile, by, row);
		const uint64_t *known = map_get(&index, key + 1);
		size_t place = known ? *known : table.rows.count;
		const struct memory_table_row made = { .key = key, .first = row, .frame = frame_of(profile, row) };
		ok = known || (vec_push(&table.rows, made) && map_put(&index, key + 1, place));
		if (!ok)
			break;
		memory_sum_add(&table.rows.data[place].shown, shown);
		memory_sum_add(&table.rows.data[place].difference, difference);
	}
	map_deinit(&index);
	if (!ok) {
		memory_table_deinit(&table);
		return &error_no_memory;
	}
	if (table.rows.count)
		qsort(table.rows.data, table.rows.count, sizeof *table.rows.data, by_size);
	*ret_table = table;
	return NULL;
}

void memory_table_deinit(struct memory_table *table)
{
	vec_free(&table->rows);
}

/* ---- words ---- */

void memory_add_size(struct buffer *out, int64_t bytes, bool sign)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	enum { LAST = sizeof units / sizeof *units - 1 };
	double size = (double)bytes;
	for (unsigned i = 0; i <= LAST; i++, size /= 1024) {
		double absolute = size < 0 ? -size : size;
		if (absolute < 100 && i) {
			buffer_printf(out, sign ? "%+.1f %s" : "%.1f %s", size, units[i]);
			return;
		}
		if (absolute < 10 * 1024 || i == LAST) {
			buffer_printf(out, sign ? "%+.0f %s" : "%.0f %s", size, units[i]);
			return;
		}
	}
}

void memory_add_statistic(struct buffer *out, const struct memory_table_row *row, bool differences)
{
	buffer_add_string(out, "size=");
	memory_add_size(out, row->shown.bytes, false);
	if (differences) {
		buffer_add_string(out, " (");
		memory_add_size(out, row->difference.bytes, true);
		buffer_add_string(out, ")");
	}
	buffer_printf(out, ", count=%" PRId64, row->shown.count);
	if (differences)
		buffer_printf(out, " (%+" PRId64 ")", row->difference.count);
	if (row->shown.count > 0) {
		buffer_add_string(out, ", average=");
		memory_add_size(out, row->shown.bytes / row->shown.count, false);
	}
}
