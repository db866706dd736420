#include "inject/memory.h"

#include <string.h>

#include "agent/segment/ticks.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "inject/definitions.h"
#include "inject/followed.h"
#include "inject/heap.h"
#include "os/task.h"

/* A thread's stream, on the way through it; the thread may be another one later. */
struct lane {
	uint32_t thread;    /* id of the recording; 0: not told yet */
	uint32_t block;	    /* unit */
	uint32_t place;	    /* of the next word */
	uint64_t ticks;	    /* of the last event */
	struct map tallies; /* step and allocator -> number */
	uint64_t last_key;
	uint32_t last_tally;
	struct live_block kept; /* what STREAM_REALLOC has freed */
	struct followed followed;
};

struct memory_of_process {
	struct segment_view *view;
	struct heap heap;
	VEC(struct lane) lanes;
	struct map lane_of; /* thread unit -> index */
	struct map stacks;  /* step -> stack id */
	VEC(uint32_t) climb;
	uint64_t flushed; /* event time of the last sums */
	uint32_t phase;	  /* stack id of its name; 0: that before the first one */
	/* The answer to this question is to be told when all that it speaks of is in the recording; 0: none is. */
	uint32_t question;
	uint64_t answer[SEGMENT_ANSWER];
	struct event events[256];
	size_t event_count;
};

/* ---- events ---- */

static struct error *send(struct drain *drain, struct memory_of_process *m)
{
	size_t count = m->event_count;
	m->event_count = 0;
	return count ? drain->sink->ops->events(drain->sink, m->events, count) : NULL;
}

static struct error *add_event(struct drain *drain, struct memory_of_process *m, const struct event *event)
{
	m->events[m->event_count++] = *event;
	return m->event_count == sizeof m->events / sizeof *m->events ? send(drain, m) : NULL;
}

static struct error *add_sum(struct drain *drain, struct memory_of_process *m, const struct heap_tally *t,
	enum event_kind kind, enum subject subject, struct heap_sum sum, uint64_t time)
{
	if (!sum.bytes && !sum.count)
		return NULL;
	const struct event event = { .kind = (uint8_t)kind,
		.subject = (uint8_t)subject,
		.time = time,
		.process = m->view->process,
		.thread = t->thread,
		.stack = t->stack,
		.state = t->allocator,
		.weight = { [WEIGHT_BYTES] = sum.bytes, [WEIGHT_COUNT] = sum.count } };
	return add_event(drain, m, &event);
}

/* What has changed since. */
static struct error *flush(struct drain *drain, struct memory_of_process *m, uint64_t time)
{
	for (size_t i = 0; i < m->heap.dirty.count; i++) {
		struct heap_tally *t = &m->heap.tallies.data[m->heap.dirty.data[i]];
		TRY(add_sum(drain, m, t, EVENT_ALLOC, SUBJECT_NONE, t->got, time));
		TRY(add_sum(drain, m, t, EVENT_ALLOC, SUBJECT_MEMORY_KEPT, t->kept, time));
		TRY(add_sum(drain, m, t, EVENT_FREE, SUBJECT_NONE, t->freed, time));
		t->got = t->freed = t->kept = (struct heap_sum){ 0 };
		t->dirty = false;
	}
	m->heap.dirty.count = 0;
	m->flushed = time;
	return NULL;
}

static struct error *mark(struct drain *drain, struct memory_of_process *m, uint64_t time, enum subject subject)
{
	TRY(flush(drain, m, time));
	const struct event event = {
		.kind = EVENT_MARKER, .subject = (uint8_t)subject, .time = time, .process = m->view->process
	};
	return add_event(drain, m, &event);
}

/* ---- call paths ---- */

static const struct stream_step *step_at(const struct memory_of_process *m, uint32_t step)
{
	uint64_t start = (uint64_t)step * STREAM_STEP_UNIT;
	return step && start + sizeof(struct stream_step) <= m->view->size
		       ? (const struct stream_step *)(m->view->base + start)
		       : NULL;
}

