#include "agent/calls/region.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/lines/lines.h"
#include "agent/meter.h"

unsigned long pthread_self(void);

static const char no_memory[] = "there is no memory for what is counted";

/* Of one call path, by its unit. Numbers wrap: while the region is in, they are what there will be less what there was.
 */
struct region_sum {
	uint64_t calls, resumed, suspensions, unwound;
	uint64_t total;	    /* ticks, of calls under way up to now */
	uint64_t suspended; /* likewise */
	uint64_t idle;
};

/* Who is in it. */
struct region_entry {
	unsigned long ident; /* of the thread; 0: whoever */
	uint32_t depth;
	uint32_t thread; /* its unit; 0: there was none when it entered, */
	uint32_t newest; /* ... when this one was the newest */
};

/* Memory that grows, without an allocator. */
struct room {
	void *data;
	size_t size;
};

struct region {
	unsigned flags;
	pid_t pid;
	uint32_t session;	     /* whose units the sums are of; 0: there are none yet */
	struct room sums;	     /* of lines: an image of the segment, of which only the numbers are of use */
	struct room entries, chosen; /* chosen: units of codes */
	size_t entry_count, chosen_count;
};

static unsigned open_count;

static bool room_grow(struct room *room, size_t size)
{
	size_t page = 4096, wanted = room->size ? room->size : page;
	while (wanted < size)
		wanted *= 2;
	if (wanted == room->size)
		return true;
	void *data = room->data ? mremap(room->data, room->size, wanted, MREMAP_MAYMOVE)
				: mmap(NULL, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED)
		return false;
	*room = (struct room){ data, wanted };
	return true;
}

static void room_free(struct room *room)
{
	if (room->data)
		munmap(room->data, room->size);
	*room = (struct room){ 0 };
}

/* ---- trees ---- */

static struct segment_node *node_at(unsigned char *base, uint32_t unit)
{
	return (struct segment_node *)(base + (uint64_t)unit * SEGMENT_UNIT);
}

/* The one that follows in the order of the tree, callers first; 0: none. */
static uint32_t next_in_tree(unsigned char *base, uint32_t unit, uint32_t root)
{
	const struct segment_node *node = node_at(base, unit);
	if (node->children)
		return node->children;
	while (unit != root && !node->sibling) {
		unit = node->parent;
		node = node_at(base, unit);
	}
	return unit == root ? 0 : node->sibling;
}

/* What the calls have taken so far that a thread is in: `change` is called with the place of each one's beginning. */
static void for_each_open_call(const struct segment_thread *thread,
	void (*change)(void *context, uint32_t unit, uint64_t *entered), void *context)
{
	uint32_t unit = thread->node, frames_unit = thread->first_frames;
	struct segment_frames *frames = recorder_unit(frames_unit);
	for (uint32_t blocks = thread->depth ? (thread->depth - 1) / SEGMENT_FRAMES : 0; blocks; blocks--)
		frames = recorder_unit(frames->next);
	for (uint32_t depth = thread->depth; depth; depth--) {
		uint32_t place = (depth - 1) % SEGMENT_FRAMES;
		change(context, unit, &frames->entered[place]);
		unit = ((const struct segment_node *)recorder_unit(unit))->parent;
		if (!place && frames->previous)
			frames = recorder_unit(frames->previous);
	}
}

/* How many generators stand still; of fewer than none, as a number that wraps. */
static uint64_t standing(uint64_t suspensions, uint64_t resumed)
{
	return (uint64_t)(int64_t)(int32_t)(uint32_t)(suspensions - resumed);
}

struct addition {
	struct region_sum *sums;
	uint64_t sign; /* 1 or -1 */
	uint64_t now;
};

static void add_open_call(void *context, uint32_t unit, uint64_t *entered)
{
	const struct addition *a = context;
	a->sums[unit].total += a->sign * (a->now - *entered);
}

static void add_thread(const struct addition *a, const struct segment_thread *thread)
{
	for (uint32_t unit = thread->root; unit; unit = next_in_tree(recorder.base, unit, thread->root)) {
		const struct segment_node *node = node_at(recorder.base, unit);
		struct region_sum *sum = &a->sums[unit];
		sum->calls += a->sign * node->calls;
		sum->resumed += a->sign * node->resumed;
		sum->suspensions += a->sign * node->suspensions;
		sum->unwound += a->sign * node->unwound;
		sum->total += a->sign * node->total;
		sum->suspended += a->sign * (node->suspended + standing(node->suspensions, node->resumed) * a->now);
		sum->idle += a->sign * node->idle;
	}
	for_each_open_call(thread, add_open_call, (void *)a);
}

