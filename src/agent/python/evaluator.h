/* evaluator.h: a function of ours in the place of the one that evaluates frames (PEP 523), in 3.8 to 3.10: all threads
 * are heard at once. */
#pragma once
#include "agent/python/old_python.h"

typedef object *(*evaluator)(thread_state *, frame *, int throwing); /* from 3.9 on */
typedef object *(*evaluator_of_38)(frame *, int throwing);

/* What stood there before, and does the work. */
extern evaluator evaluator_39;
extern evaluator_of_38 evaluator_38;

/* Which is ours; old_python_find() must have been. A sentence when it cannot be, or NULL. */
const char *evaluator_begin(evaluator mine, evaluator_of_38 mine_of_38);
void evaluator_put_in(void);
/* Out again, if ours is still there. False: there has never been one. */
bool evaluator_take_out(void);
