/* sentry.h: in 3.11, a word when a thread state ends, while all that stands in it can still be read: an object in its
 * dict, which is cleared before the rest. Nothing of Python shows that dict. With the GIL. */
#pragma once
#include "agent/python/old_python.h"

/* `ended`: with the GIL, maybe in another thread, and amid the interpreter's own end; it runs no Python. False: there
 * is no memory for it. */
bool sentry_put(thread_state *thread, void (*ended)(thread_state *));
bool sentry_is_in(thread_state *thread);
/* Nothing is to be said of it any more. */
void sentry_take(thread_state *thread);
