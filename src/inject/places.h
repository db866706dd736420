/* places.h: what is needed of a running program to bring the agent into it, as it lies in its memory. */
#pragma once
#include "base/error.h"
#include "cpython/runtime.h"
#include "os/remote_call.h"

struct places {
	struct remote_places remote;
	uint64_t open;	/* dlopen() */
	uint64_t entry; /* of an agent like ours that is in it already; 0: there is none */
	bool measured;	/* an agent, of whichever pyrometer, counts in it now */
};

/* `agent`: the name of the agent's file. ERROR_UNSUPPORTED when there is no loader to ask, or a foreign one. */
struct error *places_find(pid_t pid, const struct runtime *runtime, const char *agent, struct places *ret_places);
