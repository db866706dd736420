#include "recording_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recording/ticks.h"
#include "recording/writer.h"

uint64_t random_next(struct random *random)
{
	return tick_random(random->seed, random->index++);
}

uint64_t random_below(struct random *random, uint64_t end)
{
	return random_next(random) % end;
}

uint64_t random_any(struct random *random, uint64_t max)
{
	uint64_t bits = random_below(random, 65);
	uint64_t value = bits ? random_next(random) >> (64 - bits) : 0;
	return random_below(random, 16) ? (value < max ? value : max) : max;
}

double random_unit(struct random *random)
{
	return (double)(random_next(random) >> 11) * 0x1p-53;
}

double random_gauss(struct random *random)
{
	return sqrt(-2 * log(1 - random_unit(random))) * cos(6.283185307179586 * random_unit(random));
}

/* ---- the sink ---- */

static struct text keep(struct kit *kit, struct text text)
{
	char *copy = malloc(text.size + 1);
	assert_non_null(copy);
	if (text.size)
		memcpy(copy, text.data, text.size);
	copy[text.size] = '\0';
	assert_true(vec_push(&kit->texts, copy));
	return (struct text){ copy, text.size };
}

static struct error *step(struct kit *kit, enum kit_call call, size_t index, size_t count)
{
	assert_true(vec_push(&kit->steps, (struct kit_step){ call, index, count }));
	if (kit->fail_after && kit->steps.count >= kit->fail_after)
		return error_new(ERROR_GONE, "the sink had enough");
	return NULL;
}

static struct error *kit_begin(struct sink *sink, const struct recording_info *info)
{
	struct kit *kit = (struct kit *)sink;
	kit->begins++;
	kit->info = *info;
	kit->info.command = keep(kit, info->command);
	kit->info.host = keep(kit, info->host);
	kit->info.tool = keep(kit, info->tool);
	kit->info.system = keep(kit, info->system);
	return step(kit, CALL_BEGIN, 0, 1);
}

static struct error *kit_process(struct sink *sink, const struct process_def *def)
{
	struct kit *kit = (struct kit *)sink;
	struct process_def copy = *def;
	copy.command = keep(kit, def->command);
	copy.executable = keep(kit, def->executable);
	copy.search_path = keep(kit, def->search_path);
	assert_true(vec_push(&kit->processes, copy));
	return step(kit, CALL_PROCESS, kit->processes.count - 1, 1);
}

static struct error *kit_thread(struct sink *sink, const struct thread_def *def)
{
	struct kit *kit = (struct kit *)sink;
	struct thread_def copy = *def;
	copy.name = keep(kit, def->name);
	assert_true(vec_push(&kit->threads, copy));
	return step(kit, CALL_THREAD, kit->threads.count - 1, 1);
}

static struct error *kit_code(struct sink *sink, const struct code_def *def)
{
	struct kit *kit = (struct kit *)sink;
	struct code_def copy = *def;
	copy.file = keep(kit, def->file);
	copy.name = keep(kit, def->name);
	copy.qualname = keep(kit, def->qualname);
	copy.line_table = keep(kit, def->line_table);
	assert_true(vec_push(&kit->codes, copy));
	return step(kit, CALL_CODE, kit->codes.count - 1, 1);
}

static struct error *kit_stack(struct sink *sink, const struct stack_def *def)
{
	struct kit *kit = (struct kit *)sink;
	assert_true(vec_push(&kit->stacks, *def));
	return step(kit, CALL_STACK, kit->stacks.count - 1, 1);
}

static struct error *kit_events(struct sink *sink, const struct event *events, size_t count)
{
	struct kit *kit = (struct kit *)sink;
	size_t before = kit->events.count;
	assert_true(vec_reserve(&kit->events, before + count));
	if (count)
		memcpy(kit->events.data + before, events, count * sizeof *events);
	kit->events.count += count;
	return step(kit, CALL_EVENTS, before, count);
}

static struct error *kit_end(struct sink *sink, const struct recording_end *end)
{
	struct kit *kit = (struct kit *)sink;
	kit->ends++;
	kit->end = *end;
	return step(kit, CALL_END, 0, 1);
}

void kit_init(struct kit *kit)
{
	static const struct sink_ops ops = { kit_begin, kit_process, kit_thread, kit_code, kit_stack, kit_events,
		kit_end };
	*kit = (struct kit){ .sink = { &ops } };
}

