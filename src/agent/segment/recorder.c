#include "agent/segment/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/segment/ticks.h"

struct recorder recorder = { .fd = -1, .session = RECORDER_OFF };

/* ---- the file ---- */

static int grow(uint64_t size)
{
	uint64_t there = atomic_load(&recorder.head->size);
	while (there < size) {
		uint64_t wanted = there + (there < 64 * SEGMENT_CHUNK ? 4 * SEGMENT_CHUNK : there / 8);
		int error = posix_fallocate(recorder.fd, (off_t)there, (off_t)(wanted - there));
		if (error)
			return error;
		if (atomic_compare_exchange_strong(&recorder.head->size, &there, wanted))
			return 0;
	}
	return 0;
}

/* A chunk of so many bytes, as an offset; 0: no room. */
static uint64_t take_chunk(uint64_t size)
{
	if (!recorder_is_on())
		return 0;
	uint64_t start = atomic_fetch_add(&recorder.head->used, size);
	int error = start + size > SEGMENT_SPACE ? ENOSPC : grow(start + size);
	if (!error)
		return start;
	recorder_close(SEGMENT_SEALED, error == ENOSPC ? "there was no room left for what is counted"
						       : "the file of what is counted could not grow");
	return 0;
}

/* Of the session before, only now: whoever was amid an event when it ended is long out of it. */
static void forget_past(void)
{
	if (recorder.past)
		munmap(recorder.past, SEGMENT_SPACE);
	recorder.past = NULL;
	if (recorder.fd >= 0 && !recorder_is_on()) {
		close(recorder.fd);
		recorder.past = recorder.base;
		recorder.fd = -1;
		recorder.base = NULL;
		recorder.head = NULL;
	}
}

int recorder_open(const char *path, uint32_t python_version, bool free_threaded)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	int error = posix_fallocate(fd, 0, SEGMENT_START);
	void *base = error ? MAP_FAILED
			   : mmap(NULL, SEGMENT_SPACE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (base == MAP_FAILED) {
		error = error ? error : errno;
		close(fd);
		return error;
	}
	forget_past();
	recorder.base = base;
	recorder.head = base;
	recorder.fd = fd;
	struct segment_head *head = base;
	head->version = SEGMENT_VERSION;
	head->pid = (uint32_t)getpid();
	head->python_version = python_version;
	head->free_threaded = free_threaded;
	head->used = (sizeof *head + SEGMENT_UNIT - 1) / SEGMENT_UNIT * SEGMENT_UNIT;
	head->size = SEGMENT_START;
	head->tsc = ticks_are_cycles();
	head->start_ticks = ticks_now();
	head->start_ns = ticks_monotonic_ns();
	atomic_thread_fence(memory_order_release);
	head->magic = SEGMENT_MAGIC;
	recorder.session = ++recorder.sessions;
	return 0;
}

/* A thread's own side lies beside what is shared: nobody else looks at it, and it needs no allocator. */
struct both {
	struct segment_thread shared;
	struct recorder_thread own;
};

struct recorder_thread *recorder_own_side(struct segment_thread *thread)
{
	return &((struct both *)thread)->own;
}

void recorder_look_at_threads(uint64_t now)
{
	struct both *both;
	for (uint32_t unit = atomic_load(&recorder.head->first_thread); unit; unit = both->shared.next) {
		both = recorder_unit(unit);
		both->own.node->idle += idle_look_at(&both->own.idle, both->shared.tid, both->shared.last, now);
		both->shared.last = now;
	}
}

void recorder_seal(const char *why, uint64_t since)
{
	if (recorder_is_on())
		recorder.head->sealed_ticks = since;
	recorder_close(SEGMENT_SEALED, why);
}

void recorder_close(enum segment_state state, const char *note)
{
	struct segment_head *head = recorder.head;
	if (!recorder_is_on())
		return;
	for (size_t i = 0; note && note[i] && i + 1 < sizeof head->note; i++)
		head->note[i] = note[i];
	head->end_ticks = ticks_now();
	recorder_look_at_threads(head->end_ticks);
	atomic_store(&head->state, state);
	recorder.session = RECORDER_OFF; /* the mapping stays: other threads may be writing to it still */
}

/* ---- the owner ---- */

static bool is_there(int process)
{
	return kill(process, 0) == 0 || errno != ESRCH;
}

void recorder_watch(int owner)
{
	recorder.owner = owner > 0 && is_there(owner) ? owner : 0;
	recorder.head->owner = (uint32_t)recorder.owner;
}

static void look_at_owner(uint64_t now)
{
	int before = errno;
	recorder.next_look = now + (1u << 30);
	if (!is_there(recorder.owner)) {
		recorder_close(SEGMENT_SEALED, "pyrometer was ended before it; what came then was not measured");
		recorder.left = true;
	}
	errno = before;
}

void recorder_look(struct recorder_thread *thread, uint64_t now)
{
	thread->node->idle += idle_look(&thread->idle, thread->shared->last, now);
	if (recorder.owner && now >= recorder.next_look && recorder_is_on())
		look_at_owner(now);
}

/* ---- after a fork ---- */

void recorder_forget(void)
{
	forget_past();
	if (recorder.head)
		munmap(recorder.head, SEGMENT_SPACE);
	if (recorder.fd >= 0)
		close(recorder.fd);
	recorder = (struct recorder){ .fd = -1, .session = RECORDER_OFF, .sessions = recorder.sessions };
}

/* ---- what is in it ---- */

/* Of the whole process, under whoever is the one to add: codes and threads are few. */
static void *take_shared(size_t size)
{
	size_t units = (size + SEGMENT_UNIT - 1) / SEGMENT_UNIT;
	uint64_t start = take_chunk(units * SEGMENT_UNIT);
	return start ? recorder.base + start : NULL;
}

