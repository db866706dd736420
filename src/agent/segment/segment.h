/* segment.h: what the agent writes inside the target and pyrometer reads outside: one file a process, mapped by both.
 *
 * The agent adds up calls where they happen: a tree of call paths for each thread, a counter and a sum in each node.
 * Only the thread itself writes its tree, so nothing on the way of a call waits for anybody, and whatever becomes of
 * the target, what it had counted is in the file. All places are numbers of units of 64 bytes from the start of the
 * file; 0 is none. The file grows by chunks that are allocated before they are used, so that a full disk is an error
 * of one call and no signal.
 */
#pragma once
#include <stdatomic.h>
#include <stdint.h>

enum {
	SEGMENT_VERSION = 10,
	SEGMENT_UNIT = 64,
	SEGMENT_CHUNK_FIRST = 1 << 14, /* bytes: what a thread takes at once, and then twice as much, up to */
	SEGMENT_CHUNK = 1 << 18,
	SEGMENT_START = 8 * SEGMENT_CHUNK, /* before the program begins: more room takes a millisecond of its time */
	SEGMENT_NAME_MAX = 1 << 12,
};
enum { SEGMENT_ANSWER = 8 };
#define SEGMENT_MAGIC 0x746e656761727970ull /* "pyragent" */
#define SEGMENT_SPACE (1ull << 36)	    /* of addresses, of which little is ever used */

enum segment_state {
	SEGMENT_STARTING = 0, /* nothing is measured yet */
	SEGMENT_RUNNING,
	SEGMENT_ENDED,	/* by the program's end */
	SEGMENT_SEALED, /* before it: `note` says why */
};

enum segment_mode { SEGMENT_CALLS = 0, SEGMENT_LINES, SEGMENT_MEMORY };

struct segment_head {
	uint64_t magic;
	uint32_t version;
	uint32_t pid;
	_Atomic uint32_t state;	 /* enum segment_state */
	uint32_t python_version; /* PY_VERSION_HEX */
	uint32_t tsc;		 /* 1: ticks are the processor's; 0: nanoseconds of CLOCK_MONOTONIC */
	uint32_t free_threaded;
	uint32_t owner;			 /* the process that all is counted for; 0: not known */
	uint32_t mode;			 /* enum segment_mode */
	uint32_t exceptions;		 /* 1: they are counted */
	uint32_t timeline;		 /* 1: single calls are kept, too */
	_Atomic uint32_t timeline_ended; /* by pyrometer: no more are wanted */
	_Atomic uint32_t words_blocks;	 /* of all threads */
	_Atomic uint64_t used;		 /* bytes given out */
	_Atomic uint64_t size;		 /* bytes of the file that are allocated */
	_Atomic uint32_t first_thread, first_code;
	uint64_t start_ticks, start_ns; /* read together; CLOCK_MONOTONIC */
	_Atomic uint64_t taken_ticks;	/* of memory, by pyrometer: when it looked last */
	uint64_t sealed_ticks;		/* from when on something is missing; 0: since the end */
	_Atomic uint64_t end_ticks;
	/* Our own work a call, in 1/1024 ticks: within the callee's time, and besides in the caller's. Of lines: a hit,
	 * within the line's time and besides. */
	uint64_t inner, outer, builtin_inner, builtin_outer;
	char note[256];
	/* Of memory: what the program has asked pyrometer (agent/memory/stream.h, STREAM_ASK), by number, and the last
	 * answer. */
	_Atomic uint32_t asked, answered;
	uint64_t answer[SEGMENT_ANSWER];
	_Atomic uint64_t matched; /* patterns of the orders, in their order: `only`, then `exclude` */
};

enum segment_code_flag {
	SEGMENT_CODE_BUILTIN = 1,
	/* Of the package `pyrometer`, whose calls are nobody's: with all that they call, or (THROUGH) without. */
	SEGMENT_CODE_OURS = 2,
	SEGMENT_CODE_THROUGH = 4,
	SEGMENT_CODE_LEFT_OUT = 8, /* by a pattern: only here so that its name is known */
	SEGMENT_CODE_TYPE = 16,	   /* no code: the name of an exception's type */
	SEGMENT_CODE_TABLE = 32,   /* its line table is behind its names: what it is at are instructions, not lines */
};

/* Followed by its strings, one after the other: file, name, qualified name, line table. */
struct segment_code {
	_Atomic uint32_t next; /* the one before it in time */
	uint32_t flags;
	uint32_t first_line;
	uint64_t address; /* of the code object: two threads without a GIL may describe the same one at once */
	_Atomic uint32_t first_lines; /* of `lines`: what each thread has spent in it */
	uint32_t lowest_line;	      /* of its instructions */
	_Atomic uint32_t last_line;   /* of them; 0: not looked at yet */
	_Atomic uint32_t heard;	      /* its lines are told */
	uint32_t file_size, name_size, qualname_size, table_size;
	char text[];
};