/* Of the package pyrometer: it is no step, and what it gets is nobody's. */
static bool is_ours(const struct memory_of_process *m, uint32_t code)
{
	const struct segment_code *described = segment_view_at(m->view, code, sizeof *described);
	return described && described->flags & (SEGMENT_CODE_OURS | SEGMENT_CODE_THROUGH);
}

/* Up to what is known, and down again. A caller is older than what it called. */
static struct error *find_stack(struct drain *drain, struct memory_of_process *m, uint32_t step, uint32_t *ret_stack)
{
	uint32_t stack = 0;
	const struct stream_step *s;
	m->climb.count = 0;
	/* An event that was written after we looked how long the file is may be here already, and its step behind that.
	 */
	if (!step_at(m, step) || !map_get(&m->stacks, step))
		TRY(segment_view_refresh(m->view));
	while ((s = step_at(m, step))) {
		const uint64_t *known = map_get(&m->stacks, step);
		if (known) {
			stack = (uint32_t)*known;
			break;
		}
		if (!vec_push(&m->climb, step))
			return &error_no_memory;
		step = s->parent < step ? s->parent : 0;
	}
	for (size_t i = m->climb.count; i-- > 0;) {
		s = step_at(m, m->climb.data[i]);
		uint32_t code = 0;
		if (!is_ours(m, s->code))
			TRY(define_code(drain, m->view, s->code, &code));
		if (code)
			TRY(registry_stack(&drain->registry, stack, code, s->instruction, &stack));
		if (!map_put(&m->stacks, m->climb.data[i], stack))
			return &error_no_memory;
	}
	*ret_stack = stack;
	return NULL;
}

static struct error *find_tally(struct drain *drain, struct memory_of_process *m, uint32_t lane_index, uint32_t step,
	unsigned allocator, uint32_t *ret_tally)
{
	struct lane *lane = &m->lanes.data[lane_index];
	uint64_t key = (uint64_t)step << STREAM_ALLOCATOR | allocator | 1ull << 63;
	const uint64_t *known = key == lane->last_key ? NULL : map_get(&lane->tallies, key);
	if (key != lane->last_key) {
		struct heap_tally tally = {
			.thread = lane->thread, .lane = lane_index, .allocator = (uint8_t)allocator
		};
		if (!known) {
			TRY(find_stack(drain, m, step, &tally.stack));
			const struct stream_step *leaf = step_at(m, step);
			tally.ours = leaf && is_ours(m, leaf->code);
			tally.epoch = m->heap.epoch;
			if (!vec_push(&m->heap.tallies, tally) ||
				!map_put(&lane->tallies, key, m->heap.tallies.count - 1))
				return &error_no_memory;
		}
		lane->last_tally = known ? (uint32_t)*known : (uint32_t)m->heap.tallies.count - 1;
		lane->last_key = key;
	}
	*ret_tally = lane->last_tally;
	return NULL;
}

/* ---- words ---- */

static struct error *begin_thread(
	struct drain *drain, struct memory_of_process *m, struct lane *lane, uint64_t tid, uint64_t ident)
{
	char name[16] = "";
	if (tid && tid <= INT32_MAX)
		task_read_name((pid_t)m->view->head.pid, (pid_t)tid, name);
	struct thread_def def = { .id = ++drain->registry.thread_count,
		.process = m->view->process,
		.tid = (uint32_t)tid,
		.flags = tid == m->view->head.pid,
		.ident = ident,
		.name = { name, strlen(name) } };
	lane->thread = def.id;
	lane->last_key = 0;
	map_clear(&lane->tallies);
	followed_begin_thread(&lane->followed, def.id);
	return drain->sink->ops->thread(drain->sink, &def);
}

static struct error *take_mark(struct drain *drain, struct memory_of_process *m, uint32_t value, uint64_t ticks)
{
	uint64_t time = segment_view_time(m->view, ticks);
	if (value == STREAM_MAIN_BEGINS)
		return mark(drain, m, time, SUBJECT_MAIN_BEGINS);
	return value == STREAM_MAIN_ENDS ? mark(drain, m, time, SUBJECT_MAIN_ENDS) : NULL;
}

