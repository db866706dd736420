/* tee.h: a sink that hands everything to several. */
#pragma once
#include "base/vec.h"
#include "recording/sink.h"

struct tee {
	struct sink sink;	  /* first: what is fed */
	VEC(struct sink *) sinks; /* not owned */
};

void tee_init(struct tee *tee);
bool tee_add(struct tee *tee, struct sink *sink);
void tee_deinit(struct tee *tee);