struct segment_thread {
	_Atomic uint32_t next;
	uint32_t tid;
	uint64_t ident; /* threading.get_ident() */
	uint32_t root;	/* a node without code */
	uint32_t node;	/* where the thread is now, so that calls that never returned can be told */
	uint32_t depth; /* how many calls it is in */
	uint64_t last;	/* ticks of its last event: what came after it, nobody has looked at */
	uint32_t first_frames;
	uint32_t last_frames;  /* in use, or empty and behind the one in use */
	uint32_t first_raised; /* a place */
	uint32_t first_words;
	uint32_t first_line_calls, last_line_calls; /* in use, or empty and behind the one in use */
	uint32_t line_depth;			    /* how many calls are in those */
	uint64_t line_events;			    /* hits of all lines */
	uint64_t begun;				    /* ticks */
	char name[16];
};

/* When the calls were entered that have not returned: SEGMENT_FRAMES of them, the outermost first. */
struct segment_frames {
	uint32_t previous, next;
	uint64_t entered[];
};
enum { SEGMENT_FRAMES = 1023 };

/* Single calls (agent/segment/timeline.h), in blocks that go round: the thread fills one after the other, pyrometer
 * empties those that are full, in their order. What it has emptied is 0. */
struct segment_words {
	uint32_t next;
	_Atomic uint32_t full;
	_Atomic uint64_t words[]; /* up to the first 0, or all */
};
enum {
	SEGMENT_WORDS = 4095,
	SEGMENT_WORDS_BLOCKS = 2048, /* 64 MiB: more only for threads that have less than two */
};

/* A word, from its lowest bit: 31 bits of ticks since the thread's last word, 3 of kind, 30 of value. */
enum segment_word {
	SEGMENT_WORD_NONE = 0,
	SEGMENT_WORD_ENTER,  /* the value is a node */
	SEGMENT_WORD_RESUME, /* the same */
	SEGMENT_WORD_LEAVE,  /* enum recorder_leave */
	SEGMENT_WORD_PAUSE,  /* its value are 30 more, higher bits of ticks; nothing else happened */
};
enum { SEGMENT_WORD_TICKS = 31, SEGMENT_WORD_KIND = 3 };

/* Where exceptions were raised, or where those of one such place were handled (agent/calls/exceptions.h). */
struct segment_place {
	uint32_t next;	       /* of the same list */
	uint32_t of;	       /* where what was handled had been raised; 0: they were raised here */
	uint32_t handled;      /* the first place where they were */
	uint32_t code, offset; /* of an instruction, in bytes */
	uint32_t line;	       /* 0: it has none */
	uint32_t type;	       /* of what was raised: a code that is none, with its name */
	uint64_t type_address; /* the same; 0 of what was handled */
	uint64_t count;
};
_Static_assert(sizeof(struct segment_place) <= SEGMENT_UNIT, "a place is a unit");

/* One call path. Without code it is a step that does not count: what is below it is its caller's. */
struct segment_node {
	uint32_t code, parent;
	uint32_t children, sibling; /* the child that was called last is the first */
	uint64_t calls, resumed;
	uint64_t total;	    /* ticks, callees included */
	uint64_t idle;	    /* of these, ticks off the cores while this was the innermost call (agent/segment/idle.h) */
	uint64_t suspended; /* sum of ticks at resumptions less those at suspensions; wraps */
	uint32_t suspensions; /* only how many more than resumptions is asked: wraps */
	uint32_t unwound;     /* stops at its end */
};
_Static_assert(sizeof(struct segment_node) <= SEGMENT_UNIT, "a node is a unit");

/* ---- lines (agent/lines/lines.h) ---- */

struct segment_line {
	uint64_t hits;
	uint64_t total;	 /* ticks, of what it called, too; while the same line recurses, once */
	uint64_t own;	 /* ticks without what was called, as far as that is known */
	uint64_t idle;	 /* of `total`, ticks off the cores */
	uint64_t events; /* hits of other lines within `total` */
	uint32_t open;	 /* calls that are in it now */
};

/* What one thread has spent in one code. */
struct segment_lines {
	uint32_t next; /* of the same code, by another thread */
	uint32_t thread, code;
	uint32_t first, count; /* lines */
	uint32_t open;	       /* calls */
	uint64_t address;      /* of the code object */
	uint64_t calls, total; /* ticks; while it recurses, once */
	uint64_t events;       /* hits of all lines within `total` */
	struct segment_line lines[];
};

/* A call of measured code that has not ended. */
struct segment_line_call {
	uint32_t lines;
	uint32_t line;		      /* its number among those, from 1; 0: none yet */
	uint64_t begun, begun_events; /* ticks, and the thread's hits then */
	/* When that line was entered: ticks, and then the thread's hits, the line's own, and the thread's idle ticks.
	 */
	uint64_t entered, events, hits, idle;
	uint64_t inside; /* of the time since, ticks in what was called, as far as that is known */
	/* Calls of what is not measured that are under way, and when the outermost of them began. */
	uint32_t foreign;
	uint64_t foreign_since;
};

/* SEGMENT_LINE_CALLS of them, the outermost first. */
struct segment_line_calls {
	uint32_t previous, next;
	struct segment_line_call calls[];
};
enum { SEGMENT_LINE_CALLS = 255 };