/* A program may have had ten thousand threads, and most of them did little. */
static uint64_t next_chunk(struct recorder_thread *thread, size_t needed)
{
	uint64_t chunk = thread->chunk_size ? thread->chunk_size : SEGMENT_CHUNK_FIRST;
	while (chunk < needed)
		chunk *= 2;
	thread->chunk_size = chunk < SEGMENT_CHUNK ? chunk * 2 : SEGMENT_CHUNK;
	return chunk;
}

/* From the thread's own chunk. */
void *recorder_take(struct recorder_thread *thread, size_t size)
{
	size = (size + SEGMENT_UNIT - 1) / SEGMENT_UNIT * SEGMENT_UNIT;
	if (thread->chunk_end - thread->chunk < size) {
		uint64_t chunk = next_chunk(thread, size), start = take_chunk(chunk);
		if (!start)
			return NULL;
		thread->chunk = start;
		thread->chunk_end = start + chunk;
	}
	void *place = recorder.base + thread->chunk;
	thread->chunk += size;
	return place;
}

static void prepend(_Atomic uint32_t *first, _Atomic uint32_t *next, uint32_t unit)
{
	uint32_t before = atomic_load(first);
	do
		atomic_store(next, before);
	while (!atomic_compare_exchange_weak(first, &before, unit));
}

static struct recorder_text shorten(struct recorder_text text)
{
	text.size = text.size < SEGMENT_NAME_MAX ? text.size : SEGMENT_NAME_MAX;
	return text;
}

uint32_t recorder_add_code(const struct recorder_code *what)
{
	const struct recorder_text texts[] = { shorten(what->file), shorten(what->name), shorten(what->qualname),
		what->table };
	struct segment_code *code = take_shared(
		sizeof *code + texts[0].size + texts[1].size + texts[2].size + texts[3].size);
	if (!code)
		return 0;
	code->flags = what->flags;
	code->first_line = what->first_line;
	code->address = what->address;
	code->file_size = (uint32_t)texts[0].size;
	code->name_size = (uint32_t)texts[1].size;
	code->qualname_size = (uint32_t)texts[2].size;
	code->table_size = (uint32_t)texts[3].size;
	char *text = code->text;
	for (int i = 0; i < 4; text += texts[i++].size)
		if (texts[i].size)
			memcpy(text, texts[i].data, texts[i].size);
	uint32_t unit = recorder_unit_of(code);
	prepend(&recorder.head->first_code, &code->next, unit);
	return unit;
}

static bool add_frames(struct recorder_thread *thread, uint32_t *ret_unit)
{
	struct segment_frames *frames = recorder_take(
		thread, sizeof *frames + SEGMENT_FRAMES * sizeof *frames->entered);
	if (!frames)
		return false;
	frames->previous = thread->shared->last_frames;
	*ret_unit = recorder_unit_of(frames);
	return true;
}

static void use_frames(struct recorder_thread *thread, uint32_t unit)
{
	struct segment_frames *frames = recorder_unit(unit);
	thread->shared->last_frames = unit;
	thread->begin = frames->entered;
	thread->end = frames->entered + SEGMENT_FRAMES;
}

bool recorder_next_frames(struct recorder_thread *thread)
{
	struct segment_frames *frames = recorder_unit(thread->shared->last_frames);
	if (!frames->next && !add_frames(thread, &frames->next))
		return false;
	use_frames(thread, frames->next);
	thread->top = thread->begin;
	return true;
}

void recorder_previous_frames(struct recorder_thread *thread)
{
	struct segment_frames *frames = recorder_unit(thread->shared->last_frames);
	use_frames(thread, frames->previous);
	thread->top = thread->end;
}

struct recorder_thread *recorder_add_thread(uint32_t tid, uint64_t ident, bool listed)
{
	struct both *both = take_shared(sizeof *both);
	if (!both)
		return NULL;
	struct recorder_thread *thread = &both->own;
	thread->shared = &both->shared;
	thread->node = recorder_take(thread, sizeof *thread->node);
	if (!thread->node || !add_frames(thread, &both->shared.first_frames))
		return NULL;
	use_frames(thread, both->shared.first_frames);
	thread->top = thread->begin;
	both->shared.tid = tid;
	both->shared.ident = ident;
	both->shared.root = both->shared.node = recorder_unit_of(thread->node);
	both->shared.last = ticks_now();
	idle_begin(&thread->idle, both->shared.last);
	if (recorder.head->timeline && !timeline_begin(thread, listed, both->shared.last))
		return NULL;
	if (listed)
		prepend(&recorder.head->first_thread, &both->shared.next, recorder_unit_of(both));
	return thread;
}

void recorder_leave_all(void)
{
	struct both *both;
	for (uint32_t unit = recorder.head->first_thread; unit; unit = both->shared.next) {
		both = recorder_unit(unit);
		both->own.node = recorder_unit(both->shared.root);
		both->shared.node = both->shared.root;
		both->shared.depth = 0;
		use_frames(&both->own, both->shared.first_frames);
		both->own.top = both->own.begin;
	}
}

struct segment_node *recorder_find_child(struct recorder_thread *thread, uint32_t code)
{
	struct segment_node *parent = thread->node, *last = NULL, *node;
	uint32_t unit = parent->children;
	for (; unit; unit = node->sibling, last = node) {
		node = recorder_unit(unit);
		if (node->code == code)
			break;
	}
	if (unit && last) {
		last->sibling = node->sibling;
	} else if (!unit) {
		node = recorder_take(thread, sizeof *node);
		if (!node)
			return NULL;
		node->code = code;
		node->parent = recorder_unit_of(parent);
		unit = recorder_unit_of(node);
	}
	node->sibling = parent->children;
	parent->children = unit;
	return node;
}
