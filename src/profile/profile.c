/* profile.c: the sink that adds a recording up (see profile.h).
 *
 * The path of a sample is short: a thread's last row is tried first, since most samples find a thread where it was,
 * then the hash table of rows. What refers to something that was never defined is a corrupt recording, and said so. */
#include "profile/profile.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "profile/exceptions.h"
#include "profile/line_tallies.h"
#include "profile/memory.h"
#include "profile/rss.h"
#include "profile/tallies.h"

enum { FIRST_ROW_SLOTS = 1024 };

static struct profile *profile_of(struct sink *sink)
{
	return (struct profile *)sink;
}

static struct error *keep_text(struct profile *profile, struct text text, struct text *ret_text)
{
	uint32_t number;
	if (!profile_strings_add(&profile->strings, text, &number))
		return &error_no_memory;
	*ret_text = profile_strings_get(&profile->strings, number);
	return NULL;
}

static struct error *on_begin(struct sink *sink, const struct recording_info *info)
{
	struct profile *profile = profile_of(sink);
	if (info->mode == RECORDING_MEMORY && !profile->memory)
		TRY(profile_memory_create(&profile->memory));
	profile->info = *info;
	TRY(keep_text(profile, info->command, &profile->info.command));
	TRY(keep_text(profile, info->host, &profile->info.host));
	TRY(keep_text(profile, info->tool, &profile->info.tool));
	TRY(keep_text(profile, info->system, &profile->info.system));
	profile->begun = true;
	return NULL;
}

static struct error *corrupt_id(const char *what, uint32_t id, size_t count)
{
	return error_new(ERROR_CORRUPT, "the recording is damaged: %s %u follows %s %zu", what, id, what, count - 1);
}

static struct error *on_process(struct sink *sink, const struct process_def *def)
{
	struct profile *profile = profile_of(sink);
	if (def->id == 0 || def->id > profile->processes.count)
		return corrupt_id("process", def->id, profile->processes.count);
	if (def->id == profile->processes.count && !vec_push(&profile->processes, (struct profile_process){ 0 }))
		return &error_no_memory;
	struct profile_process *process = &profile->processes.data[def->id];
	process->defined = true;
	process->pid = def->pid;
	process->parent = def->parent < def->id ? def->parent : 0;
	process->python_version = def->python_version;
	process->flags = def->flags;
	process->first_seen = def->time;
	TRY(keep_text(profile, def->command, &process->command));
	TRY(keep_text(profile, def->executable, &process->executable));
	return keep_text(profile, def->search_path, &process->search_path);
}

static struct error *on_thread(struct sink *sink, const struct thread_def *def)
{
	struct profile *profile = profile_of(sink);
	if (def->id == 0 || def->id > profile->threads.count)
		return corrupt_id("thread", def->id, profile->threads.count);
	if (def->process == 0 || def->process >= profile->processes.count)
		return error_new(ERROR_CORRUPT, "the recording is damaged: thread %u is of no process", def->id);
	if (def->id == profile->threads.count &&
		!vec_push(&profile->threads, (struct profile_thread){ .last_row = PROFILE_NONE }))
		return &error_no_memory;
	struct profile_thread *thread = &profile->threads.data[def->id];
	if (thread->defined && thread->process != def->process)
		return error_new(ERROR_CORRUPT, "the recording is damaged: thread %u is of two processes", def->id);
	thread->defined = true;
	thread->process = def->process;
	thread->tid = def->tid;
	thread->flags = def->flags;
	thread->ident = def->ident;
	return keep_text(profile, def->name, &thread->name);
}

static struct error *on_code(struct sink *sink, const struct code_def *def)
{
	struct profile *profile = profile_of(sink);
	struct profile_code code = {
		.first_line = def->first_line,
		.line_table_kind = def->line_table_kind,
		.flags = def->flags,
		.function = PROFILE_NONE,
	};
	if (def->id != profile->codes.count)
		return corrupt_id("code object", def->id, profile->codes.count);
	struct profile_strings *strings = &profile->strings;
	if (!profile_strings_add(strings, def->name, &code.name) ||
		!profile_strings_add(strings, def->qualname, &code.qualname) ||
		!profile_strings_add(strings, def->file, &code.file) ||
		!profile_strings_add(strings, def->line_table, &code.line_table) || !vec_push(&profile->codes, code))
		return &error_no_memory;
	return NULL;
}

