#include "inject/drain.h"

#include <string.h>

#include "agent/segment/idle.h"
#include "base/cleanup.h"
#include "inject/definitions.h"
#include "inject/lines.h"
#include "inject/memory.h"
#include "inject/tally.h"
#include "inject/timeline.h"

/* ---- words ---- */

static void add_word(struct buffer *words, const char *text, size_t size)
{
	if (!size)
		return;
	buffer_add(words, text, size);
	buffer_add_char(words, '\0');
}

/* The parts of a path, the last one also without what follows its first dot; a name is one part. */
static void add_words(struct buffer *words, const char *text, size_t size, char separator)
{
	const char *end = text + size;
	for (const char *next; text < end; text = next + 1) {
		next = memchr(text, separator, (size_t)(end - text));
		next = next ? next : end;
		const char *dot = separator == '/' ? memchr(text, '.', (size_t)(next - text)) : NULL;
		add_word(words, text, (size_t)(next - text));
		if (dot && next == end)
			add_word(words, text, (size_t)(dot - text));
	}
}

/* What could have been meant by a pattern that matched nothing. */
static struct error *take_words(struct drain *drain, const struct segment_view *view)
{
	uint64_t left = drain->wants_words ? segment_view_units(view) : 0;
	for (uint32_t unit = view->head.first_code; unit && left; left--) {
		const struct segment_code *code = segment_view_at(view, unit, sizeof *code);
		if (!code || code->file_size > SEGMENT_NAME_MAX || code->name_size > SEGMENT_NAME_MAX ||
			!segment_view_at(view, unit, sizeof *code + code->file_size + code->name_size))
			break;
		if (!(code->flags &
			    (SEGMENT_CODE_BUILTIN | SEGMENT_CODE_OURS | SEGMENT_CODE_THROUGH | SEGMENT_CODE_TYPE))) {
			add_words(&drain->words, code->text + code->file_size, code->name_size, '.');
			add_words(&drain->words, code->text, code->file_size, '/');
		}
		unit = code->next;
	}
	return drain->words.failed ? &error_no_memory : NULL;
}

/* ---- trees ---- */

/* A call path on the way: its id, and the ticks that it, or what it called, was idle. */
struct step {
	uint32_t unit, stack;
	uint64_t idle;
	bool counts; /* else it is nobody's, and what it called is its caller's */
};

/* One thread's tree, on the way through it. */
struct walk {
	struct drain *drain;
	struct segment_view *view;
	uint32_t thread;
	VEC(struct step) path; /* from the root to here */
	struct map open;       /* unit -> ticks of its call that never returned */
	uint32_t last;	       /* the innermost such call */
	uint64_t waits;	       /* since when nothing was heard of it, in ticks */
	uint64_t left;
};

static struct error *emit(
	struct walk *walk, uint32_t stack, enum subject subject, uint64_t wall, uint64_t cpu, uint64_t count)
{
	const uint64_t weight[WEIGHT_END] = { [WEIGHT_WALL] = wall, [WEIGHT_CPU] = cpu, [WEIGHT_COUNT] = count };
	return tally_emit(walk->drain, walk->view, walk->thread, stack, subject, weight);
}

/* What was not resumed stands still until the end; a path that resumes what another one suspended has less than none.
 */
static uint64_t suspended_ticks(const struct segment_view *view, const struct segment_node *node)
{
	int32_t standing = (int32_t)(node->suspensions - (uint32_t)node->resumed);
	return node->suspended + (uint64_t)(int64_t)standing * view->end_ticks;
}

/* enum segment_code_flag; 0 when there is no code at that place. */
static uint32_t flags_of(const struct walk *walk, const struct segment_node *node)
{
	const struct segment_code *code = segment_view_at(walk->view, node->code, sizeof *code);
	return code ? code->flags : 0;
}

static bool counts(const struct walk *walk, const struct segment_node *node)
{
	return node->code && !(flags_of(walk, node) & (SEGMENT_CODE_OURS | SEGMENT_CODE_THROUGH));
}

