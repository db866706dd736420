#include "inject/followed.h"

#include "agent/codes/pattern.h"
#include "inject/definitions.h"
#include "inject/tally.h"

/* The sum's index; UINT32_MAX: no memory. */
static uint32_t find_sum(struct followed *f, uint32_t code, uint32_t number)
{
	uint64_t key = (uint64_t)code << 32 | number;
	const uint64_t *known = map_get(&f->numbers, key);
	if (known)
		return (uint32_t)*known;
	const struct followed_sum sum = { .thread = f->thread, .code = code, .number = number };
	if (!vec_push(&f->sums, sum) || !map_put(&f->numbers, key, f->sums.count - 1))
		return UINT32_MAX;
	return (uint32_t)f->sums.count - 1;
}

static bool begin_line(struct followed *f, struct followed_call *call, uint32_t number, int64_t now)
{
	uint32_t index = find_sum(f, f->sums.data[call->function].code, number);
	if (index == UINT32_MAX)
		return false;
	f->sums.data[index].open++;
	f->sums.data[index].function = call->function;
	call->line = index + 1;
	call->begun = now;
	return true;
}

static void end_line(struct followed *f, struct followed_call *call, int64_t now)
{
	if (!call->line)
		return;
	struct followed_sum *line = &f->sums.data[call->line - 1];
	int64_t since = now - f->sums.data[call->function].net;
	call->line = 0;
	if (!line->ended || since > line->most)
		line->most = since;
	line->ended = true;
	if (!--line->open)
		line->increment += now - call->begun;
}

void followed_begin_thread(struct followed *f, uint32_t thread)
{
	f->thread = thread;
	f->calls.count = 0;
	map_clear(&f->numbers);
	for (size_t i = 0; i < f->sums.count; i++)
		f->sums.data[i].open = 0;
}

bool followed_enter(struct followed *f, uint32_t code, uint64_t resident, uint32_t line, uint64_t given)
{
	int64_t now = f->net - (int64_t)given;
	struct followed_call call = { .function = find_sum(f, code, 0) };
	if (call.function == UINT32_MAX)
		return false;
	struct followed_sum *function = &f->sums.data[call.function];
	if (!function->resident && !function->entries) {
		function->resident = (int64_t)resident;
		function->net = now;
	}
	function->entries += !line;
	if (line && !begin_line(f, &call, line, now))
		return false;
	return vec_push(&f->calls, call);
}

bool followed_line(struct followed *f, uint32_t number, uint64_t given)
{
	int64_t now = f->net - (int64_t)given;
	if (!f->calls.count)
		return true;
	struct followed_call *call = &f->calls.data[f->calls.count - 1];
	uint32_t before = call->line ? f->sums.data[call->line - 1].number : 0;
	end_line(f, call, now);
	if (!begin_line(f, call, number, now))
		return false;
	f->sums.data[call->line - 1].entries += number != before;
	return true;
}

void followed_leave(struct followed *f, uint64_t given)
{
	if (!f->calls.count)
		return;
	end_line(f, &f->calls.data[f->calls.count - 1], f->net - (int64_t)given);
	f->calls.count--;
}

/* ---- events ---- */

static struct error *emit(struct drain *drain, const struct segment_view *view, uint32_t thread, uint32_t code,
	int32_t line, enum subject subject, int64_t bytes, uint64_t count)
{
	uint32_t stack;
	TRY(registry_stack(&drain->registry, 0, code, line, &stack));
	return tally_emit(drain, view, thread, stack, subject,
		(uint64_t[WEIGHT_END]){ [WEIGHT_BYTES] = (uint64_t)bytes, [WEIGHT_COUNT] = count });
}

static struct error *emit_sum(
	struct drain *drain, struct segment_view *view, struct followed *f, const struct followed_sum *sum)
{
	uint32_t code;
	TRY(define_code(drain, view, sum->code, &code));
	if (!code)
		return NULL;
	if (!sum->number)
		return emit(drain, view, sum->thread, code, -1, SUBJECT_MEMORY_LINES, sum->resident, sum->entries);
	if (sum->number > INT32_MAX)
		return NULL;
	int64_t resident = f->sums.data[sum->function].resident;
	TRY(emit(drain, view, sum->thread, code, (int32_t)sum->number, SUBJECT_MEMORY_LINE, sum->increment,
		sum->entries));
	return emit(drain, view, sum->thread, code, (int32_t)sum->number, SUBJECT_MEMORY_LINE_USAGE,
		resident + sum->most, 0);
}

/* Some were before the program marked what it wants. */
static bool is_left_out(const struct segment_view *view, uint32_t unit)
{
	const struct segment_code *code = segment_view_at(view, unit, sizeof *code);
	return code && code->flags & SEGMENT_CODE_LEFT_OUT;
}

struct error *followed_emit(struct drain *drain, struct segment_view *view, struct followed *f)
{
	while (f->calls.count)
		followed_leave(f, 0);
	for (size_t i = 0; i < f->sums.count; i++)
		if (!is_left_out(view, f->sums.data[i].code))
			TRY(emit_sum(drain, view, f, &f->sums.data[i]));
	return NULL;
}

/* What has a line table is of a call path; a comprehension is part of its line. */
static bool is_uncalled(const struct segment_view *view, uint32_t unit, const struct segment_code *code)
{
	enum {
		OTHERS = SEGMENT_CODE_OURS | SEGMENT_CODE_THROUGH | SEGMENT_CODE_LEFT_OUT | SEGMENT_CODE_TABLE |
			 SEGMENT_CODE_TYPE | SEGMENT_CODE_BUILTIN
	};
	if (code->flags & OTHERS || code->first_lines || code->file_size > SEGMENT_NAME_MAX ||
		code->name_size > SEGMENT_NAME_MAX ||
		!segment_view_at(view, unit, sizeof *code + code->file_size + code->name_size))
		return false;
	return !pattern_is_comprehension((struct pattern_text){ code->text + code->file_size, code->name_size });
}

struct error *followed_emit_uncalled(struct drain *drain, struct segment_view *view)
{
	uint64_t left = segment_view_units(view);
	for (uint32_t unit = view->head.first_code, id; unit && left; left--) {
		const struct segment_code *code = segment_view_at(view, unit, sizeof *code);
		if (!code)
			break;
		if (is_uncalled(view, unit, code)) {
			TRY(define_code(drain, view, unit, &id));
			TRY(id ? emit(drain, view, 0, id, -1, SUBJECT_MEMORY_LINES, 0, 0) : NULL);
		}
		unit = code->next;
	}
	return NULL;
}

void followed_deinit(struct followed *f)
{
	map_deinit(&f->numbers);
	vec_free(&f->sums);
	vec_free(&f->calls);
}