static struct error *on_stack(struct sink *sink, const struct stack_def *def)
{
	struct profile *profile = profile_of(sink);
	if (def->id != profile->stacks.count)
		return corrupt_id("stack", def->id, profile->stacks.count);
	if (def->parent >= def->id || def->code == 0 || def->code >= profile->codes.count)
		return error_new(
			ERROR_CORRUPT, "the recording is damaged: stack %u refers to what is not there", def->id);
	if (!vec_push(
		    &profile->stacks, (struct profile_stack){ def->parent, def->code, def->instruction, PROFILE_NONE }))
		return &error_no_memory;
	return NULL;
}

static uint64_t hash_row(const struct profile_row *row)
{
	return hash_u64(((uint64_t)row->stack << 32 | row->thread) ^
			((uint64_t)row->state << 16 | (uint64_t)row->quality << 8 | row->timed) * 0x9e3779b97f4a7c15u ^
			(uint64_t)row->process << 47);
}

static bool same_row(const struct profile_row *a, const struct profile_row *b)
{
	return a->stack == b->stack && a->thread == b->thread && a->state == b->state && a->quality == b->quality &&
	       a->process == b->process && a->timed == b->timed;
}

static uint32_t *row_slot(const struct profile *profile, const struct profile_row *row)
{
	size_t i = hash_row(row) & profile->row_mask;
	while (profile->row_slots[i] && !same_row(&profile->rows.data[profile->row_slots[i] - 1], row))
		i = (i + 1) & profile->row_mask;
	return &profile->row_slots[i];
}

static bool grow_row_slots(struct profile *profile)
{
	size_t count = profile->row_slots ? (profile->row_mask + 1) * 2 : FIRST_ROW_SLOTS;
	uint32_t *slots = calloc(count, sizeof *slots);
	if (!slots)
		return false;
	free(profile->row_slots);
	profile->row_slots = slots;
	profile->row_mask = count - 1;
	for (size_t i = 0; i < profile->rows.count; i++)
		*row_slot(profile, &profile->rows.data[i]) = (uint32_t)i + 1;
	return true;
}

/* The number of the row with this key, made when it is new. */
static struct error *find_row(struct profile *profile, const struct profile_row *key, uint32_t *ret_row)
{
	if (profile->rows.count * 2 >= profile->row_mask && !grow_row_slots(profile))
		return &error_no_memory;
	uint32_t *slot = row_slot(profile, key);
	if (!*slot) {
		if (!vec_push(&profile->rows, *key))
			return &error_no_memory;
		*slot = (uint32_t)profile->rows.count;
	}
	*ret_row = *slot - 1;
	return NULL;
}

void profile_clear_rows(struct profile *profile)
{
	if (profile->row_slots)
		memset(profile->row_slots, 0, (profile->row_mask + 1) * sizeof *profile->row_slots);
	for (size_t i = 0; i < profile->threads.count; i++)
		profile->threads.data[i].last_row = PROFILE_NONE;
	profile->rows.count = 0;
}

static struct error *add_row(struct profile *profile, const struct event *event)
{
	struct profile_thread *thread = &profile->threads.data[event->thread];
	bool timed = event->kind == EVENT_SAMPLE;
	struct profile_row key = {
		.process = event->thread ? thread->process : event->process,
		.thread = event->thread,
		.stack = event->stack,
		.state = timed ? event->state & PROFILE_STATE_MASK : 0,
		.quality = event->quality,
		.timed = timed,
	};
	uint32_t row = thread->last_row;
	if (row == PROFILE_NONE || !same_row(&profile->rows.data[row], &key))
		TRY(find_row(profile, &key, &row));
	thread->last_row = row;
	struct profile_row *sums = &profile->rows.data[row];
	sums->samples += timed;
	sums->wall += event->weight[WEIGHT_WALL];
	sums->bytes += event->weight[WEIGHT_BYTES];
	sums->count += event->weight[WEIGHT_COUNT];
	return NULL;
}

static struct error *add_wait(struct profile *profile, const struct event *event)
{
	uint64_t key = (uint64_t)event->thread << 32 | event->waits_for;
	uint64_t *place = map_get(&profile->wait_index, key);
	if (!place) {
		if (!map_put(&profile->wait_index, key, profile->waits.count) ||
			!vec_push(&profile->waits, (struct profile_wait){ event->thread, event->waits_for, 0, 0 }))
			return &error_no_memory;
		place = map_get(&profile->wait_index, key);
	}
	profile->waits.data[*place].samples++;
	profile->waits.data[*place].wall += event->weight[WEIGHT_WALL];
	return NULL;
}