/* Into a call path: its definition goes before those of what it calls. */
static struct error *enter_node(struct walk *walk, uint32_t unit, const struct segment_node *node)
{
	uint32_t parent = walk->path.count ? walk->path.data[walk->path.count - 1].stack : 0, stack, code;
	uint64_t idle = node->idle + (unit == walk->last ? walk->waits : 0);
	if (!counts(walk, node))
		return vec_push(&walk->path, (struct step){ unit, parent, idle, false }) ? NULL : &error_no_memory;
	TRY(define_code(walk->drain, walk->view, node->code, &code));
	if (!code)
		return error_new(ERROR_CORRUPT, "a call path has no code");
	struct registry *registry = &walk->drain->registry;
	TRY(registry_stack(registry, parent, code, -1, &stack));
	return vec_push(&walk->path, (struct step){ unit, stack, idle, true }) ? NULL : &error_no_memory;
}

/* Out of the innermost one, whose sums are known now. */
static struct error *leave_node(struct walk *walk)
{
	const struct step step = walk->path.data[--walk->path.count];
	const struct segment_node *node = segment_view_at(walk->view, step.unit, sizeof *node);
	const struct segment_view *view = walk->view;
	const uint64_t *open = map_get(&walk->open, step.unit);
	uint64_t wall = node->total + (open ? *open : 0), idle = step.idle < wall ? step.idle : wall;
	if (walk->path.count)
		walk->path.data[walk->path.count - 1].idle += idle;
	if (!step.counts)
		return NULL;
	walk->drain->calls += node->calls;
	TRY(emit(walk, step.stack, SUBJECT_CALLS, segment_view_ns(view, wall), segment_view_ns(view, wall - idle),
		node->calls));
	if (node->resumed)
		TRY(emit(walk, step.stack, SUBJECT_RESUMED, 0, 0, node->resumed));
	if (node->suspended)
		TRY(emit(
			walk, step.stack, SUBJECT_SUSPENDED, segment_view_ns(view, suspended_ticks(view, node)), 0, 0));
	return node->unwound ? emit(walk, step.stack, SUBJECT_UNWOUND, 0, 0, node->unwound) : NULL;
}

/* To the next call path in the order of the tree, callers first. What does not fit together is left out. */
static struct error *go_on(struct walk *walk, uint32_t *unit, bool *ret_more)
{
	const struct segment_node *node = *unit && walk->left ? segment_view_at(walk->view, *unit, sizeof *node) : NULL;
	struct error *error = node ? enter_node(walk, *unit, node) : NULL;
	*ret_more = node && !error;
	if (error && error->kind == ERROR_CORRUPT) {
		error_free(error);
		return NULL;
	}
	if (!node || error)
		return error;
	walk->left--;
	*unit = flags_of(walk, node) & SEGMENT_CODE_OURS ? 0 : node->children;
	while (!*unit && walk->path.count) {
		TRY(leave_node(walk));
		*unit = node->sibling;
		node = walk->path.count
			       ? segment_view_at(walk->view, walk->path.data[walk->path.count - 1].unit, sizeof *node)
			       : node;
	}
	return NULL;
}

static struct error *walk_tree(struct walk *walk, uint32_t root)
{
	const struct segment_node *node = segment_view_at(walk->view, root, sizeof *node);
	uint32_t unit = node ? node->children : 0;
	for (bool more = true; more;)
		TRY(go_on(walk, &unit, &more));
	while (walk->path.count)
		TRY(leave_node(walk));
	return NULL;
}

static const struct segment_frames *frames_at(const struct walk *walk, uint32_t unit)
{
	return segment_view_at(walk->view, unit, sizeof(struct segment_frames) + SEGMENT_FRAMES * sizeof(uint64_t));
}