void kit_deinit(struct kit *kit)
{
	for (size_t i = 0; i < kit->texts.count; i++)
		free(kit->texts.data[i]);
	vec_free(&kit->texts);
	vec_free(&kit->processes);
	vec_free(&kit->threads);
	vec_free(&kit->codes);
	vec_free(&kit->stacks);
	vec_free(&kit->events);
	vec_free(&kit->steps);
}

/* ---- making ---- */

static struct text random_text(struct kit *kit, struct random *random, size_t max)
{
	char bytes[512];
	size_t size = random_below(random, (max < sizeof bytes ? max : sizeof bytes) + 1);
	bool any = !random_below(random, 4);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(any ? random_next(random) : 'a' + random_below(random, 26));
	return keep(kit, (struct text){ bytes, size });
}

static void make_info(struct kit *kit, struct random *random, uint64_t tick_period_ns)
{
	struct recording_info info = {
		.start_unix_ns = random_any(random, UINT64_MAX),
		.rate_millihertz = random_any(random, UINT64_MAX),
		.mode = (uint32_t)random_any(random, UINT32_MAX),
		.blocking = (uint32_t)random_below(random, 2),
		.tick_seed = random_next(random),
		.tick_period_ns = tick_period_ns,
		.command = random_text(kit, random, 300),
		.host = random_text(kit, random, 30),
		.tool = random_text(kit, random, 30),
		.system = random_text(kit, random, 30),
	};
	kit_begin(&kit->sink, &info);
}

static void make_process(struct kit *kit, struct random *random)
{
	uint32_t id = (uint32_t)kit->processes.count + 1;
	struct process_def def = {
		.id = id,
		.pid = (uint32_t)random_any(random, UINT32_MAX),
		.parent = (uint32_t)random_below(random, id),
		.python_version = (uint32_t)random_any(random, UINT32_MAX),
		.flags = (uint32_t)random_any(random, UINT32_MAX),
		.time = random_any(random, UINT64_MAX),
		.command = random_text(kit, random, 300),
		.executable = random_text(kit, random, 100),
		.search_path = random_text(kit, random, 500),
	};
	kit_process(&kit->sink, &def);
}

static uint32_t thread_count(const struct kit *kit)
{
	uint32_t count = 0;
	for (size_t i = 0; i < kit->threads.count; i++)
		count = kit->threads.data[i].id > count ? kit->threads.data[i].id : count;
	return count;
}

static void make_thread(struct kit *kit, struct random *random)
{
	uint32_t count = thread_count(kit), process = 1 + (uint32_t)random_below(random, kit->processes.count);
	uint32_t id = count + 1;
	if (count && !random_below(random, 4)) { /* an old one with a new name */
		id = 1 + (uint32_t)random_below(random, count);
		for (size_t i = 0; i < kit->threads.count; i++)
			if (kit->threads.data[i].id == id)
				process = kit->threads.data[i].process;
	}
	struct thread_def def = {
		.id = id,
		.process = process,
		.tid = (uint32_t)random_any(random, UINT32_MAX),
		.flags = (uint32_t)random_any(random, UINT32_MAX),
		.ident = random_any(random, UINT64_MAX),
		.name = random_text(kit, random, 40),
	};
	kit_thread(&kit->sink, &def);
}

static void make_code(struct kit *kit, struct random *random)
{
	struct code_def def = {
		.id = (uint32_t)kit->codes.count + 1,
		.first_line = (uint32_t)random_any(random, UINT32_MAX),
		.line_table_kind = (uint32_t)random_below(random, LINES_KIND_END),
		.flags = (uint32_t)random_any(random, UINT32_MAX),
		.file = random_text(kit, random, 80),
		.name = random_text(kit, random, 40),
		.qualname = random_text(kit, random, 60),
		.line_table = random_text(kit, random, 500),
	};
	kit_code(&kit->sink, &def);
}

static void make_stack(struct kit *kit, struct random *random)
{
	struct stack_def def = {
		.id = (uint32_t)kit->stacks.count + 1,
		.parent = (uint32_t)random_below(random, kit->stacks.count + 1),
		.code = 1 + (uint32_t)random_below(random, kit->codes.count),
		.instruction = (int32_t)random_any(random, INT32_MAX) - (int32_t)random_below(random, 2),
	};
	if (def.instruction < -1)
		def.instruction = -1;
	kit_stack(&kit->sink, &def);
}

