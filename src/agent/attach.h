/* attach.h: the agent's entry in a program that already runs: what pyrometer makes one of its threads call. */
#pragma once

/* What is in the folder that the entry is given. */
#define ATTACH_ORDERS "orders" /* agent/orders.h */
/* A fifo: a byte says that the agent is to leave, its end that pyrometer has died. The agent removes it when it is out.
 */
#define ATTACH_LEASH   "leash"
#define ATTACH_REFUSED "refused" /* why nothing is measured */
#define ATTACH_ENTRY   "pyrometer_attach"

/* Takes no lock of Python's and does not wait: another thread does the rest. */
void pyrometer_attach(const char *folder);