/* The block that holds the innermost call: one behind it may be there, empty again. */
static uint32_t find_last_frames(const struct walk *walk, const struct segment_thread *thread)
{
	uint32_t unit = thread->first_frames;
	for (uint32_t left = thread->depth ? (thread->depth - 1) / SEGMENT_FRAMES : 0; left; left--) {
		const struct segment_frames *frames = frames_at(walk, unit);
		unit = frames ? frames->next : 0;
	}
	return unit;
}

/* Calls that never returned: they lasted until the end. More of them than have room in the file there are none. */
static struct error *find_open(struct walk *walk, const struct segment_thread *thread)
{
	if (thread->depth > walk->view->size / sizeof(uint64_t))
		return NULL;
	uint32_t unit = thread->node, frames_unit = find_last_frames(walk, thread), depth = thread->depth;
	const struct segment_frames *frames = NULL;
	for (; depth && unit != thread->root; depth--) {
		uint32_t place = (depth - 1) % SEGMENT_FRAMES;
		if (!frames || place == SEGMENT_FRAMES - 1) {
			if (!(frames = frames_at(walk, frames_unit)))
				return NULL;
			frames_unit = frames->previous;
		}
		const struct segment_node *node = segment_view_at(walk->view, unit, sizeof *node);
		const uint64_t *open = map_get(&walk->open, unit);
		if (!node)
			return NULL;
		uint64_t since = walk->view->end_ticks - frames->entered[place];
		if ((int64_t)since > 0 && !map_put(&walk->open, unit, (open ? *open : 0) + since))
			return &error_no_memory;
		unit = node->parent;
	}
	return NULL;
}

/* ---- exceptions ---- */

/* The stack one step further: a code, at a line of it or, -1, as such. 0 when there is no code at that place. */
static struct error *add_step(struct walk *walk, uint32_t parent, uint32_t code_unit, int32_t line, uint32_t *ret_stack)
{
	struct registry *registry = &walk->drain->registry;
	uint32_t code;
	*ret_stack = 0;
	TRY(define_code(walk->drain, walk->view, code_unit, &code));
	if (!code)
		return NULL;
	return registry_stack(registry, parent, code, line, ret_stack);
}

/* A list of places; what does not fit together is left out. `parent`: where they had been raised; 0: they were raised
 * here. Of a handler that let all go on again nothing is left to say. */
static struct error *take_places(struct walk *walk, uint32_t unit, uint32_t parent)
{
	for (const struct segment_place *place; unit && walk->left; unit = place->next, walk->left--) {
		if (!(place = segment_view_at(walk->view, unit, sizeof *place)))
			break;
		int32_t line = place->line > INT32_MAX ? -1 : (int32_t)place->line;
		uint32_t above = parent, stack = 0;
		if (!parent)
			TRY(add_step(walk, 0, place->type, -1, &above));
		if (above && place->count)
			TRY(add_step(walk, above, place->code, line, &stack));
		if (!stack)
			continue;
		TRY(emit(walk, stack, parent ? SUBJECT_HANDLED : SUBJECT_RAISED, 0, 0, place->count));
		if (!parent)
			TRY(take_places(walk, place->handled, stack));
	}
	return NULL;
}

/* ---- threads ---- */

static struct error *take_thread(struct walk *walk, uint32_t unit, const struct segment_thread *thread)
{
	TRY(define_thread(walk->drain, walk->view, unit, &walk->thread));
	TRY(find_open(walk, thread));
	/* An end that nobody saw: in what it had gone into, it is taken to have waited. */
	uint64_t unseen = walk->view->end_ticks - thread->last;
	walk->last = thread->node;
	walk->waits = thread->depth && (int64_t)unseen > IDLE_LOOK ? unseen : 0;
	TRY(walk_tree(walk, thread->root));
	walk->left = segment_view_units(walk->view);
	return take_places(walk, thread->first_raised, 0);
}