static void make_event(struct kit *kit, struct random *random, uint64_t *time)
{
	struct event event = {
		.process = (uint32_t)random_below(random, kit->processes.count + 1),
		.thread = (uint32_t)random_below(random, thread_count(kit) + 1),
		.stack = (uint32_t)random_below(random, kit->stacks.count + 1),
		.logical_parent = random_below(random, 4) ? 0 : (uint32_t)random_below(random, kit->stacks.count + 1),
		.waits_for = random_below(random, 3) ? 0 : (uint32_t)random_below(random, thread_count(kit) + 1),
		.state = (uint16_t)random_any(random, UINT16_MAX),
		.syscall = random_below(random, 2) ? 0 : (uint16_t)random_any(random, UINT16_MAX),
		.kind = (uint8_t)(1 + random_below(random, EVENT_KIND_END - 1)),
		.quality = (uint8_t)random_below(random, QUALITY_END),
		.subject = (uint8_t)random_below(random, SUBJECT_END),
	};
	switch (random_below(random, 8)) {
	case 0: /* the time of the event before */
		break;
	case 1:
		*time = random_any(random, 1ull << 62);
		break;
	default:
		*time += random_any(random, 10000000);
	}
	event.time = *time;
	for (unsigned i = 0; i < WEIGHT_END; i++)
		event.weight[i] = random_below(random, 2) ? 0 : random_any(random, UINT64_MAX);
	kit_add_event(kit, event);
}

void kit_add_event(struct kit *kit, struct event event)
{
	kit_events(&kit->sink, &event, 1);
}

void kit_add_end(struct kit *kit)
{
	struct recording_end end = { .duration = 1 };
	kit_end(&kit->sink, &end);
}

static void make_end(struct kit *kit, struct random *random)
{
	struct recording_end end = {
		.duration = random_any(random, UINT64_MAX),
		.ticks_due = random_any(random, UINT64_MAX),
		.ticks_late = random_any(random, UINT64_MAX),
		.ticks_missed = random_any(random, UINT64_MAX),
		.samples = { random_next(random), random_any(random, UINT64_MAX), random_any(random, UINT64_MAX) },
		.read_errors = random_any(random, UINT64_MAX),
		.own_cpu_ns = random_any(random, UINT64_MAX),
		.stopped_ns = random_any(random, UINT64_MAX),
		.bare_wake_ns = random_any(random, UINT64_MAX),
		.target_status = (uint32_t)random_any(random, UINT32_MAX),
		.target_ended = (uint32_t)random_below(random, 2),
		.unseen_children = (uint32_t)random_any(random, UINT32_MAX),
		.children_found = (uint32_t)random_below(random, 3),
		.children_unknown = (uint32_t)random_below(random, 2),
	};
	kit_end(&kit->sink, &end);
}

void kit_make_random(struct kit *kit, uint64_t seed, size_t size, uint64_t tick_period_ns)
{
	struct random random = { seed, 0 };
	uint64_t time = random_any(&random, 1u << 30);
	make_info(kit, &random, tick_period_ns);
	make_process(kit, &random);
	make_thread(kit, &random);
	make_code(kit, &random);
	make_stack(kit, &random);
	for (size_t i = 0; i < size; i++) {
		switch (random_below(&random, 16)) {
		case 0:
			make_process(kit, &random);
			break;
		case 1:
			make_thread(kit, &random);
			break;
		case 2:
			make_code(kit, &random);
			break;
		case 3:
		case 4:
			make_stack(kit, &random);
			break;
		default:
			make_event(kit, &random, &time);
		}
	}
	make_end(kit, &random);
}

void kit_make_frame(struct kit *kit, uint32_t threads, uint32_t stacks, uint64_t tick_period_ns)
{
	struct text name = { "name", 4 };
	struct recording_info info = { .mode = RECORDING_SAMPLES,
		.tick_seed = 42,
		.tick_period_ns = tick_period_ns,
		.command = name,
		.host = name,
		.tool = name,
		.system = name };
	kit_begin(&kit->sink, &info);
	struct process_def process = { .id = 1, .pid = 4242, .command = name, .executable = name, .search_path = name };
	kit_process(&kit->sink, &process);
	for (uint32_t i = 1; i <= threads; i++) {
		struct thread_def thread = { .id = i, .process = 1, .tid = 4241 + i, .name = name };
		kit_thread(&kit->sink, &thread);
	}
	struct code_def code = { .id = 1,
		.first_line = 1,
		.file = name,
		.name = name,
		.qualname = name,
		.line_table = name,
		.line_table_kind = LINES_KIND_311 };
	kit_code(&kit->sink, &code);
	for (uint32_t i = 1; i <= stacks; i++) {
		struct stack_def stack = { .id = i, .parent = i > 1, .code = 1, .instruction = (int32_t)(2 * i) };
		kit_stack(&kit->sink, &stack);
	}
}

