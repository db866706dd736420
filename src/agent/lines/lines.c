#include "agent/lines/lines.h"

#include "agent/codes/pattern.h"

const struct lines_follower *lines_follower;

/* ---- the calls that a thread is in ---- */

static bool add_calls(struct recorder_thread *thread, uint32_t *ret_unit)
{
	struct segment_line_calls *calls = recorder_take(
		thread, sizeof *calls + SEGMENT_LINE_CALLS * sizeof *calls->calls);
	if (!calls)
		return false;
	calls->previous = thread->shared->last_line_calls;
	*ret_unit = recorder_unit_of(calls);
	return true;
}

static void use_calls(struct recorder_thread *thread, uint32_t unit)
{
	struct segment_line_calls *calls = recorder_unit(unit);
	thread->shared->last_line_calls = unit;
	thread->lines.begin = calls->calls;
	thread->lines.end = calls->calls + SEGMENT_LINE_CALLS;
}

bool lines_next_calls(struct recorder_thread *thread)
{
	struct segment_thread *shared = thread->shared;
	uint32_t *place = &shared->first_line_calls;
	if (shared->last_line_calls)
		place = &((struct segment_line_calls *)recorder_unit(shared->last_line_calls))->next;
	if (!*place && !add_calls(thread, place))
		return false;
	use_calls(thread, *place);
	thread->lines.top = thread->lines.begin;
	return true;
}

void lines_previous_calls(struct recorder_thread *thread)
{
	const struct segment_line_calls *calls = recorder_unit(thread->shared->last_line_calls);
	use_calls(thread, calls->previous);
	thread->lines.top = thread->lines.end;
}

/* The one at this depth, from 1. */
static const struct segment_line_call *call_at(const struct recorder_thread *thread, uint32_t depth)
{
	uint32_t unit = thread->shared->first_line_calls;
	for (uint32_t left = (depth - 1) / SEGMENT_LINE_CALLS; left; left--)
		unit = ((const struct segment_line_calls *)recorder_unit(unit))->next;
	return ((const struct segment_line_calls *)recorder_unit(unit))->calls + (depth - 1) % SEGMENT_LINE_CALLS;
}

static bool is_of(const struct segment_line_call *call, const object *code)
{
	return ((const struct segment_lines *)recorder_unit(call->lines))->address == (uintptr_t)code;
}

void lines_leave_code(struct recorder_thread *thread, const object *code, const object *given, uint64_t now)
{
	uint32_t depth = thread->shared->line_depth, above = depth;
	if (depth && thread->lines.lines->address == (uintptr_t)code) {
		lines_leave(thread, given, now);
		return;
	}
	while (above && !is_of(call_at(thread, above), code))
		above--;
	for (; above && depth >= above; depth--)
		lines_leave(thread, given, now);
}

/* ---- sums ---- */

static struct segment_lines *add_lines(struct recorder_thread *thread, struct segment_code *code, const object *address)
{
	uint32_t count = code->last_line - code->lowest_line + 1;
	struct segment_lines *lines = recorder_take(thread, sizeof *lines + count * sizeof *lines->lines);
	if (!lines)
		return NULL;
	lines->thread = recorder_unit_of(thread->shared);
	lines->code = recorder_unit_of(code);
	lines->first = code->lowest_line;
	lines->count = count;
	lines->address = (uintptr_t)address;
	uint32_t before = atomic_load(&code->first_lines);
	do
		lines->next = before;
	while (!atomic_compare_exchange_weak(&code->first_lines, &before, recorder_unit_of(lines)));
	return lines;
}

struct line_range {
	uint32_t lowest, last;
};

static void note_line(struct line_range *range, long number)
{
	if (number <= 0 || number > INT32_MAX)
		return;
	range->last = number > range->last ? (uint32_t)number : range->last;
	range->lowest = number < range->lowest ? (uint32_t)number : range->lowest;
}

/* From 3.10 on code says itself which lines it has. */
static void ask_for_lines(struct line_range *range, object *address)
{
	object *ranges = python.call_method(address, "co_lines", NULL);
	for (object *each; ranges && (each = python.next(ranges)); python.forget(each)) {
		object *line = python.item(each, 2); /* (start, end, line) */
		if (line && line != python.none)
			note_line(range, python.as_long(line));
	}
	if (ranges)
		python.forget(ranges);
}

static void look_at_instructions(struct line_range *range, object *address)
{
	enum { INSTRUCTION = 2 };
	object *bytes = python.get_attribute(address, "co_code");
	ptrdiff_t size = bytes ? python.size(bytes) : 0;
	for (int offset = 0; offset < size; offset += INSTRUCTION)
		note_line(range, python.code_line(address, offset));
	if (bytes)
		python.forget(bytes);
}

/* Without a GIL several threads may do so at once, and come to the same; whoever sees the last line sees all. */
static void measure(struct segment_code *code, object *address)
{
	enum { LINES_MOST = 1 << 20, FIRST_THAT_SAYS = 0x030a0000 };
	uint32_t first = code->first_line ? code->first_line : 1;
	struct line_range range = { first, first };
	object *error[3];
	python.fetch_error(&error[0], &error[1], &error[2]);
	(python.version >= FIRST_THAT_SAYS ? ask_for_lines : look_at_instructions)(&range, address);
	python.clear_error();
	python.restore_error(error[0], error[1], error[2]);
	if (range.last - range.lowest > LINES_MOST)
		range.last = range.lowest + LINES_MOST;
	code->lowest_line = range.lowest;
	atomic_store(&code->last_line, range.last);
}