static struct error *take_threads(struct drain *drain, struct segment_view *view)
{
	uint64_t left = segment_view_units(view);
	for (uint32_t unit = view->head.first_thread; unit && left; left--) {
		const struct segment_thread *thread = segment_view_at(view, unit, sizeof *thread);
		if (!thread)
			return NULL;
		struct walk walk = { .drain = drain, .view = view, .left = segment_view_units(view) };
		struct error *error = take_thread(&walk, unit, thread);
		vec_free(&walk.path);
		map_deinit(&walk.open);
		TRY(error);
		unit = thread->next;
	}
	return NULL;
}

/* What is said of the process as a whole. */
static struct error *take_head(struct drain *drain, struct segment_view *view)
{
	struct walk walk = { .drain = drain, .view = view };
	const struct segment_head *head = &view->head;
	TRY(emit(&walk, 0, SUBJECT_CALL_COST, segment_view_picoseconds(view, head->inner),
		segment_view_picoseconds(view, head->outer), 0));
	TRY(emit(&walk, 0, SUBJECT_BUILTIN_COST, segment_view_picoseconds(view, head->builtin_inner),
		segment_view_picoseconds(view, head->builtin_outer), 0));
	return head->exceptions ? emit(&walk, 0, SUBJECT_RAISED, 0, 0, 0) : NULL;
}

/* ---- the whole ---- */

void drain_init(struct drain *drain, struct sink *sink)
{
	*drain = (struct drain){ .sink = sink };
	registry_init(&drain->registry, sink);
}

void drain_deinit(struct drain *drain)
{
	timelines_close(drain);
	memories_close(drain);
	registry_deinit(&drain->registry);
	buffer_deinit(&drain->words);
}

static struct error *take_seal(struct drain *drain, const struct segment_view *view)
{
	const struct event event = { .kind = EVENT_MARKER,
		.subject = SUBJECT_SEALED,
		.time = segment_view_time(view, view->head.sealed_ticks ? view->head.sealed_ticks : view->end_ticks),
		.process = view->process };
	memcpy(drain->sealed, view->head.note, sizeof drain->sealed - 1);
	return drain->sink->ops->events(drain->sink, &event, 1);
}

static struct error *take_all(struct drain *drain, struct segment_view *view, const struct process_def *def)
{
	TRY(define_process(drain, view, def));
	if (view->head.state == SEGMENT_SEALED)
		TRY(take_seal(drain, view));
	drain->matched |= view->head.matched;
	TRY(take_words(drain, view));
	if (view->head.mode == SEGMENT_MEMORY)
		return NULL; /* taken before */
	if (view->head.mode == SEGMENT_LINES)
		return lines_take(drain, view);
	TRY(take_head(drain, view));
	return take_threads(drain, view);
}

struct error *drain_read_head(const char *path, struct drain_head *ret_head)
{
	_cleanup_segment_view_ struct segment_view *view = NULL;
	TRY(segment_view_open(path, /* live= */ false, 0, &view));
	static const uint32_t modes[] = { [SEGMENT_CALLS] = RECORDING_CALLS,
		[SEGMENT_LINES] = RECORDING_LINES,
		[SEGMENT_MEMORY] = RECORDING_MEMORY };
	uint32_t mode = view->head.mode <= SEGMENT_MEMORY ? view->head.mode : SEGMENT_CALLS;
	*ret_head = (struct drain_head){ view->head.pid, view->head.owner, modes[mode], view->head.start_ns };
	return NULL;
}

struct error *drain_segment(struct drain *drain, const char *path, const struct process_def *def, uint64_t began_ns)
{
	_cleanup_segment_view_ struct segment_view *whole = NULL;
	struct segment_view *view = timeline_view(drain, path);
	struct drain_head head;
	TRY(drain_read_head(path, &head));
	if (head.mode == RECORDING_MEMORY) {
		TRY(memory_finish(drain, path, def, began_ns, &view));
	} else if (view) {
		TRY(timeline_finish(drain, path));
	} else {
		TRY(segment_view_open(path, /* live= */ false, began_ns, &whole));
		view = whole;
	}
	return take_all(drain, view, def);
}
