#include "os/punctual.h"

#include <linux/sched/types.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	SLICE = 100000, /* ns: the shortest that the kernel grants */
	ORDINARY = 0,	/* SCHED_OTHER: <sched.h> cannot be had beside <linux/sched/types.h> */
};

void punctual_ask(void)
{
	struct sched_attr attributes = { .size = sizeof attributes };
	prctl(PR_SET_TIMERSLACK, 1);
	if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) || attributes.sched_policy != ORDINARY)
		return;
	attributes.sched_runtime = SLICE;
	syscall(SYS_sched_setattr, 0, &attributes, 0);
}
