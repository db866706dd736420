/* calls_imports.h: what stems from importing, for the text: one row instead of some hundred in which nobody looks for
 * anything. Totals, .pstats and JSON know nothing of it. */
#pragma once
#include "report/calls.h"

struct calls_imports {
	uint8_t *folded;      /* by function: 1: all of its calls were made by imports; NULL: none is */
	size_t count;	      /* of these functions */
	struct calls_sum sum; /* their calls and own times; total: of the imports, whatever they called */
	char label[48];	      /* what the row is called: "imports (312 functions)" */
};

/* The number of the row that stands for all of them, in a list of functions. */
#define CALLS_IMPORTS_ROW UINT32_MAX

struct error *calls_imports_find(const struct calls *calls, struct calls_imports *ret_imports);
void calls_imports_deinit(struct calls_imports *imports);
/* Takes the folded ones out of a sorted list and puts their row where its numbers belong, in an order of names at the
 * end. Returns how many remain. */
size_t calls_imports_fold(const struct calls_imports *imports, const struct calls *calls,
	const struct report_options *options, uint32_t *order, size_t count);
