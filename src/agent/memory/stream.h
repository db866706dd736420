/* stream.h: what the agent of `memory` writes into a thread's blocks of words (agent/segment/segment.h, struct
 * segment_words) and pyrometer takes away while the program runs: every allocation and every free, in their order.
 *
 * An event is a head word, never 0, and up to two words more, in one block; the head is written last. A free is
 * written before memory is given back and an allocation after it was got: whatever depends on an event is written after
 * it, in whichever thread. Ticks order what is independent.
 */
#pragma once
#include <stdint.h>

/* A head word from its lowest bit: 24 bits of ticks since the stream's last event, 4 of kind, 4 of allocator, 32 of
 * value. */
enum stream_bits { STREAM_TICKS = 24, STREAM_KIND = 4, STREAM_ALLOCATOR = 4 };

enum stream_kind {
	STREAM_NONE = 0,
	STREAM_PAUSE,	/* the value are 32 more, higher bits of ticks; nothing else happened */
	STREAM_THREAD,	/* from here on the stream is that of another thread: its tid, threading.get_ident() */
	STREAM_ALLOC,	/* the value is a step; address, size */
	STREAM_FREE,	/* address */
	STREAM_REALLOC, /* the same, for the time being: STREAM_ALLOC or STREAM_KEPT of this thread follows */
	STREAM_KEPT,	/* reallocating failed: what was freed last is still there */
	STREAM_UNMAP,	/* address, size: of maps, or parts of them */
	STREAM_MARK,	/* the value is an enum stream_mark */
	/* Of measured lines (agent/lines/lines.h). */
	STREAM_ENTER, /* the value is the unit of a code; address of an object that is there for this event alone, or 0;
			 line at which it goes on, and above 32 bits what was resident, 0: not looked at */
	STREAM_LINE,  /* the value is its number; such an address */
	STREAM_LEAVE, /* the innermost call; likewise */
	STREAM_ASK, /* the value is an enum stream_ask; the number of a watch; of the question, 0: no answer is awaited
		     */
	STREAM_PHASE, /* a phase of the program begins; the value is the unit of a code that is none, with its name */
	STREAM_KIND_END
};

/* How many words follow a head. */
static inline uint32_t stream_words_behind(unsigned kind)
{
	static const uint8_t counts[STREAM_KIND_END] = { [STREAM_THREAD] = 2,
		[STREAM_ALLOC] = 2,
		[STREAM_FREE] = 1,
		[STREAM_REALLOC] = 1,
		[STREAM_UNMAP] = 2,
		[STREAM_ENTER] = 2,
		[STREAM_LINE] = 1,
		[STREAM_LEAVE] = 1,
		[STREAM_ASK] = 2 };
	return kind < STREAM_KIND_END ? counts[kind] : 0;
}

enum { STREAM_RESIDENT_UNIT = 1024 }; /* bytes */

/* What the program asks of pyrometer about its own memory, at this place of the stream. */
enum stream_ask {
	ASK_WATCH = 1, /* begin to watch */
	ASK_END,       /* watch no more, and keep what was seen */
	ASK_NUMBERS,   /* what was seen (enum stream_answer); without a watch: what is there now */
	ASK_FORGET,
	ASK_RESTART, /* what is live is not known any more: frees were not heard for a while */
};

/* The words of an answer. Bytes and numbers of blocks are live ones, of the whole process. */
enum stream_answer {
	ANSWER_BEGAN = 0, /* time of the recording, ns; 0 without a watch */
	ANSWER_NOW,	  /* when this is said of: the watch's end, if it has ended */
	ANSWER_BEGIN_BYTES,
	ANSWER_BYTES,
	ANSWER_BEGIN_COUNT,
	ANSWER_COUNT,
	ANSWER_PEAK_BYTES,
	ANSWER_GOT_BYTES, /* of all that was got since the beginning */
};

enum stream_mark { STREAM_MAIN_BEGINS = 1, STREAM_MAIN_ENDS };

/* Who was asked for the memory. The values stand in recordings. */
enum stream_allocator {
	ALLOCATOR_NONE = 0,
	ALLOCATOR_MALLOC,
	ALLOCATOR_CALLOC,
	ALLOCATOR_REALLOC,
	ALLOCATOR_ALIGNED, /* memalign and its kin */
	ALLOCATOR_MMAP,
	ALLOCATOR_FILE,	    /* a map of a file: kept apart, in no sum */
	ALLOCATOR_RESERVED, /* a map of addresses without memory (PROT_NONE): the same */
	ALLOCATOR_ARENA,    /* of Python's small objects */
	ALLOCATOR_RAW,	    /* Python's three domains */
	ALLOCATOR_MEM,
	ALLOCATOR_OBJECT,
	ALLOCATOR_END
};

/* One step of a call path, of one writer. A step's number is its place in the segment in units of this; 0: no Python
 * frame. */
struct stream_step {
	uint32_t parent;
	uint32_t code;	     /* unit of a struct segment_code */
	int32_t instruction; /* byte offset; -1: not begun */
	uint32_t reserved;
};
enum { STREAM_STEP_UNIT = 16 };
_Static_assert(sizeof(struct stream_step) == STREAM_STEP_UNIT, "a step is its unit");
