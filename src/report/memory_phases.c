#include "report/memory_phases.h"

#include <inttypes.h>

#include "report/head.h"
#include "report/memory_table.h"

static struct text name_of(const struct profile *profile, const struct memory_phase *phase)
{
	if (!phase->stack)
		return (struct text){ "", 0 };
	uint32_t frame = profile->stacks.data[phase->stack].frame;
	return profile->functions.data[profile->frames.data[frame].function].name;
}

void memory_phases_add(struct page *page)
{
	enum { COLUMNS = 14 };
	const struct profile_memory *m = page->profile->memory;
	if (!m->phases.count)
		return;
	page_title(page, "Phases", "from mark to mark; the most that was live in each");
	page_write(page, "%*s%*s%*s  phase", COLUMNS, "begun after", COLUMNS, "lasted", COLUMNS, "peak");
	page_end_line(page);
	for (size_t i = 0; i < m->phases.count; i++) {
		const struct memory_phase *phase = &m->phases.data[i];
		page_duration(
			page, INK_PLAIN, COLUMNS, phase->ended > phase->duration ? phase->ended - phase->duration : 0);
		page_duration(page, INK_PLAIN, COLUMNS, phase->duration);
		memory_add_size(&page->scratch, phase->peak.bytes, false);
		page_cell_scratch(page, INK_STRONG, COLUMNS);
		struct text name = name_of(page->profile, phase);
		page_write(page, "  ");
		if (name.size)
			print_add_text(page->out, name);
		else
			page_write(page, "before the first mark");
		page_end_line(page);
	}
}

void memory_phases_add_json(struct buffer *out, const struct profile *profile)
{
	const struct profile_memory *m = profile->memory;
	buffer_add_string(out, ",\"phases\":[");
	for (size_t i = 0; i < m->phases.count; i++) {
		const struct memory_phase *phase = &m->phases.data[i];
		uint64_t began = phase->ended > phase->duration ? phase->ended - phase->duration : 0;
		buffer_printf(out, "%s{\"process\":%" PRIu32, i ? "," : "", phase->process);
		head_add_json_text(out, "name", name_of(profile, phase));
		head_add_json_number(out, "began_ns", began);
		head_add_json_number(out, "duration_ns", phase->duration);
		head_add_json_number(out, "peak_bytes", (uint64_t)phase->peak.bytes);
		head_add_json_number(out, "peak_count", (uint64_t)phase->peak.count);
		buffer_add_char(out, '}');
	}
	buffer_add_char(out, ']');
}
