/* head.c: see head.h. */
#include "report/head.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "report/print.h"

void head_add_python_version(struct buffer *out, uint32_t hexversion)
{
	static const char *const levels[16] = { [0xa] = "a", [0xb] = "b", [0xc] = "rc" };
	if (!hexversion)
		return;
	buffer_printf(out, "%u.%u.%u", hexversion >> 24, hexversion >> 16 & 0xff, hexversion >> 8 & 0xff);
	if (levels[hexversion >> 4 & 0xf])
		buffer_printf(out, "%s%u", levels[hexversion >> 4 & 0xf], hexversion & 0xf);
}

void head_add_json_words(struct buffer *out, struct text command)
{
	buffer_add_char(out, '[');
	for (const char *at = command.data, *end = command.data + command.size; at < end;) {
		const char *nul = memchr(at, '\0', (size_t)(end - at));
		size_t size = (size_t)((nul ? nul : end) - at);
		buffer_add_string(out, at == command.data ? "" : ",");
		print_add_json(out, (struct text){ at, size });
		at += size + 1;
	}
	buffer_add_char(out, ']');
}

static const char *mode_name(uint32_t mode)
{
	static const char *const names[] = { "", "samples", "calls", "lines", "memory" };
	return mode < sizeof names / sizeof *names ? names[mode] : "";
}

static void add_member(struct buffer *out, const char *name, struct text text)
{
	buffer_printf(out, ",\"%s\":", name);
	print_add_json(out, text);
}

static void add_number(struct buffer *out, const char *name, uint64_t number)
{
	buffer_printf(out, ",\"%s\":%" PRIu64, name, number);
}

/* What only a recording that was ended properly knows. */
static void add_end(struct buffer *out, const struct recording_end *end)
{
	add_number(out, "ticks_due", end->ticks_due);
	add_number(out, "ticks_late", end->ticks_late);
	add_number(out, "ticks_missed", end->ticks_missed);
	add_number(out, "read_errors", end->read_errors);
	add_number(out, "own_cpu_ns", end->own_cpu_ns);
	add_number(out, "stopped_ns", end->stopped_ns);
	add_number(out, "unseen_children", end->unseen_children);
	if (end->target_ended)
		add_number(out, "target_status", end->target_status);
}

void head_add_json(struct buffer *out, const struct profile *profile, const struct profile_times *all)
{
	const struct recording_info *info = &profile->info;
	buffer_add_string(out, "\"tool\":");
	print_add_json(out, info->tool);
	buffer_add_string(out, ",\"recording\":{\"mode\":");
	print_add_json(out, (struct text){ mode_name(info->mode), strlen(mode_name(info->mode)) });
	add_member(out, "recorded_by", info->command);
	add_member(out, "host", info->host);
	add_member(out, "system", info->system);
	add_number(out, "started_unix_ms", info->start_unix_ns / NS_PER_MS);
	add_number(out, "duration_ns", profile_duration(profile));
	buffer_printf(out, ",\"rate_hz\":%.3f", (double)info->rate_millihertz / 1000);
	buffer_printf(out, ",\"blocking\":%s", info->blocking ? "true" : "false");
	buffer_printf(out, ",\"complete\":%s", profile->ended ? "true" : "false");
	if (profile->ended)
		add_end(out, &profile->end);
	buffer_printf(out,
		",\"samples\":{\"all\":%" PRIu64 ",\"exact\":%" PRIu64 ",\"repaired\":%" PRIu64 ",\"partial\":%" PRIu64
		"}}",
		all->samples, all->quality[QUALITY_EXACT], all->quality[QUALITY_REPAIRED],
		all->quality[QUALITY_PARTIAL]);
}

void head_add_json_view(struct buffer *out, const struct profile_view *view)
{
	const struct profile_view_options *options = &view->options;
	buffer_printf(out, "\"weight\":\"%s\",\"unit\":\"%s\"", head_weight_name(options->weight),
		head_weight_unit(options->weight));
	buffer_printf(out, ",\"idle\":%s", options->idle ? "true" : "false");
	buffer_printf(out, ",\"only_gil\":%s", options->only_gil ? "true" : "false");
	buffer_printf(out, ",\"only_cpu\":%s", options->only_cpu ? "true" : "false");
	add_number(out, "total_weight", view->all.weight);
	add_number(out, "total_samples", view->all.samples);
}

const char *head_weight_name(enum profile_weight weight)
{
	static const char *const names[PROFILE_WEIGHT_END] = { "samples", "wall", "cpu", "bytes", "count" };
	return names[weight];
}

const char *head_weight_unit(enum profile_weight weight)
{
	static const char *const units[PROFILE_WEIGHT_END] = { "samples", "ns", "ns", "bytes", "" };
	return units[weight];
}
