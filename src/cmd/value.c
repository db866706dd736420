/* value.c: see value.h. Numbers are read by hand, because strtod also takes "inf", "0x10", spaces and the locale's
 * comma. */
#include "cmd/value.h"

#include <limits.h>
#include <stddef.h>
#include <strings.h>

#include "base/clock.h"

struct unit {
	const char *name;
	double factor;
};

static const struct unit time_units[] = {
	{ "s", 1e9 },
	{ "ms", 1e6 },
	{ "us", 1e3 },
	{ "m", 60e9 },
	{ "min", 60e9 },
	{ "h", 3600e9 },
	{ NULL, 0 },
};
static const struct unit interval_units[] = { { "s", 1e9 }, { "ms", 1e6 }, { "us", 1e3 }, { NULL, 0 } };
static const struct unit rate_units[] = { { "", 1e3 }, { "hz", 1e3 }, { "k", 1e6 }, { "khz", 1e6 }, { NULL, 0 } };

static const struct unit size_units[] = {
	{ "", 1 },
	{ "b", 1 },
	{ "k", 0x1p10 },
	{ "kb", 0x1p10 },
	{ "kib", 0x1p10 },
	{ "m", 0x1p20 },
	{ "mb", 0x1p20 },
	{ "mib", 0x1p20 },
	{ "g", 0x1p30 },
	{ "gb", 0x1p30 },
	{ "gib", 0x1p30 },
	{ NULL, 0 },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits, perhaps with a fraction, at the start of the word; where they end goes to *ret_rest. */
static bool parse_decimal(const char *text, const char **ret_rest, double *ret_number)
{
	const char *at = text;
	double number = 0, place = 1;
	for (; is_digit(*at); at++)
		number = number * 10 + (*at - '0');
	if (*at == '.')
		for (at++; is_digit(*at); at++)
			number += (*at - '0') * (place /= 10);
	if (at == text || !is_digit(at[-1]))
		return false;
	*ret_rest = at;
	*ret_number = number;
	return true;
}

static const struct unit *find_unit(const struct unit *units, const char *name)
{
	for (; units->name; units++)
		if (strcasecmp(units->name, name) == 0)
			return units;
	return NULL;
}

bool value_parse_duration(const char *text, uint64_t *ret_ns)
{
	const char *rest;
	double number;
	if (!parse_decimal(text, &rest, &number))
		return false;
	const struct unit *unit = find_unit(time_units, *rest ? rest : "s");
	if (!unit)
		return false;
	double ns = number * unit->factor + 0.5;
	if (!(ns >= 1 && ns <= 366.0 * 24 * 3600 * NS_PER_S))
		return false;
	*ret_ns = (uint64_t)ns;
	return true;
}

bool value_parse_rate(const char *text, uint64_t *ret_millihertz)
{
	const char *rest;
	double number;
	if (strcasecmp(text, "max") == 0) {
		*ret_millihertz = 0;
		return true;
	}
	if (!parse_decimal(text, &rest, &number))
		return false;
	const struct unit *rate = find_unit(rate_units, rest), *interval = find_unit(interval_units, rest);
	if (!rate && !interval)
		return false;
	double millihertz = (rate ? number * rate->factor : 1e12 / (number * interval->factor)) + 0.5;
	if (!(millihertz >= 1 && millihertz < VALUE_RATE_HIGHEST_HZ * 1e3 + 1))
		return false;
	*ret_millihertz = (uint64_t)millihertz;
	return true;
}

static bool parse_whole(const char *text, uint64_t highest, uint64_t *ret_number)
{
	uint64_t number = 0;
	const char *at = text;
	for (; is_digit(*at); at++) {
		number = number * 10 + (uint64_t)(*at - '0');
		if (number > highest)
			return false;
	}
	if (at == text || *at || number == 0)
		return false;
	*ret_number = number;
	return true;
}

bool value_parse_size(const char *text, uint64_t *ret_bytes)
{
	const char *rest;
	double number;
	const struct unit *unit;
	if (!parse_decimal(text, &rest, &number) || !(unit = find_unit(size_units, rest)))
		return false;
	number *= unit->factor;
	if (number < 1 || number > 0x1p62)
		return false;
	*ret_bytes = (uint64_t)number;
	return true;
}

bool value_parse_count(const char *text, uint32_t *ret_count)
{
	uint64_t number;
	if (!parse_whole(text, UINT32_MAX, &number))
		return false;
	*ret_count = (uint32_t)number;
	return true;
}

bool value_parse_pid(const char *text, pid_t *ret_pid)
{
	uint64_t number;
	if (!parse_whole(text, INT_MAX, &number))
		return false;
	*ret_pid = (pid_t)number;
	return true;
}
