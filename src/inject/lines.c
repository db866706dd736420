#include "inject/lines.h"

#include "inject/definitions.h"
#include "inject/tally.h"

struct taking {
	struct drain *drain;
	struct segment_view *view;
	struct map listed; /* thread unit -> 1: the others are of calibration */
};

static struct segment_lines *lines_at(const struct segment_view *view, uint32_t unit)
{
	struct segment_lines *lines = (struct segment_lines *)segment_view_at(view, unit, sizeof *lines);
	return lines && segment_view_at(view, unit, sizeof *lines + (uint64_t)lines->count * sizeof *lines->lines)
		       ? lines
		       : NULL;
}

/* ---- calls that never ended: they lasted until the end ---- */

static struct segment_line_calls *calls_at(const struct segment_view *view, uint32_t unit)
{
	return (struct segment_line_calls *)segment_view_at(
		view, unit, sizeof(struct segment_line_calls) + SEGMENT_LINE_CALLS * sizeof(struct segment_line_call));
}

/* The same as the agent would have done; the sums are ours to change. */
static void end_line(
	const struct segment_view *view, const struct segment_thread *thread, struct segment_line_call *call)
{
	struct segment_lines *lines = lines_at(view, call->lines);
	if (!lines || !call->line || call->line > lines->count)
		return;
	struct segment_line *line = &lines->lines[call->line - 1];
	uint64_t ticks = view->end_ticks - call->entered;
	line->own += ticks > call->inside ? ticks - call->inside : 0;
	if (!line->open || --line->open)
		return;
	line->total += ticks;
	line->events += thread->line_events - call->events - (line->hits - call->hits);
}

static void end_call(
	const struct segment_view *view, const struct segment_thread *thread, struct segment_line_call *call)
{
	struct segment_lines *lines = lines_at(view, call->lines);
	end_line(view, thread, call);
	if (!lines || !lines->open || --lines->open)
		return;
	lines->total += view->end_ticks - call->begun;
	lines->events += thread->line_events - call->begun_events;
}

/* From the innermost outwards. More than have room in the file there are none. */
static void end_calls(const struct segment_view *view, const struct segment_thread *thread)
{
	if (thread->line_depth > view->size / sizeof(struct segment_line_call))
		return;
	uint32_t unit = thread->last_line_calls, depth = thread->line_depth;
	uint64_t inside = 0;
	for (struct segment_line_calls *calls = calls_at(view, unit); depth && calls; depth--) {
		struct segment_line_call *call = &calls->calls[(depth - 1) % SEGMENT_LINE_CALLS];
		call->inside += call->foreign ? view->end_ticks - call->foreign_since : inside;
		end_call(view, thread, call);
		inside = view->end_ticks - call->begun;
		if ((depth - 1) % SEGMENT_LINE_CALLS == 0)
			calls = calls_at(view, calls->previous);
	}
}

static struct error *end_all_calls(struct taking *t)
{
	uint64_t left = segment_view_units(t->view);
	for (uint32_t unit = t->view->head.first_thread; unit && left; left--) {
		const struct segment_thread *thread = segment_view_at(t->view, unit, sizeof *thread);
		if (!thread)
			break;
		end_calls(t->view, thread);
		if (!map_put(&t->listed, unit, 1))
			return &error_no_memory;
		unit = thread->next;
	}
	return NULL;
}

/* ---- sums ---- */