/* Of what is there for an event alone; 0: nothing that was measured. */
static uint64_t size_of(const struct memory_of_process *m, uint64_t address)
{
	const struct live_block *block = address ? live_find(&m->heap.blocks, address) : NULL;
	return block ? block->size : 0;
}

/* ---- phases ---- */

/* The watch of the phase; those of the program are counted from 1. */
enum { PHASE_WATCH = 0 };

/* That which is on ends. */
static struct error *end_phase(struct drain *drain, struct memory_of_process *m, uint64_t time)
{
	const struct heap_watch *watch = heap_watch_find(&m->heap, PHASE_WATCH);
	const struct heap_sum peak = watch ? watch->peak : m->heap.peak;
	uint64_t began = watch ? watch->began : 0;
	heap_watch_forget(&m->heap, PHASE_WATCH);
	const struct event event = { .kind = EVENT_TALLY,
		.subject = SUBJECT_MEMORY_PHASE,
		.time = time,
		.process = m->view->process,
		.stack = m->phase,
		.weight = { [WEIGHT_WALL] = time > began ? time - began : 0,
			[WEIGHT_BYTES] = peak.bytes,
			[WEIGHT_COUNT] = peak.count } };
	return add_event(drain, m, &event);
}

static struct error *begin_phase(struct drain *drain, struct memory_of_process *m, uint32_t unit, uint64_t ticks)
{
	uint32_t code;
	uint64_t time = segment_view_time(m->view, ticks);
	TRY(segment_view_refresh(m->view)); /* the name may be behind what we knew */
	TRY(define_code(drain, m->view, unit, &code));
	if (!code)
		return NULL;
	TRY(flush(drain, m, time > m->flushed ? time : m->flushed));
	TRY(end_phase(drain, m, time));
	TRY(registry_stack(&drain->registry, 0, code, -1, &m->phase));
	return heap_watch(&m->heap, PHASE_WATCH, time) ? NULL : &error_no_memory;
}

/* ---- questions ---- */

static void answer(struct memory_of_process *m, uint64_t now, const struct heap_watch *watch)
{
	const struct heap_watch all = { .peak = m->heap.peak, .now = m->heap.live, .got = m->heap.got };
	const struct heap_watch *w = watch ? watch : &all;
	const uint64_t words[SEGMENT_ANSWER] = {
		[ANSWER_BEGAN] = w->began,
		[ANSWER_NOW] = w->end ? w->end : now,
		[ANSWER_BEGIN_BYTES] = w->at_begin.bytes,
		[ANSWER_BYTES] = w->now.bytes,
		[ANSWER_BEGIN_COUNT] = w->at_begin.count,
		[ANSWER_COUNT] = w->now.count,
		[ANSWER_PEAK_BYTES] = w->peak.bytes,
		[ANSWER_GOT_BYTES] = w->got.bytes,
	};
	memcpy(m->answer, words, sizeof words);
}

/* A recording without a schedule has times in units of this; what comes behind a question is one later. */
enum { GRAIN = 100 };

/* Sums of this very moment go before it, so that the recording can be asked for it. */
static struct error *take_question(
	struct drain *drain, struct memory_of_process *m, const uint64_t *word, uint64_t ticks)
{
	uint32_t what = (uint32_t)(word[0] >> 32), id = (uint32_t)word[1], question = (uint32_t)word[2];
	uint64_t time = segment_view_time(m->view, ticks);
	time = (time > m->flushed ? time : m->flushed + 1) + GRAIN - 1;
	time -= time % GRAIN;
	if (what == ASK_RESTART && !heap_forget(&m->heap))
		return &error_no_memory;
	TRY(flush(drain, m, time));
	bool ok = true;
	if (what == ASK_WATCH)
		ok = heap_watch(&m->heap, id, time);
	else if (what == ASK_END)
		ok = heap_watch_end(&m->heap, id, time);
	if (!ok)
		return &error_no_memory;
	if (question) {
		m->question = question;
		answer(m, time, id ? heap_watch_find(&m->heap, id) : NULL);
	}
	if (what == ASK_FORGET && id)
		heap_watch_forget(&m->heap, id);
	return NULL;
}

