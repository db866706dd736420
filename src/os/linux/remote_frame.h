/* remote_frame.h: a thread's whole state at a stop, and the frame that brings it back to it. */
#pragma once
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#include "base/error.h"
#include "os/remote_call.h"

enum { REMOTE_EXTENDED_MAX = 16 << 10 };

/* What a thread has in registers. */
struct remote_state {
	struct user_regs_struct registers;
	uint64_t signals; /* that it blocks */
	size_t extended_size;
	_Alignas(64) unsigned char extended[REMOTE_EXTENDED_MAX]; /* x87, SSE, AVX and so on, as XSAVE lays it out */
};

struct error *remote_state_read(pid_t tid, struct remote_state *ret_state);

/* Writes the data and the frame below the stack of the stopped thread, which changes nothing for it. `back` is where it
 * goes back to; *ret_registers makes it enter the function. *ret_frame: what the stack pointer is at the way back. */
struct error *remote_frame_write(pid_t pid, const struct remote_state *state, const struct user_regs_struct *back,
	const struct remote_places *places, const struct remote_call *call, struct user_regs_struct *ret_registers,
	uint64_t *ret_frame);

/* Bytes below a stack pointer that a frame needs, and what the function may use besides. */
enum { REMOTE_FRAME_MAX = REMOTE_EXTENDED_MAX + REMOTE_DATA_MAX + 2048, REMOTE_STACK = 96 << 10 };
