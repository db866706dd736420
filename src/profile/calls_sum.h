/* calls_sum.h: what a table of calls says of a function, and of a caller and a callee. */
#pragma once
#include <stdint.h>

/* Sums may be negative for one path and in damaged recordings; calls_times() gives what can be shown. */
struct calls_sum {
	uint64_t calls, primitive;	     /* begun */
	uint64_t resumed, resumed_primitive; /* generators and coroutines, besides */
	int64_t self, total;		     /* ns as measured */
	int64_t self_cost, total_cost;	     /* ps of our own work in them */
	int64_t self_cpu, total_cpu;	     /* ns as measured; 0: not measured */
};

struct calls_function {
	uint32_t code; /* that its names are of: the first of its codes */
	struct calls_sum sum;
	uint64_t unwound;
	int64_t suspended; /* ns */
};

struct calls_pair {
	uint32_t caller, callee; /* functions */
	struct calls_sum sum;
};
