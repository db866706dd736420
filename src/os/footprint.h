/* footprint.h: how much memory a process has, as the kernel counts it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Bytes in memory: some microseconds. False: it has ended, or has no memory of its own yet. */
bool footprint_read_resident(pid_t pid, uint64_t *ret_bytes);

struct footprint_shares {
	uint64_t proportional; /* PSS: a page of n processes counts as the n-th part of one */
	uint64_t unique;       /* USS: pages that no other process has */
};

/* The kernel walks all pages for it: some 70 ms for a resident GiB. False also when we may not know. */
bool footprint_read_shares(pid_t pid, struct footprint_shares *ret_shares);