/* ---- playing and comparing ---- */

struct error *kit_play(const struct kit *kit, size_t begin, size_t end, struct sink *sink)
{
	const struct sink_ops *ops = sink->ops;
	for (size_t i = begin; i < end; i++) {
		const struct kit_step *s = &kit->steps.data[i];
		switch (s->call) {
		case CALL_BEGIN:
			TRY(ops->begin(sink, &kit->info));
			break;
		case CALL_PROCESS:
			TRY(ops->process(sink, &kit->processes.data[s->index]));
			break;
		case CALL_THREAD:
			TRY(ops->thread(sink, &kit->threads.data[s->index]));
			break;
		case CALL_CODE:
			TRY(ops->code(sink, &kit->codes.data[s->index]));
			break;
		case CALL_STACK:
			TRY(ops->stack(sink, &kit->stacks.data[s->index]));
			break;
		case CALL_EVENTS:
			TRY(ops->events(sink, kit->events.data + s->index, s->count));
			break;
		case CALL_END:
			TRY(ops->end(sink, &kit->end));
		}
	}
	return NULL;
}

void kit_write(const struct kit *kit, const char *path, size_t flush_every)
{
	struct sink *sink;
	kit_ok(recording_writer_create(path, &sink));
	size_t count = kit->steps.count, some = flush_every ? flush_every : count;
	for (size_t i = 0; i < count; i += some) {
		kit_ok(kit_play(kit, i, i + some < count ? i + some : count, sink));
		if (flush_every) {
			kit_ok(recording_writer_flush(sink, 0));
			kit_ok(recording_writer_flush(sink, UINT64_MAX));
		}
	}
	kit_ok(recording_writer_finish(sink));
}

static void check_text(struct text got, struct text wanted)
{
	assert_int_equal(got.size, wanted.size);
	if (got.size)
		assert_memory_equal(got.data, wanted.data, got.size);
}

static void check_info(const struct recording_info *got, const struct recording_info *wanted)
{
	assert_int_equal(got->start_unix_ns, wanted->start_unix_ns);
	assert_int_equal(got->rate_millihertz, wanted->rate_millihertz);
	assert_int_equal(got->mode, wanted->mode);
	assert_int_equal(got->blocking, wanted->blocking);
	assert_int_equal(got->tick_seed, wanted->tick_seed);
	assert_int_equal(got->tick_period_ns, wanted->tick_period_ns);
	check_text(got->command, wanted->command);
	check_text(got->host, wanted->host);
	check_text(got->tool, wanted->tool);
	check_text(got->system, wanted->system);
}

static void check_process(const struct process_def *got, const struct process_def *wanted)
{
	assert_int_equal(got->id, wanted->id);
	assert_int_equal(got->pid, wanted->pid);
	assert_int_equal(got->parent, wanted->parent);
	assert_int_equal(got->python_version, wanted->python_version);
	assert_int_equal(got->flags, wanted->flags);
	assert_int_equal(got->time, wanted->time);
	check_text(got->command, wanted->command);
	check_text(got->executable, wanted->executable);
	check_text(got->search_path, wanted->search_path);
}

static void check_thread(const struct thread_def *got, const struct thread_def *wanted)
{
	assert_int_equal(got->id, wanted->id);
	assert_int_equal(got->process, wanted->process);
	assert_int_equal(got->tid, wanted->tid);
	assert_int_equal(got->flags, wanted->flags);
	assert_int_equal(got->ident, wanted->ident);
	check_text(got->name, wanted->name);
}

static void check_code(const struct code_def *got, const struct code_def *wanted)
{
	assert_int_equal(got->id, wanted->id);
	assert_int_equal(got->first_line, wanted->first_line);
	assert_int_equal(got->line_table_kind, wanted->line_table_kind);
	assert_int_equal(got->flags, wanted->flags);
	check_text(got->file, wanted->file);
	check_text(got->name, wanted->name);
	check_text(got->qualname, wanted->qualname);
	check_text(got->line_table, wanted->line_table);
}

