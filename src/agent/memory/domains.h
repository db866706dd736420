/* domains.h: Python's own allocators: its three domains, and the arenas that small objects lie in. */
#pragma once
#include <stdbool.h>

/* Puts ours before them, or again before what the program has put there since; may come again. `domains`: each object
 * is measured; else the arenas alone are told apart. False: this Python has none of it. */
bool domains_hook(bool domains);
/* Takes them out again, as far as they are the first that are asked. */
void domains_unhook(void);
