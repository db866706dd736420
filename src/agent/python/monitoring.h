/* monitoring.h: sys.monitoring of 3.12 and newer: events of all threads, beside other tools. Callbacks are objects of
 * our own type, whose call is one jump. */
#pragma once
#include "agent/python/python.h"

enum { MONITORING_LISTENERS = 16 };

struct listener {
	const char *event;   /* of sys.monitoring.events: their numbers differ by version */
	vectorcall function; /* its arguments are (code, offset or line, ...); the answer is borrowed: None is, and
				DISABLE */
	bool local;	     /* only of code that monitoring_listen_in() was called with */
};

/* The answer after which an event comes no more from the place where it happened. */
extern object *monitoring_disable;

/* With the GIL, as all here. `places_end`: callbacks will give that answer. A sentence when it cannot be done, or NULL.
 */
const char *monitoring_begin(const struct listener *listeners, size_t count, bool places_end);
/* The local ones, too, of this code: from its next instruction on. */
bool monitoring_listen_in(object *code);
/* Gives the tool back, if it is still ours. */
void monitoring_end(void);
/* Whether events come. */
void monitoring_listen(bool on);
/* Places that were switched off are heard again; so are those of other tools. */
void monitoring_restart(void);
