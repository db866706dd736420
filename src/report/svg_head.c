/* svg_head.c: what stands above the frames: what was recorded, how well, what the width of a frame means, what is not
 * drawn, and the colours. */
#include "report/svg.h"

#include <time.h>

#include "base/clock.h"
#include "profile/memory.h"
#include "report/head.h"

enum { TITLE_COLUMNS = 78, LINE_COLUMNS = 190 };

/* What is in scratch as a line of text; empties it. */
static void add_text(struct svg *s, unsigned y, const char *class, unsigned columns)
{
	struct buffer fitted = { 0 };
	print_add_fitted(&fitted, print_text(&s->scratch), columns, PRINT_CUT_END, false);
	buffer_printf(s->out, "<text class=\"%s\" x=\"%d\" y=\"%u\">", class, SVG_PAD, y);
	print_add_xml(s->out, print_text(&fitted));
	buffer_add_string(s->out, "</text>\n");
	buffer_deinit(&fitted);
	s->scratch.size = 0;
}

static void add_title(struct svg *s)
{
	const struct profile *profile = s->view.profile;
	if (profile->processes.count > 1)
		label_add_command(&s->scratch, profile->processes.data[1].command);
	if (!s->scratch.size)
		buffer_add_string(&s->scratch, "Pyrometer");
	add_text(s, 28, "title", TITLE_COLUMNS);
}

static void add_start(struct buffer *text, uint64_t unix_ns)
{
	time_t seconds = (time_t)(unix_ns / NS_PER_S);
	struct tm local;
	char date[32];
	if (seconds && localtime_r(&seconds, &local) && strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &local))
		buffer_printf(text, "%s, ", date);
}

static void add_samples(const struct profile *profile, const struct profile_times *all, struct buffer *text)
{
	if (profile->info.rate_millihertz) {
		buffer_add_string(text, " at ");
		print_add_number(text, (profile->info.rate_millihertz + 500) / 1000);
		buffer_add_string(text, " Hz");
	}
	buffer_add_string(text, ": ");
	print_add_number(text, all->samples);
	buffer_add_string(text, all->samples == 1 ? " sample, " : " samples, ");
	print_add_number(text, all->quality[QUALITY_EXACT]);
	buffer_add_string(text, " exact, ");
	print_add_number(text, all->quality[QUALITY_REPAIRED]);
	buffer_add_string(text, " repaired, ");
	print_add_number(text, all->quality[QUALITY_PARTIAL]);
	buffer_add_string(text, profile->ended ? " partial; " : " partial; cut off");
	if (profile->ended) {
		print_add_number(text, profile->end.ticks_late);
		buffer_add_string(text, profile->end.ticks_late == 1 ? " tick late, " : " ticks late, ");
		print_add_number(text, profile->end.ticks_missed);
		buffer_add_string(text, " missed");
	}
}

/* What was not sampled. */
static void add_exact(const struct profile *profile, struct buffer *text)
{
	buffer_printf(text, ": %s%s",
		profile->info.mode == RECORDING_MEMORY	? memory_view_title(profile->memory_choice.view)
		: profile->info.mode == RECORDING_LINES ? "time of lines"
							: "time of calls",
		profile->ended ? "" : "; cut off");
}

/* "CPython 3.11.7, pid 4242, on furnace, 2023-11-14 22:13:20, 7.54 s at 1,000 Hz: 23,156 samples, ..." */
static void add_recording(struct svg *s)
{
	const struct profile *profile = s->view.profile;
	struct buffer *text = &s->scratch;
	if (profile->processes.count > 1) {
		buffer_add_string(text, "CPython ");
		head_add_python_version(text, profile->processes.data[1].python_version);
		buffer_printf(text, ", pid %u, ", profile->processes.data[1].pid);
	}
	if (profile->info.host.size) {
		buffer_add_string(text, "on ");
		print_add_text(text, profile->info.host);
		buffer_add_string(text, ", ");
	}
	add_start(text, profile->info.start_unix_ns);
	print_add_duration(text, profile_duration(profile), false);
	if (profile->info.mode == RECORDING_SAMPLES)
		add_samples(profile, &s->times.all, text);
	else
		add_exact(profile, text);
	add_text(s, 48, "faint", LINE_COLUMNS);
}

static void add_whole(struct svg *s, struct buffer *text)
{
	const struct profile_view_options *options = &s->view.options;
	bool filtered = options->idle || options->only_gil || options->only_cpu;
	if (options->weight == PROFILE_WALL || options->weight == PROFILE_CPU) {
		print_add_duration(text, s->view.all.weight, false);
		buffer_add_string(text, options->weight == PROFILE_CPU ? " of sampled CPU time"
					: filtered		       ? " of threads' time"
								       : " of busy time");
	} else if (options->weight == PROFILE_BYTES) {
		print_add_bytes(text, s->view.all.weight);
	} else {
		print_add_number(text, s->view.all.weight);
		buffer_add_string(text, options->weight == PROFILE_COUNT ? " counted"
					: filtered			 ? " samples"
									 : " busy samples");
	}
	if (options->only_gil)
		buffer_add_string(text, " that held the GIL");
	else if (options->only_cpu)
		buffer_add_string(text, " on a CPU");
}

static void add_meaning(struct svg *s)
{
	struct buffer *text = &s->scratch;
	buffer_add_string(text, "The width of a frame is its share of ");
	add_whole(s, text);
	buffer_add_string(text, s->view.options.idle ? ", idle ones among them."
				: s->times.all.idle  ? "; idle ones are left out."
						     : ".");
	if (s->left_out) {
		double share = s->view.all.weight ? (double)s->left_out_weight * 100 / (double)s->view.all.weight : 0;
		buffer_add_char(text, ' ');
		print_add_number(text, s->left_out);
		buffer_printf(text,
			" frame%s narrower than %.2f %% or deeper than %d calls %s not drawn: %.2f %% of the width.",
			s->left_out == 1 ? "" : "s", SVG_LEAST_SHARE * 100, SVG_MOST_ROWS,
			s->left_out == 1 ? "is" : "are", share);
	}
	add_text(s, 67, "faint", LINE_COLUMNS);
}

static void add_legend(struct svg *s)
{
	static const struct {
		const char *class, *text;
		unsigned width;
	} entries[] = {
		{ "o0", "own code", 94 },
		{ "s0", "site-packages", 124 },
		{ "l0", "standard library", 138 },
		{ "i", "import", 82 },
		{ "g", "garbage collection", 156 },
		{ "y", "unknown", 92 },
		{ "r", "process or thread", 130 },
	};
	unsigned x = SVG_PAD;
	buffer_add_string(s->out, "<g class=\"legend\">\n");
	for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
		buffer_printf(s->out, "<g data-width=\"%u\" transform=\"translate(%u 0)\">", entries[i].width, x);
		buffer_printf(
			s->out, "<rect class=\"%s\" y=\"79\" width=\"12\" height=\"12\" rx=\"2\"/>", entries[i].class);
		buffer_printf(s->out, "<text class=\"faint\" x=\"17\" y=\"89.5\">%s</text></g>\n", entries[i].text);
		x += entries[i].width;
	}
	buffer_add_string(s->out, "</g>\n");
}

void svg_add_head(struct svg *s)
{
	buffer_add_string(s->out, "<g class=\"head\">\n");
	add_title(s);
	add_recording(s);
	add_meaning(s);
	add_legend(s);
	buffer_add_string(s->out, "</g>\n");
}