void kit_check_definitions(const struct kit *got, const struct kit *wanted)
{
	assert_int_equal(got->begins, wanted->begins);
	assert_int_equal(got->ends, wanted->ends);
	check_info(&got->info, &wanted->info);
	/* The padding after the last field is nothing that was written. */
	assert_memory_equal(&got->end, &wanted->end,
		offsetof(struct recording_end, children_unknown) + sizeof got->end.children_unknown);
	assert_int_equal(got->processes.count, wanted->processes.count);
	for (size_t i = 0; i < got->processes.count; i++)
		check_process(&got->processes.data[i], &wanted->processes.data[i]);
	assert_int_equal(got->threads.count, wanted->threads.count);
	for (size_t i = 0; i < got->threads.count; i++)
		check_thread(&got->threads.data[i], &wanted->threads.data[i]);
	assert_int_equal(got->codes.count, wanted->codes.count);
	for (size_t i = 0; i < got->codes.count; i++)
		check_code(&got->codes.data[i], &wanted->codes.data[i]);
	assert_int_equal(got->stacks.count, wanted->stacks.count);
	for (size_t i = 0; i < got->stacks.count; i++)
		assert_memory_equal(&got->stacks.data[i], &wanted->stacks.data[i], sizeof got->stacks.data[i]);
}

static void check_near(uint64_t got, uint64_t wanted, uint64_t error)
{
	uint64_t difference = got > wanted ? got - wanted : wanted - got;
	if (difference > error)
		fail_msg("%llu instead of %llu", (unsigned long long)got, (unsigned long long)wanted);
}

void kit_check_events(const struct kit *got, const struct kit *wanted, size_t events, uint64_t time_error)
{
	assert_int_equal(got->events.count, events);
	assert_true(events <= wanted->events.count);
	for (size_t i = 0; i < events; i++) {
		const struct event *g = &got->events.data[i], *w = &wanted->events.data[i];
		check_near(g->time, w->time, time_error);
		for (unsigned k = 0; k < WEIGHT_END; k++)
			check_near(g->weight[k], w->weight[k],
				k == WEIGHT_WALL && w->kind == EVENT_SAMPLE ? 2 * time_error : 0);
		assert_int_equal(g->process, w->process);
		assert_int_equal(g->thread, w->thread);
		assert_int_equal(g->stack, w->stack);
		assert_int_equal(g->logical_parent, w->logical_parent);
		assert_int_equal(g->waits_for, w->waits_for);
		assert_int_equal(g->state, w->state);
		assert_int_equal(g->syscall, w->syscall);
		assert_int_equal(g->kind, w->kind);
		assert_int_equal(g->quality, w->quality);
		assert_int_equal(g->subject, w->subject);
	}
}

/* ---- folders, files, errors ---- */

struct kit_bytes kit_read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	struct kit_bytes bytes = { .size = (size_t)ftell(file) };
	rewind(file);
	bytes.data = malloc(bytes.size + 1);
	assert_non_null(bytes.data);
	assert_int_equal(fread(bytes.data, 1, bytes.size, file), bytes.size);
	fclose(file);
	return bytes;
}

void kit_write_file(const char *path, const void *data, size_t size)
{
	unlink(path); /* some file systems wait for the disk when a file is written anew */
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

void kit_folder_make(struct kit_folder *folder)
{
	const char *parent = getenv("TMPDIR");
	if (!parent || strlen(parent) > 30)
		parent = "/tmp";
	snprintf(folder->path, sizeof folder->path, "%s/pyrometer-test-XXXXXX", parent);
	assert_non_null(mkdtemp(folder->path));
	snprintf(folder->file, sizeof folder->file, "%s/test.pyro", folder->path);
	snprintf(folder->part, sizeof folder->part, "%s.part", folder->file);
}

void kit_folder_remove(struct kit_folder *folder)
{
	unlink(folder->file);
	unlink(folder->part);
	rmdir(folder->path);
}

void kit_expect_ok(struct error *error, const char *file, int line)
{
	if (error)
		fail_msg("%s:%d: %s", file, line, error_message(error));
}

void kit_expect_error(struct error *error, enum error_kind kind, const char *words, const char *file, int line)
{
	if (!error)
		fail_msg("%s:%d: no error where one with '%s' was expected", file, line, words);
	if (error->kind != kind || !strstr(error_message(error), words))
		fail_msg("%s:%d: error %d '%s' instead of %d with '%s'", file, line, error->kind, error_message(error),
			kind, words);
	error_free(error);
}
