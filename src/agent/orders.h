/* orders.h: what pyrometer asks of the agent: lines of `key=value`, the first one naming the mode ("calls", "lines",
 * "memory"). They come through the environment, or by the hand that loads the agent into a running program.
 * inject/orders.h writes them. */
#pragma once
#include <stdbool.h>

enum { ORDERS_MAX = 1 << 14 };

struct orders {
	bool lines;	       /* the mode is "lines" */
	char text[ORDERS_MAX]; /* each line ends with NUL, the last one with two */
};

/* False: they are not for this agent, or too long. */
bool orders_read(struct orders *orders, const char *text);

/* The value of the first such line behind `after`, a value of this key or NULL; NULL: none. A key may come more than
 * once. */
const char *orders_next(const struct orders *orders, const char *key, const char *after);
static inline const char *orders_get(const struct orders *orders, const char *key)
{
	return orders_next(orders, key, (const char *)0);
}