static struct error *take_event(
	struct drain *drain, struct memory_of_process *m, uint32_t lane_index, const uint64_t *word, unsigned allocator)
{
	struct lane *lane = &m->lanes.data[lane_index];
	uint32_t value = (uint32_t)(word[0] >> 32), tally;
	uint64_t before = m->heap.live.bytes;
	bool ok = true;
	switch (word[0] >> STREAM_TICKS & ((1 << STREAM_KIND) - 1)) {
	case STREAM_THREAD:
		return begin_thread(drain, m, lane, word[1], word[2]);
	case STREAM_ALLOC:
		if (!word[1] || allocator == ALLOCATOR_NONE || allocator >= ALLOCATOR_END)
			return NULL;
		TRY(find_tally(drain, m, lane_index, value, allocator, &tally));
		ok = m->heap.tallies.data[tally].ours || heap_got(&m->heap, tally, word[1], word[2], lane->ticks);
		drain->calls++;
		break;
	case STREAM_FREE:
	case STREAM_REALLOC:
		ok = heap_freed(&m->heap, word[1], lane_index, lane->ticks, &lane->kept);
		break;
	case STREAM_KEPT:
		ok = heap_keep(&m->heap, &lane->kept);
		break;
	case STREAM_UNMAP:
		ok = heap_unmapped(&m->heap, word[1], word[2]);
		break;
	case STREAM_MARK:
		return take_mark(drain, m, value, lane->ticks);
	case STREAM_PHASE:
		return begin_phase(drain, m, value, lane->ticks);
	case STREAM_ASK:
		return take_question(drain, m, word, lane->ticks);
	case STREAM_ENTER:
		ok = followed_enter(&lane->followed, value, (word[2] >> 32) * STREAM_RESIDENT_UNIT, (uint32_t)word[2],
			size_of(m, word[1]));
		drain->entries++;
		break;
	case STREAM_LINE:
		ok = followed_line(&lane->followed, value, size_of(m, word[1]));
		break;
	case STREAM_LEAVE:
		followed_leave(&lane->followed, size_of(m, word[1]));
		break;
	}
	lane->followed.net += (int64_t)(m->heap.live.bytes - before);
	return ok ? NULL : &error_no_memory;
}

/* ---- blocks ---- */

/* The head of the lane's next event, and its ticks; 0: there is none yet. Blocks that are done are given back. */
static uint64_t peek(struct memory_of_process *m, struct lane *lane, uint64_t *ret_ticks, const uint64_t **ret_word)
{
	for (uint64_t left = segment_view_units(m->view); left; left--) {
		struct segment_words *block = segment_view_words(m->view, lane->block);
		if (!block)
			return 0;
		bool full = atomic_load_explicit(&block->full, memory_order_acquire);
		uint64_t head = lane->place < SEGMENT_WORDS
					? atomic_load_explicit(&block->words[lane->place], memory_order_acquire)
					: 0;
		unsigned kind = head >> STREAM_TICKS & ((1 << STREAM_KIND) - 1);
		if (head && lane->place + stream_words_behind(kind) < SEGMENT_WORDS) {
			*ret_word = (const uint64_t *)&block->words[lane->place];
			*ret_ticks = lane->ticks + (head & ((1ull << STREAM_TICKS) - 1)) +
				     (kind == STREAM_PAUSE ? head >> 32 << STREAM_TICKS : 0);
			return head;
		}
		if (!full)
			return 0;
		lane->block = segment_view_empty(block);
		lane->place = 0;
	}
	return 0;
}

