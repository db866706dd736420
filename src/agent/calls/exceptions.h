/* exceptions.h: where exceptions are raised and where they end, counted by place: for `calls --exceptions`, from 3.12
 * on.
 *
 * An exception is counted once, where it was first raised, and where Python code last handled it: what goes through
 * `finally`, `with` and a bare `raise`, or is kept and raised again, is the same one. One without an end was left to C
 * code, or to nobody. */
#pragma once
#include "agent/python/python.h"

/* Events of one frame: also of those that the exception only goes through. `offset`: an int, in bytes. */
void exceptions_raise(object *code, object *offset, object *exception);
void exceptions_handle(object *code, object *offset, object *exception);
/* A handler lets it go on. */
void exceptions_raise_again(object *exception);
