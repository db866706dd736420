/* memory.c: see memory.h. */
#include "profile/memory.h"

#include "agent/memory/stream.h"
#include "base/hash.h"

bool memory_counts(unsigned allocator)
{
	return allocator != ALLOCATOR_FILE && allocator != ALLOCATOR_RESERVED;
}

const char *memory_allocator_name(unsigned allocator)
{
	static const char *const names[ALLOCATOR_END] = {
		[ALLOCATOR_NONE] = "unknown",
		[ALLOCATOR_MALLOC] = "malloc",
		[ALLOCATOR_CALLOC] = "calloc",
		[ALLOCATOR_REALLOC] = "realloc",
		[ALLOCATOR_ALIGNED] = "memalign",
		[ALLOCATOR_MMAP] = "mmap",
		[ALLOCATOR_FILE] = "mmap of files",
		[ALLOCATOR_RESERVED] = "mmap of addresses",
		[ALLOCATOR_ARENA] = "arena",
		[ALLOCATOR_RAW] = "PyMem_Raw",
		[ALLOCATOR_MEM] = "PyMem",
		[ALLOCATOR_OBJECT] = "PyObject",
	};
	return names[allocator < ALLOCATOR_END ? allocator : ALLOCATOR_NONE];
}

const char *memory_view_title(enum memory_view view)
{
	static const char *const titles[] = {
		[MEMORY_PEAK] = "Live at the peak",
		[MEMORY_LEAKS] = "Leaked: got since the main program began, live when it ended",
		[MEMORY_TEMPORARY] = "Temporary: freed before the thread's next allocation",
		[MEMORY_TOTAL] = "Got in all",
		[MEMORY_AT] = "Live then",
		[MEMORY_BETWEEN] = "Live at the second moment, and the difference to the first",
		[MEMORY_LAST] = "Live when the recording was cut off",
	};
	return titles[view];
}

void memory_sum_add(struct memory_sum *sum, struct memory_sum more)
{
	sum->bytes = (int64_t)((uint64_t)sum->bytes + (uint64_t)more.bytes);
	sum->count = (int64_t)((uint64_t)sum->count + (uint64_t)more.count);
}

struct error *profile_memory_create(struct profile_memory **ret_memory)
{
	struct profile_memory *m = calloc(1, sizeof *m);
	if (!m)
		return &error_no_memory;
	*ret_memory = m;
	return NULL;
}

void profile_memory_destroy(struct profile_memory *m)
{
	if (!m)
		return;
	vec_free(&m->rows);
	vec_free(&m->phases);
	map_deinit(&m->index);
	free(m);
}

/* ---- events ---- */

bool profile_memory_is_it(const struct event *event)
{
	if (event->kind == EVENT_TALLY)
		return (event->subject >= SUBJECT_MEMORY_PEAK && event->subject <= SUBJECT_MEMORY_SIZES) ||
		       event->subject == SUBJECT_MEMORY_PHASE;
	if (event->kind == EVENT_MARKER)
		return event->subject == SUBJECT_MAIN_BEGINS || event->subject == SUBJECT_MAIN_ENDS;
	return event->kind == EVENT_ALLOC || event->kind == EVENT_FREE;
}

static struct error *find_row(struct profile *profile, const struct event *event, struct memory_row **ret_row)
{
	struct profile_memory *m = profile->memory;
	const struct memory_row made = { .process = event->thread ? profile->threads.data[event->thread].process
								  : event->process,
		.thread = event->thread,
		.stack = event->stack,
		.allocator = event->state < ALLOCATOR_END ? (uint8_t)event->state : ALLOCATOR_NONE };
	uint64_t key = hash_u64((uint64_t)made.stack << 32 | made.thread) ^
		       hash_u64((uint64_t)made.process << 8 | made.allocator | 1ull << 60);
	for (key |= 1;; key += 2) {
		const uint64_t *known = map_get(&m->index, key);
		if (!known)
			break;
		struct memory_row *row = &m->rows.data[*known];
		if (row->stack == made.stack && row->thread == made.thread && row->process == made.process &&
			row->allocator == made.allocator) {
			*ret_row = row;
			return NULL;
		}
	}
	if (!vec_push(&m->rows, made) || !map_put(&m->index, key, m->rows.count - 1))
		return &error_no_memory;
	*ret_row = &m->rows.data[m->rows.count - 1];
	return NULL;
}

static void add(struct memory_sum *sum, const struct event *event, bool minus)
{
	uint64_t bytes = event->weight[WEIGHT_BYTES], count = event->weight[WEIGHT_COUNT];
	memory_sum_add(
		sum, (struct memory_sum){ (int64_t)(minus ? 0 - bytes : bytes), (int64_t)(minus ? 0 - count : count) });
}

/* Whether a moment is not over yet at this event. */
static bool is_before(const struct profile_memory *m, const struct memory_moment *moment, uint64_t time)
{
	switch (moment->kind) {
	case MOMENT_START:
		return !m->main_began;
	case MOMENT_END:
		return !m->main_ended;
	default:
		return time <= moment->time;
	}
}