/* All events of this lane up to `until`, and when its next one is. */
static struct error *take_lane(
	struct drain *drain, struct memory_of_process *m, uint32_t index, uint64_t until, uint64_t *ret_next)
{
	const uint64_t *word;
	uint64_t head, ticks;
	while ((head = peek(m, &m->lanes.data[index], &ticks, &word)) && ticks <= until) {
		struct lane *lane = &m->lanes.data[index];
		unsigned kind = head >> STREAM_TICKS & ((1 << STREAM_KIND) - 1);
		lane->ticks = ticks;
		lane->place += 1 + stream_words_behind(kind);
		drain->taken++;
		if (kind != STREAM_PAUSE)
			TRY(take_event(drain, m, index, word,
				head >> (STREAM_TICKS + STREAM_KIND) & ((1 << STREAM_ALLOCATOR) - 1)));
	}
	*ret_next = head ? ticks : UINT64_MAX;
	return NULL;
}

/* In the order of their ticks, up to `until`: always the lane whose next event is the first, up to where that is
 * another's. */
static struct error *merge(struct drain *drain, struct memory_of_process *m, uint64_t until)
{
	_cleanup_free_ uint64_t *next = calloc(m->lanes.count + 1, sizeof *next);
	const uint64_t *word;
	if (!next)
		return &error_no_memory;
	for (size_t i = 0; i < m->lanes.count; i++)
		if (!peek(m, &m->lanes.data[i], &next[i], &word))
			next[i] = UINT64_MAX;
	for (;;) {
		size_t first = 0;
		uint64_t second = until;
		for (size_t i = 1; i < m->lanes.count; i++)
			if (next[i] < next[first]) {
				second = next[first] < second ? next[first] : second;
				first = i;
			} else if (next[i] < second) {
				second = next[i];
			}
		if (!m->lanes.count || next[first] > until || next[first] == UINT64_MAX)
			return NULL;
		TRY(take_lane(drain, m, (uint32_t)first, second, &next[first]));
	}
}

/* ---- threads ---- */

static struct error *find_lanes(struct memory_of_process *m)
{
	uint64_t left = segment_view_units(m->view);
	for (uint32_t unit = m->view->head.first_thread; unit && left; left--) {
		const struct segment_thread *thread = segment_view_at(m->view, unit, sizeof *thread);
		if (!thread)
			break;
		if (map_get(&m->lane_of, unit))
			break; /* it and all that are older are known */
		struct lane lane = { .block = thread->first_words, .ticks = thread->begun };
		if (!vec_push(&m->lanes, lane) || !vec_push(&m->heap.numbers, 0) ||
			!map_put(&m->lane_of, unit, m->lanes.count - 1))
			return &error_no_memory;
		unit = thread->next;
	}
	return NULL;
}

static struct error *take_all(struct drain *drain, struct memory_of_process *m, uint64_t until)
{
	TRY(find_lanes(m));
	TRY(merge(drain, m, until));
	return NULL;
}

/* ---- processes ---- */

static struct memory_of_process *find(const struct drain *drain, const char *path)
{
	for (size_t i = 0; i < drain->memories.count; i++)
		if (strcmp(drain->memories.data[i]->view->path, path) == 0)
			return drain->memories.data[i];
	return NULL;
}

static void close_memory(struct memory_of_process *m)
{
	for (size_t i = 0; i < m->lanes.count; i++) {
		map_deinit(&m->lanes.data[i].tallies);
		followed_deinit(&m->lanes.data[i].followed);
	}
	vec_free(&m->lanes);
	vec_free(&m->climb);
	map_deinit(&m->lane_of);
	map_deinit(&m->stacks);
	heap_deinit(&m->heap);
	segment_view_close(m->view);
	free(m);
}

static struct error *open_memory(
	struct drain *drain, const char *path, uint64_t began_ns, bool live, struct memory_of_process **ret)
{
	struct memory_of_process *m = calloc(1, sizeof *m);
	if (!m)
		return &error_no_memory;
	struct error *error = segment_view_open(path, live, began_ns, &m->view);
	if (!error && !vec_push(&drain->memories, m))
		error = &error_no_memory;
	if (error) {
		close_memory(m);
		return error;
	}
	*ret = m;
	return NULL;
}

/* Sums are the rarer the longer it lasts. */
static bool is_due(const struct memory_of_process *m, uint64_t time)
{
	enum { EVERY = 10 * NS_PER_MS, PARTS = 1000 };
	uint64_t every = time / PARTS > EVERY ? time / PARTS : EVERY;
	return time - m->flushed >= every;
}

