/* remote_call.h: making one thread of another process call one function, and leaving it as it was.
 *
 * The thread is stopped where it holds no lock of the allocator or the loader: amid a system call that waits for
 * something from outside, or in the interpreter's own loop. It is given a frame like that of a signal handler, below
 * all that it uses of its stack, whose return is the kernel's rt_sigreturn. So from the one system call that sets its
 * registers on, the thread finds its way back by itself: whether we are killed, or leave, at any moment, it goes on
 * where it was.
 *
 * While we live the last step is ours: then even a call that the kernel begins again with the time that is left of it
 * goes on as if nothing had happened. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct remote_places {
	uint64_t sigreturn;	     /* code: "mov $15, %rax; syscall" */
	uint64_t loop, loop_end;     /* code of the interpreter's loop */
	uint64_t python, python_end; /* all that is mapped of the object that it is in */
};

/* That code, as both libcs have it. */
extern const unsigned char remote_sigreturn_code[9];

enum { REMOTE_DATA_MAX = 1024 };
struct remote_call {
	uint64_t function; /* is given a pointer to a copy of the data, and `second` */
	const void *data;
	size_t size; /* at most REMOTE_DATA_MAX */
	uint64_t second;
	uint64_t deadline; /* clock_now(): after it the thread is left alone, which may be amid the function */
};

/* ERROR_NOT_READY when no thread came to a good place in time, ERROR_GONE when the process ended. What the function
 * returned is not known. */
struct error *remote_call_make(pid_t pid, const struct remote_places *places, const struct remote_call *call);