static struct error *take_line(
	const struct taking *t, uint32_t thread, uint32_t code, uint32_t number, const struct segment_line *line)
{
	uint32_t stack;
	if (!line->hits && !line->total)
		return NULL;
	TRY(registry_stack(&t->drain->registry, 0, code, (int32_t)number, &stack));
	uint64_t idle = line->idle < line->total ? line->idle : line->total,
		 own = line->own < line->total ? line->own : line->total;
	TRY(tally_emit(t->drain, t->view, thread, stack, SUBJECT_LINE,
		(uint64_t[WEIGHT_END]){ [WEIGHT_WALL] = segment_view_ns(t->view, line->total),
			[WEIGHT_CPU] = segment_view_ns(t->view, line->total - idle),
			[WEIGHT_COUNT] = line->hits }));
	if (own == line->total && !line->events)
		return NULL;
	return tally_emit(t->drain, t->view, thread, stack, SUBJECT_LINE_INSIDE,
		(uint64_t[WEIGHT_END]){
			[WEIGHT_WALL] = segment_view_ns(t->view, line->total - own), [WEIGHT_COUNT] = line->events });
}

static struct error *take_sums(const struct taking *t, uint32_t code, const struct segment_lines *lines)
{
	uint32_t thread, stack;
	TRY(define_thread(t->drain, t->view, lines->thread, &thread));
	if (!thread)
		return NULL;
	TRY(registry_stack(&t->drain->registry, 0, code, -1, &stack));
	t->drain->calls += lines->calls;
	TRY(tally_emit(t->drain, t->view, thread, stack, SUBJECT_LINES,
		(uint64_t[WEIGHT_END]){
			[WEIGHT_WALL] = segment_view_ns(t->view, lines->total), [WEIGHT_COUNT] = lines->calls }));
	if (lines->events)
		TRY(tally_emit(t->drain, t->view, thread, stack, SUBJECT_LINE_INSIDE,
			(uint64_t[WEIGHT_END]){ [WEIGHT_COUNT] = lines->events }));
	for (uint32_t i = 0; i < lines->count; i++)
		TRY(take_line(t, thread, code, lines->first + i, &lines->lines[i]));
	return NULL;
}

/* One that nobody called is in the report, too. */
static struct error *take_code(const struct taking *t, uint32_t unit, const struct segment_code *code)
{
	uint32_t id = 0, stack;
	uint64_t left = segment_view_units(t->view);
	bool any = false;
	if (code->flags & (SEGMENT_CODE_OURS | SEGMENT_CODE_THROUGH | SEGMENT_CODE_LEFT_OUT))
		return NULL;
	for (uint32_t next = code->first_lines; next && left; left--) {
		const struct segment_lines *lines = lines_at(t->view, next);
		if (!lines)
			break;
		next = lines->next;
		if (!map_get(&t->listed, lines->thread))
			continue;
		TRY(define_code(t->drain, t->view, unit, &id));
		if (id)
			TRY(take_sums(t, id, lines));
		any = true;
	}
	if (any || code->first_lines)
		return NULL;
	TRY(define_code(t->drain, t->view, unit, &id));
	if (!id)
		return NULL;
	TRY(registry_stack(&t->drain->registry, 0, id, -1, &stack));
	return tally_emit(t->drain, t->view, 0, stack, SUBJECT_LINES, (uint64_t[WEIGHT_END]){ 0 });
}

static struct error *take_codes(const struct taking *t)
{
	uint64_t left = segment_view_units(t->view);
	for (uint32_t unit = t->view->head.first_code; unit && left; left--) {
		const struct segment_code *code = segment_view_at(t->view, unit, sizeof *code);
		if (!code)
			return NULL;
		TRY(take_code(t, unit, code));
		unit = code->next;
	}
	return NULL;
}

struct error *lines_take(struct drain *drain, struct segment_view *view)
{
	struct taking t = { .drain = drain, .view = view };
	const struct segment_head *head = &view->head;
	struct error *error = tally_emit(t.drain, t.view, 0, 0, SUBJECT_LINE_COST,
		(uint64_t[WEIGHT_END]){ [WEIGHT_WALL] = segment_view_picoseconds(view, head->inner),
			[WEIGHT_CPU] = segment_view_picoseconds(view, head->outer) });
	if (!error)
		error = end_all_calls(&t);
	if (!error)
		error = take_codes(&t);
	map_deinit(&t.listed);
	return error;
}