static void add_change(const struct profile *profile, struct memory_row *row, const struct event *event)
{
	const struct profile_memory *m = profile->memory;
	bool minus = event->kind == EVENT_FREE;
	if (!minus && event->subject != SUBJECT_MEMORY_KEPT)
		add(&row->got, event, false);
	add(&row->live, event, minus);
	if (!m->main_began)
		add(&row->at_start, event, minus);
	if (!m->main_ended)
		add(&row->at_end, event, minus);
	if (is_before(m, &profile->memory_choice.from, event->time))
		add(&row->from, event, minus);
	if (is_before(m, &profile->memory_choice.to, event->time))
		add(&row->to, event, minus);
}

static void add_whole(struct profile_memory *m, const struct event *event)
{
	if (event->subject == SUBJECT_MEMORY_SIZES) {
		if (event->state && event->state <= MEMORY_SIZES)
			add(&m->sizes[event->state - 1], event, false);
	} else if (event->weight[WEIGHT_BYTES] > (uint64_t)m->peak.bytes) {
		m->peak = (struct memory_sum){ (int64_t)event->weight[WEIGHT_BYTES],
			(int64_t)event->weight[WEIGHT_COUNT] };
		m->peak_time = event->time;
	}
}

static struct error *add_phase(struct profile_memory *m, const struct event *event)
{
	struct memory_phase phase = { .process = event->process,
		.stack = event->stack,
		.ended = event->time,
		.duration = event->weight[WEIGHT_WALL] };
	add(&phase.peak, event, false);
	return vec_push(&m->phases, phase) ? NULL : &error_no_memory;
}

struct error *profile_memory_add(struct profile *profile, const struct event *event)
{
	struct profile_memory *m = profile->memory;
	struct memory_row *row;
	m->made = false;
	if (event->kind == EVENT_MARKER) {
		/* Of several processes the first one is meant. */
		uint64_t *when = event->subject == SUBJECT_MAIN_BEGINS ? &m->main_began : &m->main_ended;
		*when = *when ? *when : event->time ? event->time : 1;
		return NULL;
	}
	if (event->subject == SUBJECT_MEMORY_PHASE && event->kind == EVENT_TALLY)
		return add_phase(m, event);
	if (event->kind == EVENT_TALLY && !event->thread) {
		add_whole(m, event);
		return NULL;
	}
	TRY(find_row(profile, event, &row));
	if (event->kind == EVENT_TALLY)
		add(event->subject == SUBJECT_MEMORY_PEAK ? &row->peak : &row->temporary, event, false);
	else
		add_change(profile, row, event);
	return NULL;
}

/* ---- the choice ---- */

static struct memory_sum minus(struct memory_sum a, struct memory_sum b)
{
	return (struct memory_sum){ (int64_t)((uint64_t)a.bytes - (uint64_t)b.bytes),
		(int64_t)((uint64_t)a.count - (uint64_t)b.count) };
}

/* What was there before the main program began is the interpreter's, and no leak: what a call path got since then is
 * what it has more. */
static struct memory_sum leaked(const struct memory_row *row)
{
	struct memory_sum sum = minus(row->at_end, row->at_start);
	return sum.bytes > 0 || sum.count > 0 ? sum : (struct memory_sum){ 0, 0 };
}

struct memory_sum memory_shown(enum memory_view view, const struct memory_row *row)
{
	switch (view) {
	case MEMORY_LEAKS:
		return leaked(row);
	case MEMORY_TEMPORARY:
		return row->temporary;
	case MEMORY_TOTAL:
		return row->got;
	case MEMORY_AT:
	case MEMORY_BETWEEN:
		return row->to;
	case MEMORY_LAST:
		return row->live;
	default:
		return row->peak;
	}
}

struct memory_sum memory_difference(enum memory_view view, const struct memory_row *row)
{
	return view == MEMORY_BETWEEN ? minus(row->to, row->from) : (struct memory_sum){ 0, 0 };
}

static uint64_t positive(int64_t number)
{
	return number > 0 ? (uint64_t)number : 0;
}

/* The peak is known at the end. */
static void settle(struct memory_choice *choice, const struct profile_memory *m)
{
	if (!choice->given && choice->view == MEMORY_PEAK && !m->peak.count)
		choice->view = MEMORY_LAST;
}

struct error *profile_memory_make_rows(struct profile *profile)
{
	struct profile_memory *m = profile->memory;
	settle(&profile->memory_choice, m);
	const enum memory_view view = profile->memory_choice.view;
	if (m->made)
		return NULL;
	profile_clear_rows(profile);
	for (size_t i = 0; i < m->rows.count; i++) {
		const struct memory_row *from = &m->rows.data[i];
		struct memory_sum sum = view == MEMORY_BETWEEN ? memory_difference(view, from)
							       : memory_shown(view, from);
		const struct profile_row row = { .process = from->process,
			.thread = from->thread,
			.stack = from->stack,
			.bytes = positive(sum.bytes),
			.count = positive(sum.count) };
		if (!memory_counts(from->allocator) || (!row.bytes && !row.count))
			continue;
		if (!vec_push(&profile->rows, row))
			return &error_no_memory;
	}
	m->made = true;
	return NULL;
}
