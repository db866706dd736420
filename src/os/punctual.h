/* punctual.h: being woken on time.
 *
 * A thread that sleeps most of the time has the right to run at once when it wakes, but the scheduler lets others end
 * their slice first, some milliseconds, unless it asks for short slices of its own. Needs no privilege, and gives no
 * more time than others get. What this thread starts afterwards inherits it. */
#pragma once

/* For the calling thread; where the kernel knows no such thing (before 6.12), only its timers become exact. */
void punctual_ask(void);
