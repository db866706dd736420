/* session.h: one time of measuring, from its beginning to its end: there may be several in a process, one at a time.
 * All with the GIL (or attached). */
#pragma once
#include "agent/orders.h"
#include "agent/segment/segment.h"

/* When the process begins, and a Python is in it: its main program comes later (session_begin()), or never. */
void session_prepare(const struct orders *orders);
/* Why a Python in which python_find() failed cannot be measured. */
const char *session_unfit(void);

/* A sentence when nothing can be measured, or NULL. Where there is a segment already, the sentence stands in it, too.
 */
const char *session_begin(const struct orders *orders);
/* In the child of a fork, whose parent has the segment `before`: its events go on, into a segment of its own. */
void session_go_on(const struct orders *orders, const struct segment_head *before);
/* Leaves a segment that says no more than why there is nothing in it. Needs nothing of Python. */
void session_refuse(const struct orders *orders, const char *why);
/* Out of everything that was put in, if it is still ours. Nothing happens when none is on. */
void session_end(enum segment_state state, const char *note);
