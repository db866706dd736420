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
	THREAD_CHECKS = 2,
	FRAME_BYTES_MAX = 256,
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

/* A code object whose head is read with the frames, to see whether it is still what it was. */
struct code_check {
	uint64_t address; /* 0: none */
	size_t frame;	  /* index in `seen` */
	bool failed;
	unsigned char bytes[CODE_HEAD_MAX];
};

struct thread {
	uint64_t tstate;
	uint64_t ident; /* threading.get_ident() */
	uint32_t id;	/* of the recording */
	uint32_t tid;	/* the kernel's; 0: not known */

	struct regions regions;
	bool holes;	  /* a region once could not be read */
	uint64_t tops[3]; /* the frame pointer before the first copy, between the copies, after the second */
	uint64_t tops_ahead[LOOKS_MAX]; /* tops[2] of each look of the last read (looks.h) */
	/* 3.11-3.12: the pointer is in a struct on the C stack, one for each time that the evaluator was entered from
	 * C. */
	uint64_t cframes[THREAD_CFRAMES]; /* where it lately was, the last first; 0: none */
	uint64_t cframe_at[3],
		cframe_tops[3][THREAD_CFRAMES]; /* which of them counts, and what they hold, at each reading */
	bool state_failed;

	VEC(uint64_t) strays;	    /* from 3.11: frames lately met that lie in no chunk */
	VEC(uint64_t) chunks;	    /* older chunks of the data stack, newest first */
	uint64_t chunk, chunk_size; /* the newest */

	struct seen_list seen; /* the last sample's stack */
	size_t seen_copied;    /* so many frames at its root are what COPY_LAST holds, not what a repair made of them */
	struct code_check checks[THREAD_CHECKS];
	uint32_t turn;		    /* counts samples: whose turn it is to be checked beside the leaf */
	size_t proven;		    /* how many of its frames, from the root, are proven steps */
	struct seen_list chains[2]; /* room for repairs */
	uint64_t unchanged_until;   /* data stack below this address is what it was at the last sample; 0: not known */
	struct frame_list walked;
	uint32_t stack; /* id of the last sample's stack */
	enum quality quality;
	bool settled;	     /* it stands still until the GIL goes to another thread */
	bool sampled;	     /* it has been before */
	bool changed;	     /* its stack is not that of the sample before */
	uint64_t changed_at; /* ns */

	uint16_t kernel_state; /* STATE_ bits that /proc said last */
	uint16_t syscall;
	uint64_t kernel_state_at, kernel_state_pause; /* ns; when, and how long it may be believed */
	bool held_gil;				      /* at the last sample */
	bool leaf_calls;			      /* its leaf stands at a call */
	bool counted;				      /* its times have been read before */
	uint64_t cpu_ns;			      /* as last read */
	uint8_t idle_rounds, idle_rounds_left;	      /* see housekeeping.c */
	uint32_t name_reads;
	uint64_t named_at; /* when its name was read last */
	int proc_fd;	   /* of /proc/PID/task/TID/syscall; -1: not open */
	/* Of its PyThreadState, target->state_size bytes: with hundreds of threads each page counts. */
	unsigned char state[];
};
