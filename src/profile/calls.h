/* calls.h: exact calls by function, and by caller and callee, of all threads and processes together.
 *
 * A call is primitive when no call of the same function is under way on its path; a function's total counts what is
 * below such calls, so that recursion counts once. A pair of caller and callee is treated likewise, as cProfile does.
 *
 * Measuring costs time, and some of it falls into the times that are measured. The recording says how much a call
 * costs; what is taken off is kept beside the times as measured, so that a report can show either. */
#pragma once
#include "profile/profile.h"

/* What one path adds; the node has the number of its stack. */
struct calls_node {
	uint32_t function; /* PROFILE_NONE: no call of it was measured */
	uint32_t pair;	   /* of use only while the table is made */
	struct calls_sum sum;
	uint64_t unwound;
	int64_t suspended;
};

struct calls {
	const struct profile *profile;
	VEC(struct calls_function) functions; /* by first appearance of their code */
	VEC(struct calls_pair) pairs;	      /* by callee, then by caller */
	struct calls_node *nodes;	      /* by stack; primitive calls are not filled in */
	bool has_cost;			      /* something is taken off; else the times as measured are all there is */
	bool has_cpu;			      /* CPU time was measured */
};

/* Code objects of one process are functions of their own even if their file, line and names are equal; the n-th such of
 * one process and the n-th of another are one. Builtins are what they are called. Samples make a table, too: calls are
 * samples with the function on the stack. The profile must outlive the calls and not be fed meanwhile. */
struct error *calls_init(const struct profile *profile, struct calls *ret_calls);
void calls_deinit(struct calls *calls);
/* From now on all times are CPU times, if they were measured. */
void calls_use_cpu(struct calls *calls);
#define _cleanup_calls_ __attribute__((cleanup(calls_deinit)))

struct calls_times {
	uint64_t self, total;	      /* ns; total >= self */
	uint64_t self_cpu, total_cpu; /* of these, on a core; 0 where it was not measured */
};
/* `measured`: with our own work. */
struct calls_times calls_times(const struct calls_sum *sum, bool measured);

/* The whole: calls and resumptions, as cProfile counts them, and the sum of all own times. */
struct calls_whole {
	uint64_t calls, primitive, time, cpu;
};
struct calls_whole calls_whole(const struct calls *calls, bool measured);
