/* memory_table.h: allocations added up by what a report's rows are. */
#pragma once
#include "profile/memory.h"
#include "report/label.h"
#include "report/report.h"

struct memory_table_row {
	uint64_t key;
	const struct memory_row *first; /* one of those that it sums up */
	uint32_t frame;			/* of its innermost call; PROFILE_NONE: no Python was there */
	struct memory_sum shown, difference;
};

struct memory_table {
	VEC(struct memory_table_row) rows; /* by size, of differences by what they are without sign, falling */
};

/* The profile must be decoded, and one of memory. */
struct error *memory_table_init(
	const struct profile *profile, enum memory_view view, enum report_by by, struct memory_table *ret_table);
void memory_table_deinit(struct memory_table *table);
#define _cleanup_memory_table_ __attribute__((cleanup(memory_table_deinit)))

struct error *memory_text_write(struct profile *profile, const struct report_options *options, struct buffer *out);
struct error *memory_json_write(struct profile *profile, const struct report_options *options, struct buffer *out);

/* "1024 B", "550 KiB", "61.0 MiB": as tracemalloc writes sizes; with a sign: "+104 KiB". */
void memory_add_size(struct buffer *out, int64_t bytes, bool sign);
/* "size=550 KiB (+104 KiB), count=203 (+201), average=528 B", as tracemalloc writes statistics. */
void memory_add_statistic(struct buffer *out, const struct memory_table_row *row, bool differences);
