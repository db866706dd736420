/* sink.h: the one consumer interface. What records, what draws live and what builds a profile are sinks; the sampler
 * and the reader of a file feed them alike.
 *
 * Order: `begin` first; a definition comes before the first thing that refers to it; ids start at 1, are dense, and are
 * never given twice. Strings are bytes with a length, usually UTF-8, never NUL-terminated; they and all arrays belong
 * to the caller and live until the call returns.
 */
#pragma once
#include "base/error.h"
#include "base/text.h"
#include "bytecode/lines.h"
#include "recording/event.h"

struct recording_info {
	uint64_t start_unix_ns;	  /* wall clock at event time 0 */
	uint64_t rate_millihertz; /* asked; 0: as fast as it goes */
	uint32_t mode;		  /* enum recording_mode */
	uint32_t blocking;	  /* 1: the GIL holder was stopped for each sample */
	uint64_t tick_seed;	  /* the schedule of ticks.h, */
	uint64_t tick_period_ns;  /* ... which the times in the file are stored against; 0: there was none */
	struct text command;	  /* our own command line, as typed */
	struct text host;	  /* name of the machine */
	struct text tool;	  /* "pyrometer 0.1.0" */
	struct text system;	  /* "Linux 6.1.0 x86_64" */
};

enum recording_mode { RECORDING_SAMPLES = 1, RECORDING_CALLS, RECORDING_LINES, RECORDING_MEMORY };

struct process_def {
	uint32_t id;
	uint32_t pid;
	uint32_t parent;	 /* process id of this recording; 0: none of it */
	uint32_t python_version; /* PY_VERSION_HEX; 0: not known */
	uint32_t flags;		 /* 1: free-threaded */
	uint64_t time;		 /* when first seen */
	struct text command;	 /* words joined by NUL */
	struct text executable;
	struct text search_path; /* the target's sys.path, entries joined by newline; may be empty */
};

struct thread_def {
	uint32_t id;
	uint32_t process;
	uint32_t tid;	  /* the kernel's number; 0: unknown */
	uint32_t flags;	  /* 1: main thread */
	uint64_t ident;	  /* threading.get_ident() */
	struct text name; /* may come again for the same id when it changed */
};

struct code_def {
	uint32_t id;
	uint32_t first_line;
	uint32_t line_table_kind;
	uint32_t flags; /* CODE_... */
	struct text file;
	struct text name;     /* co_name */
	struct text qualname; /* co_qualname (3.11+), else empty */
	struct text line_table;
};
#define CODE_SYNTHETIC 1u /* not code but a word of ours, such as <partial> */
#define CODE_BUILTIN   2u /* a C function: file "~", line 0, named as cProfile does: <built-in method builtins.len> */

struct stack_def {
	uint32_t id;
	uint32_t parent; /* stack id of the caller; 0: this is the root frame */
	uint32_t code;
	int32_t instruction; /* byte offset into the code; -1: not begun */
};

/* How the processes were found that a followed process starts. */
enum children_found {
	CHILDREN_NOT_FOLLOWED = 0,
	CHILDREN_BY_EVENTS, /* the kernel told of each */
	CHILDREN_BY_LIST,   /* its list was read, again and again */
};

/* At the end; absent when the recorder was killed. */
struct recording_end {
	uint64_t duration;			      /* ns */
	uint64_t ticks_due, ticks_late, ticks_missed; /* late: over half a period; missed: not taken at all */
	uint64_t samples[QUALITY_END];
	uint64_t read_errors; /* reads of the target that failed altogether */
	uint64_t own_cpu_ns;
	uint64_t stopped_ns;	/* how long threads of the target were stopped by us */
	uint64_t bare_wake_ns;	/* 0: not measured */
	uint32_t target_status; /* as wait() gave it; valid if target_ended */
	uint32_t target_ended;
	/* Ended before an interpreter could be read in them, and were Python or may have been. */
	uint32_t unseen_children;
	uint32_t children_found;   /* enum children_found */
	uint32_t children_unknown; /* 1: there may have been more, of which nothing is known */
};

/* How the target ended, if it did. */
static inline void recording_end_set_target(struct recording_end *end, bool ended, int status)
{
	end->target_ended = ended;
	end->target_status = (uint32_t)status;
}

struct sink;
struct sink_ops {
	struct error *(*begin)(struct sink *, const struct recording_info *);
	struct error *(*process)(struct sink *, const struct process_def *);
	struct error *(*thread)(struct sink *, const struct thread_def *);
	struct error *(*code)(struct sink *, const struct code_def *);
	struct error *(*stack)(struct sink *, const struct stack_def *);
	struct error *(*events)(struct sink *, const struct event *, size_t count);
	struct error *(*end)(struct sink *, const struct recording_end *);
};
struct sink {
	const struct sink_ops *ops;
};
