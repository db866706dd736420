/* thread.h: one Python thread of a target: what was copied of it, and the stack that it had at the last sample. */
#pragma once
#include "cpython/frame.h"
#include "recording/event.h"
#include "sample/codes.h"
#include "sample/evidence.h"
#include "sample/regions.h"

enum {
	THREAD_STATE_MAX = 1024,   /* bytes of a PyThreadState that are copied */
	THREAD_FRAMES_MAX = 20000, /* deeper stacks are cut: <partial> at the root */
	THREAD_CHUNKS_MAX = 256,
	THREAD_CFRAMES = 4,
	THREAD_ROOTS = 4, /* the outermost Python frame and the entries from C below it */
};

/* A frame of the last sample, root first. Entries from C are among them, with node that of their caller. */
struct seen_frame {
	uint64_t address, code;
	int64_t instruction;
	uint32_t code_id;
	int32_t offset;
	uint32_t node;
	bool from_c;  /* called from C, not by an instruction of its caller's */
	bool revived; /* see struct frame */
};

struct frame_list {
	VEC(struct frame) frames; /* leaf first */
	size_t shared; /* below them, so many frames at the root of the last sample's stack, which were not looked at
			  again */
};
struct seen_list {
	VEC(struct seen_frame) frames; /* root first */
};

struct thread {
	uint64_t tstate;
	uint64_t ident; /* threading.get_ident() */
	uint32_t id;	/* of the recording */
	uint32_t tid;	/* the kernel's; 0: not known */

	struct regions regions;
	bool holes; /* a region once could not be read */
	unsigned char state[THREAD_STATE_MAX];
	uint64_t tops[3]; /* the frame pointer before the first copy, between the copies, after the second */
	/* 3.11-3.12: the pointer is in a struct on the C stack, one for each time that the evaluator was entered from
	 * C. */
	uint64_t cframes[THREAD_CFRAMES]; /* where it lately was, the last first; 0: none */
	uint64_t cframe_at[3],
		cframe_tops[3][THREAD_CFRAMES]; /* which of them counts, and what they hold, at each reading */
	bool state_failed;

	VEC(uint64_t) chunks;	    /* older chunks of the data stack, newest first */
	uint64_t chunk, chunk_size; /* the newest */

	struct seen_list seen;	    /* the last sample's stack */
	uint32_t turn;		    /* which of its frames is looked at next for another code object */
	size_t proven;		    /* how many of its frames, from the root, are proven steps */
	struct seen_list chains[2]; /* room for repairs */
	uint64_t unchanged_until;   /* data stack below this address is what it was at the last sample; 0: not known */
	struct frame_list walked;
	uint64_t roots[THREAD_ROOTS]; /* where the outermost frames of the last whole walk lie, the outermost first; 0:
					 none */
	uint32_t stack;		      /* id of the last sample's stack */
	enum quality quality;
	bool changed; /* its stack is not that of the sample before */

	uint16_t kernel_state; /* STATE_ bits that /proc said last */
	uint16_t syscall;
	uint64_t kernel_state_at; /* ns; when */
	bool held_gil;		  /* at the last sample */
	bool leaf_calls;	  /* its leaf stands at a call */
	bool counted;		  /* its times have been read before */
	uint32_t name_reads;
	uint64_t named_at; /* when its name was read last */
	int proc_fd;	   /* of /proc/PID/task/TID/syscall; -1: not open */
};
