/* lines_frame_hook.h: lines of 3.8 to 3.10. Frames of chosen code run with a trace function, all others without. */
#pragma once
#include <stdbool.h>

/* With the GIL, as all here. A sentence when it cannot be done, or NULL. */
const char *lines_frame_hook_begin(bool callees);
void lines_frame_hook_end(void);
void lines_frame_hook_listen(bool on);