/* Of this thread, when there is something of it. */
static const struct segment_thread *own_thread(void)
{
	return meter.session == recorder.sessions && meter.thread ? meter.thread->shared : NULL;
}

/* The thread that is in, if something of it was seen. The system gives idents again, so that older ones do not count.
 */
static const struct segment_thread *thread_of(const struct region_entry *entry)
{
	const struct segment_thread *thread;
	if (entry->thread)
		return recorder_unit(entry->thread);
	for (uint32_t unit = recorder.head->first_thread; unit && unit != entry->newest; unit = thread->next) {
		thread = recorder_unit(unit);
		if (thread->ident == entry->ident)
			return thread;
	}
	return NULL;
}

/* ---- lines ---- */

static bool is_of_lines(void)
{
	return recorder.head->mode == SEGMENT_LINES;
}

/* Those of their fields that are sums, which lie together. */
enum {
	SUMS_OF_ALL = offsetof(struct segment_lines, calls),
	SUMS_OF_ALL_END = offsetof(struct segment_lines, events) + sizeof(uint64_t),
	SUMS_OF_ONE = offsetof(struct segment_line, hits),
	SUMS_OF_ONE_END = offsetof(struct segment_line, events) + sizeof(uint64_t),
};

static void add_sums(void *image, const void *there, size_t from, size_t end, uint64_t sign)
{
	for (size_t at = from; at < end; at += sizeof(uint64_t)) {
		uint64_t *sum = (uint64_t *)((unsigned char *)image + at);
		*sum += sign * *(const uint64_t *)((const unsigned char *)there + at);
	}
}

static void add_lines_of(const struct region *region, const struct segment_lines *lines, uint64_t sign)
{
	size_t offset = (size_t)((const unsigned char *)lines - recorder.base);
	struct segment_lines *image = (struct segment_lines *)((unsigned char *)region->sums.data + offset);
	add_sums(image, lines, SUMS_OF_ALL, SUMS_OF_ALL_END, sign);
	for (uint32_t i = 0; i < lines->count; i++)
		add_sums(&image->lines[i], &lines->lines[i], SUMS_OF_ONE, SUMS_OF_ONE_END, sign);
}

static bool add_lines(struct region *region, const struct region_entry *entry, uint64_t sign, uint64_t now)
{
	const struct segment_thread *thread = entry->ident ? thread_of(entry) : NULL;
	const struct segment_code *code;
	const struct segment_lines *lines;
	lines_check(now);
	if (!room_grow(&region->sums, atomic_load(&recorder.head->used)))
		return false;
	for (uint32_t unit = recorder.head->first_code; unit; unit = code->next) {
		code = recorder_unit(unit);
		for (uint32_t next = code->first_lines; next; next = lines->next) {
			lines = recorder_unit(next);
			if (!entry->ident || (thread && lines->thread == recorder_unit_of(thread)))
				add_lines_of(region, lines, sign);
		}
	}
	return true;
}

/* ---- both ---- */

static bool add_trees(struct region *region, const struct region_entry *entry, uint64_t sign, uint64_t now)
{
	if (is_of_lines())
		return add_lines(region, entry, sign, now);
	size_t units = atomic_load(&recorder.head->used) / SEGMENT_UNIT + 1;
	if (!room_grow(&region->sums, units * sizeof(struct region_sum)))
		return false;
	const struct addition a = { region->sums.data, sign, now };
	const struct segment_thread *thread = entry->ident ? thread_of(entry) : NULL;
	if (thread)
		add_thread(&a, thread);
	for (uint32_t unit = entry->ident ? 0 : recorder.head->first_thread; unit; unit = thread->next) {
		thread = recorder_unit(unit);
		add_thread(&a, thread);
	}
	return true;
}

/* For all that are in. */
static bool add_entries(struct region *region, uint64_t sign, uint64_t now)
{
	const struct region_entry *entries = region->entries.data;
	bool ok = true;
	for (size_t i = 0; i < region->entry_count; i++)
		ok = add_trees(region, &entries[i], sign, now) && ok;
	return ok;
}

static void begin_later(void *context, uint32_t unit, uint64_t *entered)
{
	(void)unit;
	*entered += *(const uint64_t *)context;
}

/* What we have done since then is nobody's time. */
static void take_off(uint64_t begun)
{
	const struct segment_thread *thread = recorder.head ? own_thread() : NULL;
	uint64_t spent = ticks_now() - begun;
	if (thread && is_of_lines())
		lines_take_off(begun);
	else if (thread)
		for_each_open_call(thread, begin_later, &spent);
}

/* ---- in and out ---- */