struct error *memory_take(struct drain *drain, const char *path, const struct process_def *def, uint64_t began_ns)
{
	struct memory_of_process *m = find(drain, path);
	if (!m) {
		struct error *error = open_memory(drain, path, began_ns, /* live= */ true, &m);
		if (error && error->kind == ERROR_NOT_READY) {
			error_free(error);
			return NULL;
		}
		TRY(error);
	}
	/* What was written before this moment is seen below; what depends on what is not, is not either. */
	uint64_t now = ticks_are_cycles() && m->view->head.tsc ? ticks_now() : ticks_monotonic_ns();
	atomic_store_explicit(&((struct segment_head *)m->view->base)->taken_ticks, now, memory_order_relaxed);
	TRY(segment_view_refresh(m->view));
	TRY(define_process(drain, m->view, def));
	TRY(take_all(drain, m, now));
	uint64_t time = segment_view_time(m->view, now);
	if (time >= m->flushed + GRAIN && is_due(m, time))
		TRY(flush(drain, m, time));
	return send(drain, m);
}

static struct error *add_whole(struct drain *drain, struct memory_of_process *m, uint64_t end)
{
	const struct heap *heap = &m->heap;
	struct heap_tally whole = { 0 };
	TRY(add_sum(drain, m, &whole, EVENT_TALLY, SUBJECT_MEMORY_PEAK, heap->peak,
		heap->peak_ticks ? segment_view_time(m->view, heap->peak_ticks) : end));
	for (size_t i = 0; i < heap->tallies.count; i++) {
		const struct heap_tally *t = &heap->tallies.data[i];
		TRY(add_sum(drain, m, t, EVENT_TALLY, SUBJECT_MEMORY_PEAK, heap_peak_of(heap, t), end));
		TRY(add_sum(drain, m, t, EVENT_TALLY, SUBJECT_MEMORY_TEMPORARY, t->temporary, end));
	}
	for (unsigned i = 0; i < sizeof heap->sizes / sizeof *heap->sizes; i++) {
		whole.allocator = (uint8_t)(i + 1);
		TRY(add_sum(drain, m, &whole, EVENT_TALLY, SUBJECT_MEMORY_SIZES, heap->sizes[i], end));
	}
	if (m->phase)
		TRY(end_phase(drain, m, end));
	TRY(send(drain, m));
	for (size_t i = 0; i < m->lanes.count; i++)
		TRY(followed_emit(drain, m->view, &m->lanes.data[i].followed));
	return followed_emit_uncalled(drain, m->view);
}

struct error *memory_finish(struct drain *drain, const char *path, const struct process_def *def, uint64_t began_ns,
	struct segment_view **ret_view)
{
	struct memory_of_process *m = find(drain, path);
	if (!m)
		TRY(open_memory(drain, path, began_ns, /* live= */ false, &m));
	else
		TRY(segment_view_refresh(m->view));
	*ret_view = m->view;
	TRY(define_process(drain, m->view, def));
	TRY(take_all(drain, m, UINT64_MAX - 1));
	uint64_t end = segment_view_time(m->view, m->view->end_ticks);
	TRY(flush(drain, m, end));
	return add_whole(drain, m, end);
}

void memories_answer(struct drain *drain)
{
	for (size_t i = 0; i < drain->memories.count; i++) {
		struct memory_of_process *m = drain->memories.data[i];
		struct segment_head *head = (struct segment_head *)m->view->base;
		if (!m->question)
			continue;
		memcpy(head->answer, m->answer, sizeof m->answer);
		atomic_store_explicit(&head->answered, m->question, memory_order_release);
		m->question = 0;
	}
}

bool memories_are_asked(const struct drain *drain)
{
	for (size_t i = 0; i < drain->memories.count; i++)
		if (drain->memories.data[i]->question)
			return true;
	return false;
}

void memories_close(struct drain *drain)
{
	for (size_t i = 0; i < drain->memories.count; i++)
		close_memory(drain->memories.data[i]);
	vec_free(&drain->memories);
}
