/* profile.h: a recording, added up.
 *
 * A profile is a sink (recording/sink.h): the reader of a file or the live sampler feeds it, and it keeps the
 * definitions and, instead of events, *rows*: how often and how long each (process, thread, stack, state, quality) was
 * seen. A million samples of ten thousand stacks are some ten thousand rows. Everything that a report shows is computed
 * from rows:
 *
 *     profile_view   which rows count, and by what weight        view.h
 *     profile_tree   a view as a tree of calls                   tree.h
 *     profile_flat   a view by function and by line              flat.h
 *     profile_times  where the time of threads and processes went, whatever the view    times.h
 *
 * What was counted where it happened (EVENT_TALLY of calls) is kept as *tallies* instead:
 *
 *     calls          functions, and who called whom how often      calls.h
 *     lines          functions and their lines, how often and how long      lines.h
 *
 * Names and lines are decoded when first asked for (profile_decode), never while samples come in. A profile may be
 * looked at and then fed again.
 */
#pragma once
#include "base/map.h"
#include "base/vec.h"
#include "profile/calls_sum.h"
#include "profile/memory_choice.h"
#include "profile/strings.h"
#include "recording/sink.h"

/* Only events in [from, to) count; to 0: no end. Nanoseconds of the recording. */
struct profile_window {
	uint64_t from, to;
};

/* A value that only grows in the target, as read now and then. What happened in the window is last - first: who sees a
 * thread or a process being born writes a first value of 0. */
struct profile_counter {
	uint64_t first, last;
	uint64_t first_time, last_time;
	bool seen;
};

enum { PROFILE_GC_GENERATIONS = 3 };

/* What a call costs because it is measured: picoseconds within the callee's measured time, and beside it. */
struct profile_call_cost {
	uint64_t inside, beside;
};

struct profile_process {
	bool defined;
	uint32_t pid, parent, python_version, flags;
	uint64_t first_seen, end_time; /* end_time 0: it did not end, as far as is known */
	struct text command, executable, search_path;
	struct profile_counter gil_switches, gc[PROFILE_GC_GENERATIONS], unseen_children;
	struct profile_call_cost call_cost, builtin_cost; /* 0: not known */
	struct profile_call_cost line_cost;		  /* of a hit; 0: not known */
};

struct profile_thread {
	bool defined;
	uint32_t process, tid, flags;
	uint64_t ident, end_time;
	struct text name;
	struct profile_counter cpu, runqueue;
	uint32_t last_row; /* where its last sample went; UINT32_MAX: none yet */
};

struct profile_code {
	uint32_t name, qualname, file; /* string numbers */
	uint32_t first_line, line_table_kind, flags;
	uint32_t line_table; /* string number: tables of equal code are kept once */
	uint32_t function;   /* PROFILE_NONE until decoded */
};

struct profile_stack {
	uint32_t parent, code;
	int32_t instruction;
	uint32_t frame; /* valid below profile.decoded */
};

/* Bits of `struct profile_row.state`: those of enum thread_state that views tell apart. */
enum {
	PROFILE_STATE_MASK = STATE_BUSY_MASK | STATE_HOLDS_GIL | STATE_GC | STATE_IN_C,
};

struct profile_row {
	uint32_t process, thread, stack;
	uint16_t state;
	uint8_t quality;
	bool timed; /* samples: a share of a thread's time; else allocations, calls and the like, which are never idle
		     */
	uint64_t samples, wall, bytes, count;
};

/* The calls of one path by one thread. */
struct profile_tally {
	uint32_t process, thread, stack;
	uint64_t calls, resumed, unwound;
	uint64_t wall, cpu; /* as measured, callees included */
	uint64_t suspended; /* two's complement */
};

/* Exceptions of one thread: where they were raised, or handled. The stack is their type, where they were raised and,
 * if it is so, where they were handled; its instructions are lines. */
struct profile_exception {
	uint32_t stack;
	bool handled;
	uint64_t count;
};

/* What the threads of a process did on one line; of an instruction of -1, in the function. Of memory, hits are entries
 * from another line, and of times there is none. */
struct profile_line {
	uint32_t process, stack;
	uint64_t hits;	      /* of a function: calls */
	uint64_t wall, cpu;   /* as measured, what it called included */
	uint64_t called;      /* of `wall`, in what it called; 0: not measured */
	uint64_t hits_inside; /* of lines that were measured within its time */
	uint64_t increment;   /* of memory: bytes, two's complement */
	uint64_t usage;	      /* the most at its ends; of a function: at its first entry; 0: not measured */
};

/* How long `thread` waited for the GIL while `holder` held it. */
struct profile_wait {
	uint32_t thread, holder;
	uint64_t samples, wall;
};