struct region *region_create(unsigned flags)
{
	struct region *region = mmap(NULL, sizeof *region, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (region == MAP_FAILED)
		return NULL;
	region->flags = flags;
	region->pid = getpid();
	return region;
}

/* In the child of a fork nothing has been counted yet, and nobody is in. */
unsigned region_count_open(void)
{
	static pid_t process;
	pid_t pid = getpid();
	if (process != pid)
		open_count = 0;
	process = pid;
	return open_count;
}

static void check_process(struct region *region)
{
	region_count_open();
	if (region->pid == getpid())
		return;
	region->pid = getpid();
	region->entry_count = 0;
	region->session = 0;
	region->chosen_count = 0;
	room_free(&region->sums);
}

void region_destroy(struct region *region)
{
	check_process(region);
	open_count -= (unsigned)region->entry_count;
	room_free(&region->sums);
	room_free(&region->entries);
	room_free(&region->chosen);
	munmap(region, sizeof *region);
}

static bool is_readable(const struct region *region)
{
	return recorder.head && region->session == recorder.sessions;
}

static struct region_entry make_entry(const struct region *region)
{
	const struct segment_thread *thread = own_thread();
	if (!(region->flags & REGION_THIS_THREAD))
		return (struct region_entry){ .depth = 1 };
	return (struct region_entry){ pthread_self(), 1, thread ? recorder_unit_of(thread) : 0,
		recorder.head->first_thread };
}

static struct region_entry *find_entry(struct region *region)
{
	struct region_entry *entries = region->entries.data;
	unsigned long ident = region->flags & REGION_THIS_THREAD ? pthread_self() : 0;
	for (size_t i = 0; i < region->entry_count; i++)
		if (entries[i].ident == ident)
			return &entries[i];
	return NULL;
}

static const char *why_not(const struct region *region)
{
	if (!recorder_is_on())
		return recorder.head && recorder.head->note[0] ? recorder.head->note
							       : "calls are not counted in this process any more";
	return region->session && region->session != recorder.sessions
		       ? "what was counted here is of a recording that has ended: begin with a new one"
		       : NULL;
}

const char *region_enter(struct region *region)
{
	uint64_t now = ticks_now();
	check_process(region);
	struct region_entry *entry = find_entry(region);
	if (entry) {
		entry->depth++;
		return NULL;
	}
	const char *why = why_not(region);
	if (why)
		return why;
	recorder_look_at_threads(now);
	const struct region_entry new = make_entry(region);
	if (!room_grow(&region->entries, (region->entry_count + 1) * sizeof new) ||
		!add_trees(region, &new, (uint64_t)-1, now))
		return no_memory;
	region->session = recorder.sessions;
	entry = (struct region_entry *)region->entries.data + region->entry_count++;
	*entry = new;
	open_count++;
	take_off(now);
	return NULL;
}

const char *region_leave(struct region *region)
{
	uint64_t now = ticks_now();
	check_process(region);
	struct region_entry *entry = find_entry(region);
	if (!entry || --entry->depth)
		return NULL;
	if (is_readable(region))
		recorder_look_at_threads(now);
	bool ok = !is_readable(region) || add_trees(region, entry, 1, now);
	*entry = ((struct region_entry *)region->entries.data)[--region->entry_count];
	open_count--;
	take_off(now);
	return ok ? NULL : no_memory;
}

const char *region_clear(struct region *region)
{
	check_process(region);
	room_free(&region->sums);
	if (!region->entry_count)
		region->session = 0;
	else if (is_readable(region) && !add_entries(region, (uint64_t)-1, ticks_now()))
		return no_memory;
	return NULL;
}

/* ---- as a file ---- */

/* The sums in place of what the whole process has. Whether anything of the thread counts. */
static bool put_sums(const struct region *region, unsigned char *base, struct segment_thread *thread, uint64_t end)
{
	const struct region_sum *sums = region->sums.data;
	size_t count = region->sums.size / sizeof *sums;
	bool any = false;
	thread->node = thread->root;
	thread->depth = 0;
	for (uint32_t unit = thread->root; unit; unit = next_in_tree(base, unit, thread->root)) {
		struct segment_node *node = node_at(base, unit);
		const struct region_sum sum = unit < count ? sums[unit] : (struct region_sum){ 0 };
		const struct segment_code *code = (const void *)node_at(base, node->code);
		node->calls = sum.calls;
		node->resumed = sum.resumed;
		node->idle = sum.idle;
		node->suspensions = (uint32_t)sum.suspensions;
		node->unwound = (uint32_t)sum.unwound;
		node->total = sum.total;
		node->suspended = sum.suspended - standing(sum.suspensions, sum.resumed) * end;
		bool counts = sum.calls || sum.resumed;
		any |= counts && node->code;
		if (!counts || (region->flags & REGION_NO_BUILTINS && code->flags & SEGMENT_CODE_BUILTIN))
			node->code = 0;
	}
	return any;
}

static void put_threads(const struct region *region, unsigned char *base, uint64_t end)
{
	struct segment_head *head = (struct segment_head *)base;
	struct segment_thread *thread;
	_Atomic uint32_t *link = &head->first_thread;
	for (uint32_t unit = head->first_thread; unit; unit = thread->next) {
		thread = (struct segment_thread *)node_at(base, unit);
		if (put_sums(region, base, thread, end)) {
			*link = unit;
			link = &thread->next;
		}
	}
	*link = 0;
}

static bool is_chosen(const struct region *region, uint32_t unit)
{
	const uint32_t *chosen = region->chosen.data;
	for (size_t i = 0; i < region->chosen_count; i++)
		if (chosen[i] == unit)
			return true;
	return !region->chosen_count;
}

/* The sums in place of what the whole process has. */
static void put_lines_of(const struct region *region, struct segment_lines *lines, size_t offset)
{
	const struct segment_lines *image = (const void *)((const unsigned char *)region->sums.data + offset);
	bool there = offset + sizeof *lines + lines->count * sizeof *lines->lines <= region->sums.size;
	lines->calls = there ? image->calls : 0;
	lines->total = there ? image->total : 0;
	lines->events = there ? image->events : 0;
	for (uint32_t i = 0; i < lines->count; i++)
		lines->lines[i] = there ? image->lines[i] : (struct segment_line){ 0 };
	lines->open = 0;
}

static void put_lines(const struct region *region, unsigned char *base)
{
	struct segment_head *head = (struct segment_head *)base;
	struct segment_thread *thread;
	struct segment_code *code;
	struct segment_lines *lines;
	for (uint32_t unit = head->first_thread; unit; unit = thread->next) {
		thread = (struct segment_thread *)node_at(base, unit);
		thread->line_depth = 0;
	}
	for (uint32_t unit = head->first_code; unit; unit = code->next) {
		code = (struct segment_code *)node_at(base, unit);
		code->flags |= is_chosen(region, unit) ? 0 : SEGMENT_CODE_LEFT_OUT;
		for (uint32_t next = code->first_lines; next; next = lines->next) {
			lines = (struct segment_lines *)node_at(base, next);
			put_lines_of(region, lines, (size_t)next * SEGMENT_UNIT);
		}
	}
}

static const char *write_file(const char *path, const unsigned char *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ssize_t done = 0;
	for (size_t at = 0; fd >= 0 && at < size && done >= 0; at += (size_t)(done > 0 ? done : 0)) {
		done = write(fd, bytes + at, size - at);
		if (done < 0 && errno == EINTR)
			done = 0;
	}
	if (fd >= 0)
		close(fd);
	return fd < 0	  ? "the file for what was counted cannot be made"
	       : done < 0 ? "what was counted cannot be written"
			  : NULL;
}

static const char *write_sums(const struct region *region, const char *path, uint64_t end)
{
	size_t size = atomic_load(&recorder.head->used);
	size_t there = atomic_load(&recorder.head->size);
	size = size < there ? size : there; /* where there was no room for more */
	unsigned char *copy = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (copy == MAP_FAILED)
		return no_memory;
	memcpy(copy, recorder.head, size);
	struct segment_head *head = (struct segment_head *)copy;
	head->end_ticks = end;
	if (head->state == SEGMENT_RUNNING)
		head->state = SEGMENT_ENDED;
	if (is_of_lines())
		put_lines(region, copy);
	else
		put_threads(region, copy, end);
	const char *why = write_file(path, copy, size);
	munmap(copy, size);
	return why;
}

const char *region_write(struct region *region, const char *path)
{
	uint64_t now = ticks_now();
	check_process(region);
	if (!region->session)
		return "nothing was counted yet";
	if (!is_readable(region))
		return "what was counted is gone: its recording has ended, and another one has begun";
	recorder_look_at_threads(now);
	if (!add_entries(region, 1, now))
		return no_memory;
	const char *why = write_sums(region, path, now);
	add_entries(region, (uint64_t)-1, now);
	take_off(now);
	return why;
}

bool region_choose(struct region *region, uint32_t code)
{
	check_process(region);
	if (!room_grow(&region->chosen, (region->chosen_count + 1) * sizeof code))
		return false;
	((uint32_t *)region->chosen.data)[region->chosen_count++] = code;
	return true;
}