/* Keys of maps are never 0, and the least value is -2: hence the 3. */
static struct error *add_idle(struct profile *profile, const struct event *event)
{
	int system_call = event->state & STATE_STOPPED	    ? PROFILE_STOPPED
			  : event->state & STATE_IN_SYSCALL ? event->syscall
							    : PROFILE_NO_CALL;
	uint64_t key = (uint64_t)(system_call + 3);
	uint64_t *place = map_get(&profile->idle_index, key);
	if (!place) {
		if (!map_put(&profile->idle_index, key, profile->idle.count) ||
			!vec_push(&profile->idle, (struct profile_idle){ .system_call = system_call }))
			return &error_no_memory;
		place = map_get(&profile->idle_index, key);
	}
	profile->idle.data[*place].samples++;
	profile->idle.data[*place].wall += event->weight[WEIGHT_WALL];
	return NULL;
}

static struct error *on_sample(struct profile *profile, const struct event *event)
{
	if (event->kind == EVENT_SAMPLE) {
		profile->states_seen |= event->state;
		if (!(event->state & STATE_BUSY_MASK))
			TRY(add_idle(profile, event));
		if (event->state & STATE_WAITS_GIL && event->thread && event->waits_for)
			TRY(add_wait(profile, event));
	}
	return add_row(profile, event);
}

static struct profile_counter *counter_of(struct profile *profile, const struct event *event)
{
	struct profile_thread *thread = event->thread ? &profile->threads.data[event->thread] : NULL;
	uint32_t id = thread ? thread->process : event->process;
	struct profile_process *process = id ? &profile->processes.data[id] : NULL;
	switch (event->subject) {
	case SUBJECT_CPU_TIME:
		return thread ? &thread->cpu : NULL;
	case SUBJECT_RUNQUEUE_TIME:
		return thread ? &thread->runqueue : NULL;
	case SUBJECT_GIL_SWITCHES:
		return process ? &process->gil_switches : NULL;
	case SUBJECT_GC_GENERATION0:
	case SUBJECT_GC_GENERATION1:
	case SUBJECT_GC_GENERATION2:
		return process ? &process->gc[event->subject - SUBJECT_GC_GENERATION0] : NULL;
	case SUBJECT_UNSEEN_CHILDREN:
		return process ? &process->unseen_children : NULL;
	default:
		return NULL;
	}
}

/* The last reading before the window is its first value. */
static void read_counter(const struct profile *profile, struct profile_counter *counter, const struct event *event)
{
	uint64_t value = event->weight[WEIGHT_COUNT];
	if (!counter->seen || event->time <= profile->window.from) {
		counter->first = value;
		counter->first_time = event->time;
	}
	counter->last = value;
	counter->last_time = event->time;
	counter->seen = true;
}

static void on_marker(struct profile *profile, const struct event *event)
{
	if (event->subject == SUBJECT_THREAD_END && event->thread)
		profile->threads.data[event->thread].end_time = event->time;
	else if (event->subject == SUBJECT_PROCESS_END && event->process)
		profile->processes.data[event->process].end_time = event->time;
	else if (event->subject == SUBJECT_SEALED && !profile->sealed_at)
		profile->sealed_at = event->time ? event->time : 1;
	else if (event->subject == SUBJECT_TIMELINE_END && !profile->single_calls_until)
		profile->single_calls_until = event->time;
}

static void on_interval(struct profile *profile, const struct event *event)
{
	if (event->subject != SUBJECT_GC)
		return;
	profile->gc_pauses++;
	profile->gc_pause_ns += event->weight[WEIGHT_WALL];
}

static bool in_window(const struct profile_window *window, uint64_t time)
{
	return time >= window->from && (!window->to || time < window->to);
}

static struct error *check_event(const struct profile *profile, const struct event *event)
{
	if (event->kind == 0 || event->kind >= EVENT_KIND_END || event->quality >= QUALITY_END)
		return error_new(ERROR_CORRUPT, "the recording is damaged: there is no event of kind %u and quality %u",
			event->kind, event->quality);
	if (event->process >= profile->processes.count || event->thread >= profile->threads.count ||
		event->stack >= profile->stacks.count || event->waits_for >= profile->threads.count)
		return error_new(ERROR_CORRUPT, "the recording is damaged: an event refers to what is not there");
	return NULL;
}

static struct error *on_tally(struct profile *profile, const struct event *event)
{
	if (profile_is_exception(event))
		return profile_add_exception(profile, event);
	if (profile_is_line(event))
		return profile_add_line(profile, event);
	return profile_is_tally(event) ? profile_add_tally(profile, event) : on_sample(profile, event);
}