/* Idle time by the system call in which it was spent. */
struct profile_idle {
	int system_call; /* its number on the recorded machine; PROFILE_NO_CALL, PROFILE_STOPPED */
	uint64_t samples, wall;
};
enum {
	PROFILE_NO_CALL = -1, /* in none, or it is not known in which */
	PROFILE_STOPPED = -2, /* by a signal or a debugger */
};

enum profile_origin {
	ORIGIN_OWN = 0,
	ORIGIN_SITE, /* site-packages, dist-packages */
	ORIGIN_STDLIB,
	ORIGIN_IMPORT,	  /* the import system: <frozen importlib...> and importlib/_bootstrap* */
	ORIGIN_SYNTHETIC, /* a word of ours: <partial>, <garbage collection> */
	ORIGIN_END
};

/* What a person calls a function: code objects of the same file, name and first line are one, in whichever process. */
struct profile_function {
	struct text name; /* qualified where the version has it */
	struct text file;
	uint32_t file_number; /* of the string, for comparing */
	uint32_t first_line;
	uint32_t package; /* the same number: the same library; 0: none */
	uint8_t origin;	  /* enum profile_origin */
};

/* A place: a line of a function, or the whole function. */
struct profile_frame {
	uint32_t function;
	uint32_t line; /* 0: no line known; PROFILE_WHOLE: the function */
};

#define PROFILE_NONE  UINT32_MAX
#define PROFILE_WHOLE UINT32_MAX

/* Functions that every profile has. */
enum { FUNCTION_NO_PYTHON = 0, FUNCTION_GC = 1 };

/* Read only, for everybody but src/profile. Index 0 of processes, threads, codes and stacks is nobody's. */
struct profile {
	struct sink sink; /* first: the sink is the profile */
	struct profile_window window;
	struct profile_strings strings;
	struct recording_info info;
	struct recording_end end; /* valid if `ended`: the recording is whole */
	bool begun, ended;
	uint64_t first_time, last_time; /* of events in the window */
	uint64_t states_seen;		/* all bits of all samples: what was measured at all */
	uint64_t gc_pauses, gc_pause_ns;
	VEC(struct profile_process) processes;
	VEC(struct profile_thread) threads;
	VEC(struct profile_code) codes;
	VEC(struct profile_stack) stacks;
	VEC(struct profile_row) rows;
	VEC(struct profile_tally) tallies;
	VEC(struct profile_exception) exceptions;
	bool exceptions_counted;
	VEC(struct profile_line) lines;
	double given_unit;  /* lines that somebody else measured: times are in units of so many seconds; 0: ours, in ns
			     */
	uint64_t sealed_at; /* event time at which measuring ended before a program did; 0: it did not */
	uint64_t single_calls;	     /* that were kept; other sinks make something of them */
	uint64_t single_calls_until; /* event time from which on they were only counted; 0: none */
	/* A table that somebody else made, instead of tallies: there are no paths, then. */
	VEC(struct calls_function) given_functions;
	VEC(struct calls_pair) given_pairs;
	struct memory_choice memory_choice; /* what is shown of allocations; set before the first event */
	struct profile_memory *memory;	    /* allocations (memory.h), if the mode is RECORDING_MEMORY; else NULL */
	struct profile_rss *rss;	    /* memory over time (rss.h); NULL: it was not read */
	VEC(struct profile_wait) waits;
	VEC(struct profile_idle) idle;
	VEC(struct profile_function) functions;
	VEC(struct profile_frame) frames;
	uint32_t *row_slots; /* row + 1, by hash */
	size_t row_mask;
	struct map tally_index, line_index, wait_index, idle_index, name_index, function_index, frame_index, site_index;
	size_t decoded;
};

/* `window` NULL: everything. */
struct error *profile_create(const struct profile_window *window, struct profile **ret_profile);
void profile_destroy(struct profile *profile);
static inline void profile_destroy_p(struct profile **profile)
{
	profile_destroy(*profile);
}
#define _cleanup_profile_ __attribute__((cleanup(profile_destroy_p)))

/* Gives every stack its function and line. Views call it. */
struct error *profile_decode(struct profile *profile);

/* For what makes rows of its own of a recording without samples. */
void profile_clear_rows(struct profile *profile);

/* The number of the frame, made when it is new. */
struct error *profile_intern_frame(struct profile *profile, uint32_t function, uint32_t line, uint32_t *ret_frame);

/* The number of the tally of this thread (0: of none, then of this process) and stack; PROFILE_NONE: there is none. */
uint32_t profile_find_tally(const struct profile *profile, uint32_t process, uint32_t thread, uint32_t stack);

/* How long was recorded, as far as is known: the recorder's word, else up to the last event; inside the window. */
uint64_t profile_duration(const struct profile *profile);
/* All counters of a kind: what happened between the first and the last reading; 0 if read less than twice. */
uint64_t profile_counter_change(const struct profile_counter *counter);
