/* head.c: see head.h. */
#include "report/head.h"

#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>

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

void head_add_json_text(struct buffer *out, const char *name, struct text text)
{
	buffer_printf(out, ",\"%s\":", name);
	print_add_json(out, text);
}

void head_add_json_number(struct buffer *out, const char *name, uint64_t number)
{
	buffer_printf(out, ",\"%s\":", name);
	print_add_integer(out, number);
}

void head_add_json_bool(struct buffer *out, const char *name, bool value)
{
	buffer_printf(out, ",\"%s\":%s", name, value ? "true" : "false");
}

void head_add_json_samples(struct buffer *out, const struct profile_times *times)
{
	buffer_add_string(out, ",\"samples\":{\"all\":");
	print_add_integer(out, times->samples);
	head_add_json_number(out, "exact", times->quality[QUALITY_EXACT]);
	head_add_json_number(out, "repaired", times->quality[QUALITY_REPAIRED]);
	head_add_json_number(out, "partial", times->quality[QUALITY_PARTIAL]);
	buffer_add_char(out, '}');
}

/* What only a recording that was ended properly knows. */
static void add_end(struct buffer *out, const struct recording_end *end)
{
	head_add_json_number(out, "ticks_due", end->ticks_due);
	head_add_json_number(out, "ticks_late", end->ticks_late);
	head_add_json_number(out, "ticks_missed", end->ticks_missed);
	head_add_json_number(out, "read_errors", end->read_errors);
	head_add_json_number(out, "own_cpu_ns", end->own_cpu_ns);
	head_add_json_number(out, "stopped_ns", end->stopped_ns);
	if (end->children_found != CHILDREN_NOT_FOLLOWED) {
		const char *found = end->children_found == CHILDREN_BY_EVENTS ? "events" : "list";
		head_add_json_text(out, "children_found", (struct text){ found, strlen(found) });
		head_add_json_bool(out, "children_unknown", end->children_unknown);
	}
	head_add_json_number(out, "unseen_children", end->unseen_children);
	if (end->target_ended)
		head_add_json_number(out, "target_status", end->target_status);
}

void head_add_json(struct buffer *out, const struct profile *profile, const struct profile_times *all)
{
	const struct recording_info *info = &profile->info;
	buffer_add_string(out, "\"tool\":");
	print_add_json(out, info->tool);
	buffer_add_string(out, ",\"recording\":{\"mode\":");
	print_add_json(out, (struct text){ mode_name(info->mode), strlen(mode_name(info->mode)) });
	head_add_json_text(out, "recorded_by", info->command);
	head_add_json_text(out, "host", info->host);
	head_add_json_text(out, "system", info->system);
	head_add_json_number(out, "started_unix_ms", info->start_unix_ns / NS_PER_MS);
	head_add_json_number(out, "duration_ns", profile_duration(profile));
	buffer_printf(out, ",\"rate_hz\":%.3f", (double)info->rate_millihertz / 1000);
	head_add_json_bool(out, "blocking", info->blocking);
	head_add_json_bool(out, "complete", profile->ended);
	if (profile->ended)
		add_end(out, &profile->end);
	head_add_json_samples(out, all);
	buffer_add_char(out, '}');
}

void head_add_json_view(struct buffer *out, const struct profile_view *view)
{
	const struct profile_view_options *options = &view->options;
	buffer_printf(out, "\"weight\":\"%s\",\"unit\":\"%s\"", head_weight_name(options->weight),
		head_weight_unit(options->weight));
	head_add_json_bool(out, "idle", options->idle);
	head_add_json_bool(out, "only_gil", options->only_gil);
	head_add_json_bool(out, "only_cpu", options->only_cpu);
	head_add_json_number(out, "total_weight", view->all.weight);
	head_add_json_number(out, "total_samples", view->all.samples);
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

void head_add_status(struct buffer *out, const struct profile *profile)
{
	uint32_t status = profile->end.target_status;
	if (!profile->ended || !profile->end.target_ended)
		return;
	if (WIFSIGNALED(status))
		buffer_printf(
			out, "The program died of signal %d (%s).", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		buffer_printf(out, "The program ended with status %d.", WEXITSTATUS(status));
}

void head_add_cut(struct buffer *out, const struct profile *profile)
{
	if (!profile->ended)
		buffer_add_string(out, "The recording was cut off; this is what came before.");
}

void head_add_sealed(struct buffer *out, const struct profile *profile)
{
	if (profile->sealed_at)
		buffer_printf(out, "Measuring ended at %.3f s, before the program did: what came then is missing.",
			(double)profile->sealed_at / (double)NS_PER_S);
}
