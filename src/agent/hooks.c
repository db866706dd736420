#include "agent/hooks.h"

#include "agent/codes/codes.h"
#include "agent/meter.h"
#include "agent/python/monitoring.h"

static const struct hooks_way *present; /* NULL: nothing was put in */

const char *hooks_begin(const struct hooks_way *ways, const void *wishes, const char *too_old)
{
	present = ways;
	while (present->since && python.version < present->since)
		present++;
	if (!present->since) {
		present = NULL;
		return too_old;
	}
	return codes_begin() ? present->begin(wishes) : "this Python has no room left in its code objects";
}

void hooks_end(void)
{
	if (present)
		present->end();
}

const char *hooks_yielded(void)
{
	return present && present->yielded ? present->yielded() : NULL;
}

void hooks_listen(bool on)
{
	if (present)
		present->listen(on);
}

uint32_t hooks_choose(object *code)
{
	bool known;
	meter_own_work(true);
	uint32_t unit = codes_choose(code, &known);
	if (known && present && present->end == monitoring_end)
		monitoring_restart();
	meter_own_work(false);
	return unit;
}