static bool is_wanted(const struct segment_code *code)
{
	const struct pattern_text name = { code->text + code->file_size, code->name_size };
	if (code->flags & (SEGMENT_CODE_OURS | SEGMENT_CODE_THROUGH))
		return false;
	return !lines_follower || !pattern_is_comprehension(name);
}

static struct segment_lines *find_lines(object *code)
{
	uint32_t unit = codes_describe(code), of = recorder_unit_of(meter.thread->shared);
	if (!unit)
		return NULL;
	struct segment_code *description = recorder_unit(unit);
	if (!is_wanted(description))
		return NULL;
	if (!description->last_line)
		measure(description, code);
	struct segment_lines *lines;
	for (uint32_t next = description->first_lines; next; next = lines->next) {
		lines = recorder_unit(next);
		if (lines->thread == of)
			return lines;
	}
	return add_lines(meter.thread, description, code);
}

struct segment_lines *lines_find(object *code)
{
	struct codes_cache *cache = meter.cache;
	unsigned slot = codes_slot(code);
	uint32_t generation = atomic_load_explicit(&codes_generation, memory_order_relaxed);
	if (cache->slots[slot].key != code || cache->slots[slot].generation != generation) {
		meter_own_work(true);
		struct segment_lines *lines = find_lines(code);
		meter_own_work(false);
		cache->slots[slot].unit = lines ? recorder_unit_of(lines) : 0;
		cache->slots[slot].key = code;
		cache->slots[slot].generation = generation;
	}
	return cache->slots[slot].unit ? recorder_unit(cache->slots[slot].unit) : NULL;
}

/* ---- all that is under way ---- */

/* From the innermost call outwards. */
static void for_each_call(
	const struct segment_thread *thread, void (*change)(struct segment_line_call *, void *), void *context)
{
	struct segment_line_calls *calls = thread->line_depth ? recorder_unit(thread->last_line_calls) : NULL;
	for (uint32_t depth = thread->line_depth; depth; depth--) {
		uint32_t place = (depth - 1) % SEGMENT_LINE_CALLS;
		change(&calls->calls[place], context);
		if (!place && depth > 1)
			calls = recorder_unit(calls->previous);
	}
}

struct check {
	uint64_t now, inside, events, idle;
};

/* As lines_leave() does, but for that the counts of open calls are put back afterwards. */
static void end_call(struct segment_line_call *call, void *context)
{
	struct check *check = context;
	struct segment_lines *lines = recorder_unit(call->lines);
	struct segment_line *line = call->line ? &lines->lines[call->line - 1] : NULL;
	uint64_t ticks = check->now - call->entered;
	call->inside += call->foreign ? check->now - call->foreign_since : check->inside;
	if (line) {
		line->own += ticks - call->inside;
		if (!--line->open) {
			line->total += ticks;
			line->events += check->events - call->events - (line->hits - call->hits);
			line->idle += check->idle - call->idle;
		}
	}
	check->inside = check->now - call->begun;
	if (!--lines->open) {
		lines->total += check->inside;
		lines->events += check->events - call->begun_events;
	}
}

static void begin_call(struct segment_line_call *call, void *context)
{
	const struct check *check = context;
	struct segment_lines *lines = recorder_unit(call->lines);
	lines->open++;
	call->begun = call->foreign_since = check->now;
	call->begun_events = check->events;
	if (!call->line)
		return;
	struct segment_line *line = &lines->lines[call->line - 1];
	line->open++;
	call->entered = check->now;
	call->events = check->events;
	call->hits = line->hits;
	call->idle = check->idle;
	call->inside = 0;
}

void lines_check(uint64_t now)
{
	struct segment_thread *thread;
	for (uint32_t unit = recorder.head->first_thread; unit; unit = thread->next) {
		thread = recorder_unit(unit);
		struct check check = { now, 0, thread->line_events, lines_idle(recorder_own_side(thread)) };
		for_each_call(thread, end_call, &check);
		for_each_call(thread, begin_call, &check);
	}
}

static void begin_later(struct segment_line_call *call, void *context)
{
	call->begun += *(const uint64_t *)context;
	call->foreign_since += *(const uint64_t *)context;
	call->entered += *(const uint64_t *)context;
}

void lines_take_off(uint64_t begun)
{
	uint64_t spent = ticks_now() - begun;
	if (meter.session == recorder.sessions && meter.thread)
		for_each_call(meter.thread->shared, begin_later, &spent);
}

static void forget_call(struct segment_line_call *call, void *context)
{
	struct segment_lines *lines = recorder_unit(call->lines);
	(void)context;
	lines->open--;
	if (call->line)
		lines->lines[call->line - 1].open--;
}

void lines_leave_all(void)
{
	struct segment_thread *thread;
	for (uint32_t unit = recorder.head->first_thread; unit; unit = thread->next) {
		thread = recorder_unit(unit);
		for_each_call(thread, forget_call, NULL);
		thread->line_depth = thread->last_line_calls = 0; /* the first block is used again */
		recorder_own_side(thread)->lines = (struct lines_state){ 0 };
	}
}
