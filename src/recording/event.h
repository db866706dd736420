/* event.h: everything that happens in a recording, in one struct.
 *
 * The sampler, the agent's drain and the reader of a recording all produce `struct event`s and the definitions that
 * they refer to; `struct sink` (sink.h) is what consumes them. One u32, the stack id, names a node of the one trie of
 * (parent, code, instruction) that all events of a recording share, so that samples, pauses of the collector and
 * allocations can stand on one tree and one timeline.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum event_kind {
	EVENT_SAMPLE = 1, /* a thread was seen with this stack at this time */
	EVENT_INTERVAL, /* something lasted from time - weight[WEIGHT_WALL] to time: a pause of the collector, a wait */
	EVENT_MARKER,	/* something happened at this time: `subject` names it */
	EVENT_COUNTER,	/* `subject` of this thread or process had the value weight[WEIGHT_COUNT] at this time */
	EVENT_ALLOC,
	EVENT_FREE,
	EVENT_CALL,
	EVENT_TALLY, /* sums of one tree node or line: counts and times that were added up where they happened */
	EVENT_KIND_END
};

enum quality {
	QUALITY_EXACT = 0, /* all frames were seen in one unchanged state */
	QUALITY_REPAIRED,  /* the thread moved while it was read; the frames were put right from evidence */
	QUALITY_PARTIAL,   /* part of the stack is unknown: the frame <partial> stands where */
	QUALITY_END
};

/* What a thread was doing: bits, because several hold at once. No bit at all: idle, waiting for something that is not
 * the GIL. */
enum thread_state {
	STATE_ON_CPU = 1 << 0,
	STATE_RUNNABLE = 1 << 1, /* wants a core and has none, as far as can be told */
	STATE_HOLDS_GIL = 1 << 2,
	STATE_WAITS_GIL = 1 << 3,
	STATE_UNINTERRUPTIBLE = 1 << 4, /* kernel state D: disk, page fault */
	STATE_STOPPED = 1 << 5,		/* by a signal or a debugger */
	STATE_IN_SYSCALL = 1 << 6,	/* `syscall` says which */
	STATE_GC = 1 << 7,		/* runs the garbage collector */
	STATE_IN_C = 1 << 8,		/* the leaf instruction is a call into C code */
	STATE_MAIN_THREAD = 1 << 9,
};

/* A thread that matches none of these is idle (docs/format.md, "idle"). */
#define STATE_BUSY_MASK (STATE_ON_CPU | STATE_RUNNABLE | STATE_WAITS_GIL | STATE_UNINTERRUPTIBLE)

enum weight {
	WEIGHT_WALL = 0, /* nanoseconds; of a sample: the time it stands for */
	WEIGHT_CPU,	 /* nanoseconds */
	WEIGHT_BYTES,
	WEIGHT_COUNT,
	WEIGHT_END
};

