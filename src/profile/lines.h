/* lines.h: exact hits and times by line, of all threads and processes together; of recordings of memory, what each
 * line got.
 *
 * A line's time is from when it begins until the next line does or the function is left, what it called included; a
 * line that is under way several times (recursion) counts once. Measuring costs time: the recording says how much a hit
 * costs, within the line's own time and beside it, in the time of the line that called. What is taken off is kept
 * beside the times as measured, so that a report can show either. */
#pragma once
#include "profile/profile.h"

/* In `struct lines`.unit; what cannot be is kept until all is added up, and then shown as 0. */
struct lines_sum {
	uint64_t hits;		   /* of a function: calls */
	int64_t wall, called, cpu; /* as measured; of `wall`, in what it called, and on a core: 0: not measured */
	int64_t cost, called_cost; /* thousandths: of our own work, in `wall` and in `called` */
	int64_t increment;	   /* of memory: bytes that were got less those that were given back */
	uint64_t usage;		   /* the most at the ends of the line; of a function, resident at its first entry */
};

struct lines_line {
	uint32_t line;
	struct lines_sum sum;
};

/* Code objects of one file, first line and qualified name are one. */
struct lines_function {
	uint32_t code;	       /* that its names are of */
	uint32_t first, count; /* its lines, of `lines`, by number; only such as were hit */
	uint64_t hits;	       /* of all its lines */
	struct lines_sum sum;  /* of the function: wall is 0 where it was not measured as a whole */
};

struct lines {
	const struct profile *profile;
	VEC(struct lines_function) functions; /* file by file, by first line; given ones in the order of their file */
	VEC(struct lines_line) lines;
	double unit; /* seconds: 1e-9, but for given ones */
	bool has_cost, has_called, has_cpu;
};

/* The profile must outlive the lines and not be fed meanwhile. */
struct error *lines_init(const struct profile *profile, struct lines *ret_lines);
void lines_deinit(struct lines *lines);
#define _cleanup_lines_ __attribute__((cleanup(lines_deinit)))

/* From now on all times are CPU times, if they were measured; those in what lines called were not. */
void lines_use_cpu(struct lines *lines);

/* Those that were hit, by number; NULL where there are none. */
const struct lines_line *lines_of_function(const struct lines *lines, const struct lines_function *function);
struct text lines_function_name(const struct lines *lines, const struct lines_function *function);
struct text lines_function_file(const struct lines *lines, const struct lines_function *function);

struct lines_times {
	uint64_t total, self; /* total >= self */
	uint64_t cpu;	      /* of the total, on a core; 0: not measured */
};
/* `measured`: with our own work. */
struct lines_times lines_times(const struct lines_sum *sum, bool measured);
/* A function's time: that of its lines together, unless recursion makes lines contain each other; then as the whole
 * function was measured. */
uint64_t lines_function_time(const struct lines *lines, const struct lines_function *function, bool measured);
/* Of memory: what those of its lines got that got more than they gave back. */
uint64_t lines_function_got(const struct lines *lines, const struct lines_function *function);
uint64_t lines_to_ns(const struct lines *lines, uint64_t time);

/* Rows for views: each line's own time and its hits, what measuring cost taken off. Time in what a line called is not
 * its own where it was measured; on a core is at most as much as was with what it called. Replaces the rows that are
 * there. */
struct error *lines_make_rows(struct profile *profile);
