/* runtime.h: the CPython inside a process: which version, and where its interpreters, its GIL and its collector are.
 *
 * One path finds it in every build: the ELF objects as they lie in memory, by their dynamic symbols; the file's own
 * symbol table or sections where those are missing; and, where all names are stripped, the data segment itself,
 * searched for what must be true of a runtime (its thread states point back at their interpreter). */
#pragma once
#include "cpython/layout.h"
#include "os/maps.h"
#include "os/memory.h"

enum { RUNTIME_PATH_MAX = 512 };

struct runtime {
	uint32_t version_hex; /* PY_VERSION_HEX of the target */
	uint16_t version;     /* major << 8 | minor */
	bool free_threaded;
	bool shared;		    /* lives in a shared library, not in the executable */
	bool published;		    /* the offsets are the target's own (3.13+) */
	uint64_t address;	    /* of _PyRuntime; 0 before 3.7 */
	uint64_t interpreters_head; /* address of the pointer to the first interpreter */
	uint64_t holder;	/* address of the pointer to the thread state that holds the GIL (until 3.11); else 0 */
	uint64_t gil_lock;	/* 2.7: address of the pointer to the GIL's lock; 3.6: of its condition; 0: not known */
	uint64_t gc_collecting; /* address of the collector's flag where it is global (until 3.8); else 0: in the
				   interpreter */
	uint64_t image_start, image_end; /* of the object it was found in */
	struct layout layout;
	char path[RUNTIME_PATH_MAX]; /* that object's file, as the target names it */
};

/* ERROR_UNSUPPORTED: no CPython, or none that we read; ERROR_NOT_READY: it has not begun yet, ask again. */
struct error *runtime_find(struct memory *memory, const struct maps *maps, struct runtime *ret_runtime);

/* "3.11.7", "3.13.0rc1+", from version_hex. */
void runtime_version_text(const struct runtime *runtime, char text[static 24]);

/* The first interpreter, or an error. ERROR_NOT_READY while there is none. */
struct error *runtime_main_interpreter(struct memory *memory, const struct runtime *runtime, uint64_t *ret_interpreter);

/* Addresses of the GIL's parts for an interpreter; 0 for what the version has not. */
struct gil_addresses {
	uint64_t holder, locked, switch_number;
	uint64_t start;		       /* of struct _gil_runtime_state (3.7+) */
	uint64_t wait_start, wait_end; /* what a waiter's futex lies in */
};
bool runtime_gil(
	struct memory *memory, const struct runtime *runtime, uint64_t interpreter, struct gil_addresses *ret_gil);