/* What a counter, a marker or an interval is about (`struct event.subject`). */
enum subject {
	SUBJECT_NONE = 0,
	SUBJECT_CPU_TIME,	/* counter, a thread: nanoseconds on a core since it began */
	SUBJECT_RUNQUEUE_TIME,	/* counter, a thread: nanoseconds runnable without a core */
	SUBJECT_GIL_SWITCHES,	/* counter, a process */
	SUBJECT_GC_GENERATION0, /* counters, a process: collections of each generation since it began */
	SUBJECT_GC_GENERATION1,
	SUBJECT_GC_GENERATION2,
	SUBJECT_PROCESS_END,	 /* marker, a process: it ended, exec'd something else or was lost */
	SUBJECT_THREAD_END,	 /* marker, a thread */
	SUBJECT_GC,		 /* interval: a collection as far as sampling saw it */
	SUBJECT_UNSEEN_CHILDREN, /* counter, a process: children that ended before they were seen */
	/* Tallies of calls: sums of one call path (the stack, whose last frame is the callee) and thread; several of
	 * the same are added up. Times are as measured: our own work is in them. */
	SUBJECT_CALLS,	   /* COUNT: calls begun; WALL, CPU: ns inside, callees included; CPU 0: not measured */
	SUBJECT_RESUMED,   /* COUNT: resumptions of generators and coroutines; their time is in that of SUBJECT_CALLS */
	SUBJECT_SUSPENDED, /* WALL: ns from a yield to the resumption, two's complement: may be negative on one path */
	SUBJECT_UNWOUND,   /* COUNT: times left by an exception */
	/* Tallies of a process, stack 0: what a call into Python code or into a builtin costs because it is measured,
	 * in picoseconds. WALL: inside the callee's time; CPU: beside it, in the caller's. */
	SUBJECT_CALL_COST,
	SUBJECT_BUILTIN_COST,
	/* Tallies of exceptions. Of a process, stack 0: they were counted. Of a thread, COUNT: exceptions; the stack is
	 * their type (a code that is no function), then where they were raised, then where they were handled at last.
	 */
	SUBJECT_RAISED,
	SUBJECT_HANDLED,
	SUBJECT_TIMELINE_END, /* marker, a process: from here on single calls were only counted */
	/* Tallies of lines, of one thread each; the stack is one frame, whose instruction is the line, and several of
	 * the same are added up. Times are as measured: our own work is in them. */
	SUBJECT_LINE, /* COUNT: hits; WALL: ns in the line, what it called included, recursion counted once; CPU: of
		       * these, on a core; 0: not measured */
	SUBJECT_LINE_INSIDE, /* WALL: of SUBJECT_LINE's ns, those in what the line called; 0: not measured. COUNT: hits
			      * of lines, of any function, that were measured within its time, itself not included */
	SUBJECT_LINES,	     /* instruction -1: the function. COUNT: calls, 0: none; WALL: ns in it, recursion once */
	/* Tally of a process, stack 0: what measuring a hit adds, in picoseconds. WALL: within the line's own time;
	 * CPU: beside it, but within the time of the line that called. */
	SUBJECT_LINE_COST,
	SUBJECT_SEALED, /* marker, a process: measuring ended here, before the program did */
	/* Of memory. EVENT_ALLOC and EVENT_FREE are sums since the last event of the same stack, thread and allocator
	 * (`state`, enum stream_allocator): BYTES asked for, COUNT. Tallies of the same, for a process as a whole, too
	 * (stack 0, thread 0, state 0): what was live at the moment when most was; and what was freed before its
	 * thread's next allocation. */
	SUBJECT_MEMORY_PEAK,
	SUBJECT_MEMORY_TEMPORARY,
	SUBJECT_MEMORY_SIZES, /* tally, a process: COUNT allocations, of BYTES, of at least 2^(state - 1) bytes each */
	SUBJECT_MAIN_BEGINS,  /* markers, a process: its main program begins; it has ended, and finalization begins */
	SUBJECT_MAIN_ENDS,
	/* Counters of a process: bytes. */
	SUBJECT_RSS,	     /* in memory, what is shared with others included */
	SUBJECT_PSS,	     /* a page that n processes have counts as the n-th part of one */
	SUBJECT_USS,	     /* what no other process has */
	SUBJECT_MEMORY_KEPT, /* of an EVENT_ALLOC: what was said to be freed is there still: reallocating failed */
	/* Of measured lines, an EVENT_TALLY each: the stack is one frame, whose instruction is the line. */
	SUBJECT_MEMORY_LINE, /* bytes: what it made of its thread's memory (signed); count: entries from another line */
	SUBJECT_MEMORY_LINE_USAGE, /* bytes: the most that was resident at an end of it */
	SUBJECT_MEMORY_LINES,	   /* of a function (instruction -1): bytes resident when it was first entered; calls */
	/* Tally, a process: the stack is a code that is none, the name of a phase; none: it was before the first one.
	 * At its end; WALL: ns that it lasted; BYTES, COUNT: what was live at the moment of it when most was. */
	SUBJECT_MEMORY_PHASE,
	SUBJECT_END
};

/* How a single call ended: the weight COUNT of an EVENT_CALL. */
enum call_end { CALL_RETURNED = 0, CALL_YIELDED, CALL_UNWOUND, CALL_LEFT_OPEN };

struct event {
	uint64_t time; /* ns since the recording began (CLOCK_MONOTONIC) */
	uint64_t weight[WEIGHT_END];
	uint32_t process;	 /* process id of this recording, not the pid: 1, 2, ... */
	uint32_t thread;	 /* thread id of this recording: 1, 2, ...; 0: none */
	uint32_t stack;		 /* stack id; 0: no Python frame */
	uint32_t logical_parent; /* stack id of what awaits this one; 0: none */
	uint32_t waits_for;	 /* thread id of the GIL's holder while STATE_WAITS_GIL; 0: unknown */
	uint16_t state;		 /* bits of enum thread_state */
	uint16_t syscall;	 /* number, while STATE_IN_SYSCALL */
	uint8_t kind;		 /* enum event_kind */
	uint8_t quality;	 /* enum quality */
	uint8_t subject;	 /* enum subject */
};
