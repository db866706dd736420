/* launch.h: starting a program with the agent in it, and what it leaves behind. */
#pragma once
#include "base/error.h"
#include "inject/orders.h"

struct launch {
	char *folder; /* of the segments: temporary, ours */
	char *agent;  /* the file of the agent */
};

/* Makes the folder, and the orders in our own environment, which the next program that we start inherits. */
struct error *launch_prepare(struct launch *launch, const struct calls_orders *orders);
/* Takes the orders out of our environment again. */
void launch_done(void);
/* Removes the folder and what is in it. */
void launch_deinit(struct launch *launch);