static struct error *on_event(struct profile *profile, const struct event *event)
{
	TRY(check_event(profile, event));
	if (event->kind == EVENT_COUNTER) {
		struct profile_counter *counter = counter_of(profile, event);
		if (counter && (!profile->window.to || event->time <= profile->window.to))
			read_counter(profile, counter, event);
	}
	if (!in_window(&profile->window, event->time))
		return NULL;
	if (!profile->last_time || event->time < profile->first_time)
		profile->first_time = event->time;
	if (event->time > profile->last_time)
		profile->last_time = event->time;
	if (profile->info.mode == RECORDING_MEMORY && profile_memory_is_it(event))
		return profile_memory_add(profile, event);
	switch (event->kind) {
	case EVENT_COUNTER:
		return profile_rss_is_it(event) ? profile_rss_add(profile, event) : NULL;
	case EVENT_SAMPLE:
		if (profile->rss)
			TRY(profile_rss_add_sample(profile, event));
		return on_sample(profile, event);
	case EVENT_ALLOC:
		return on_sample(profile, event);
	case EVENT_CALL:
		profile->single_calls++;
		return NULL;
	case EVENT_TALLY:
		return on_tally(profile, event);
	case EVENT_MARKER:
		on_marker(profile, event);
		return NULL;
	case EVENT_INTERVAL:
		on_interval(profile, event);
		return NULL;
	default:
		return NULL;
	}
}

static struct error *on_events(struct sink *sink, const struct event *events, size_t count)
{
	struct profile *profile = profile_of(sink);
	for (size_t i = 0; i < count; i++)
		TRY(on_event(profile, &events[i]));
	return NULL;
}

static struct error *on_end(struct sink *sink, const struct recording_end *end)
{
	struct profile *profile = profile_of(sink);
	profile->end = *end;
	profile->ended = true;
	return NULL;
}

static const struct sink_ops profile_sink_ops = {
	.begin = on_begin,
	.process = on_process,
	.thread = on_thread,
	.code = on_code,
	.stack = on_stack,
	.events = on_events,
	.end = on_end,
};

/* Functions 0 and 1, and nobody's entries. */
static bool add_fixed(struct profile *profile)
{
	static const char *const words[] = {
		[FUNCTION_NO_PYTHON] = "<no Python frame>", [FUNCTION_GC] = "<garbage collection>"
	};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!vec_push(&profile->functions, (struct profile_function){ .name = { words[i], strlen(words[i]) },
							   .file = { "", 0 },
							   .origin = ORIGIN_SYNTHETIC }))
			return false;
	return vec_push(&profile->processes, (struct profile_process){ 0 }) &&
	       vec_push(&profile->threads, (struct profile_thread){ .last_row = PROFILE_NONE }) &&
	       vec_push(&profile->codes, (struct profile_code){ 0 }) &&
	       vec_push(&profile->stacks, (struct profile_stack){ 0 });
}

struct error *profile_create(const struct profile_window *window, struct profile **ret_profile)
{
	_cleanup_profile_ struct profile *profile = calloc(1, sizeof *profile);
	if (!profile)
		return &error_no_memory;
	profile->sink.ops = &profile_sink_ops;
	if (window)
		profile->window = *window;
	if (!profile_strings_init(&profile->strings) || !add_fixed(profile))
		return &error_no_memory;
	*ret_profile = take_ptr(profile);
	return NULL;
}

void profile_destroy(struct profile *profile)
{
	if (!profile)
		return;
	profile_strings_deinit(&profile->strings);
	vec_free(&profile->processes);
	vec_free(&profile->threads);
	vec_free(&profile->codes);
	vec_free(&profile->stacks);
	vec_free(&profile->rows);
	vec_free(&profile->tallies);
	vec_free(&profile->exceptions);
	vec_free(&profile->lines);
	vec_free(&profile->given_functions);
	vec_free(&profile->given_pairs);
	profile_memory_destroy(profile->memory);
	profile_rss_destroy(profile->rss);
	vec_free(&profile->waits);
	vec_free(&profile->idle);
	vec_free(&profile->functions);
	vec_free(&profile->frames);
	free(profile->row_slots);
	map_deinit(&profile->tally_index);
	map_deinit(&profile->line_index);
	map_deinit(&profile->wait_index);
	map_deinit(&profile->idle_index);
	map_deinit(&profile->name_index);
	map_deinit(&profile->function_index);
	map_deinit(&profile->frame_index);
	map_deinit(&profile->site_index);
	free(profile);
}

uint64_t profile_duration(const struct profile *profile)
{
	uint64_t until = profile->ended ? profile->end.duration : profile->last_time;
	if (profile->window.to && profile->window.to < until)
		until = profile->window.to;
	return until > profile->window.from ? until - profile->window.from : 0;
}

uint64_t profile_counter_change(const struct profile_counter *counter)
{
	return counter->last > counter->first ? counter->last - counter->first : 0;
}
