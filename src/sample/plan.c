#include "sample/plan.h"

enum {
	CHUNK_SLACK = 512,
	CHUNK_BYTES_MAX = 4 << 20,
	LINKS_MAX = 1 << 16,
	CHAIN_AHEAD = 512,
	REGIONS_SPARE = 48,
	MERGE_GAP = 2048,
	MERGE_MOST = 16384
};

/* A page of the target: frames that call each other were often made one after the other, and lie side by side. */
struct page {
	uint64_t start; /* 0: none was read */
	unsigned char bytes[4096];
};

static bool read_near(struct memory *memory, struct page *page, uint64_t address, void *ret_bytes, uint32_t size)
{
	enum { PAGE = sizeof page->bytes };
	uint64_t start = address & ~(uint64_t)(PAGE - 1);
	if (address + size > start + PAGE)
		return memory_read(memory, address, ret_bytes, size);
	if (page->start != start) {
		page->start = 0;
		if (!memory_read(memory, start, page->bytes, PAGE))
			return false;
		page->start = start;
	}
	memcpy(ret_bytes, page->bytes + (address - start), size);
	return true;
}

static bool in_regions(struct thread *thread, const struct layout *l, uint64_t address)
{
	uint64_t start = address + frame_bytes_start(l);
	for (size_t i = 0; i < thread->regions.list.count; i++) {
		const struct region *region = &thread->regions.list.data[i];
		if (start - region->start < region->size &&
			region->size - (start - region->start) >= frame_bytes_size(l))
			return true;
	}
	return false;
}

static bool add_frame_region(struct thread *thread, const struct layout *l, uint64_t address)
{
	return regions_add(&thread->regions, address + frame_bytes_start(l), frame_bytes_size(l));
}

/* Until 3.10: the caller that this frame was seen with before; of a new frame, the one that it has now. */
static uint64_t predict_caller(struct target *target, struct page *page, uint64_t address)
{
	const uint64_t *known = map_get(&target->links, address);
	uint64_t caller, back = address + target->runtime.layout.pyframe.back;
	if (known)
		return *known;
	return read_near(target->memory, page, back, &caller, sizeof caller) ? caller : 0;
}

static void predict_chain(struct target *target, struct thread *thread, uint64_t address)
{
	const struct layout *l = &target->runtime.layout;
	struct page page = { .start = 0 };
	for (unsigned i = 0; address && i < CHAIN_AHEAD && !in_regions(thread, l, address); i++) {
		add_frame_region(thread, l, address);
		address = predict_caller(target, &page, address);
	}
}

/* The frames of lately seen chains stay in the plan beside those of this one: a program that calls two functions in
 * turn is then read without a miss, and a repair finds the callee that came meanwhile. */
static void plan_heap_frames(struct target *target, struct thread *thread, uint64_t missing)
{
	const struct layout *l = &target->runtime.layout;
	const struct frame_list *walked = &thread->walked;
	if (thread->regions.list.count > 2 * walked->frames.count + REGIONS_SPARE) {
		regions_clear(&thread->regions);
		for (size_t i = 0; i < walked->frames.count; i++)
			add_frame_region(thread, l, walked->frames.data[i].address);
	}
	predict_chain(target, thread, missing);
	/* Frames that lie near each other are copied in one piece, unless that failed: a hole may be between them. */
	if (!thread->holes)
		regions_merge(&thread->regions, 0, MERGE_GAP, MERGE_MOST);
}

static bool in_newest_chunk(const struct thread *thread, uint64_t address)
{
	return address - thread->chunk < thread->chunk_size;
}

void plan_remember_links(struct target *target, const struct thread *thread)
{
	const struct frame_list *list = &thread->walked;
	bool all = target->runtime.layout.pyframe.back != LAYOUT_NONE;
	if (target->links.count > LINKS_MAX)
		map_clear(&target->links);
	for (size_t i = 0; i + 1 < list->frames.count; i++) {
		const struct frame *frame = &list->frames.data[i];
		if (!all && in_newest_chunk(thread, frame->address))
			continue;
		/* Entries from C lie on the C stack and are soon overwritten: the link is to who called C. */
		size_t k = i + 1;
		while (k + 1 < list->frames.count && list->frames.data[k].kind == FRAME_SHIM)
			k++;
		uint64_t *known = map_get(&target->links, frame->address), caller = list->frames.data[k].address;
		if (!known || *known != caller)
			map_put(&target->links, frame->address, caller);
	}
}

void plan_take_chunk(struct target *target, struct thread *thread, uint64_t chunk, const unsigned char *head)
{
	const struct layout *l = &target->runtime.layout;
	thread->chunk = chunk;
	thread->chunk_size = frame_word_(head, l->stack_chunk.size);
	if (thread->chunk_size > CHUNK_BYTES_MAX)
		thread->chunk_size = 0;
	thread->chunks.count = 0;
	uint64_t older = frame_word_(head, l->stack_chunk.previous);
	while (older && thread->chunks.count < THREAD_CHUNKS_MAX && vec_push(&thread->chunks, older))
		if (!memory_read_u64(target->memory, older + l->stack_chunk.previous, &older))
			return;
}

/* From 3.11: the newest chunk of the data stack has changed. */
static void look_at_chunk(struct target *target, struct thread *thread, uint64_t chunk)
{
	enum { HEAD_MAX = 64 };
	const struct layout *l = &target->runtime.layout;
	unsigned char head[HEAD_MAX] = { 0 };
	if (chunk && l->stack_chunk.data <= sizeof head)
		memory_read(target->memory, chunk, head, l->stack_chunk.data);
	plan_take_chunk(target, thread, chunk, head);
}

/* The used part of an older chunk: its header says how much it is. */
static void add_older_chunk(struct target *target, struct thread *thread, uint64_t chunk)
{
	const struct layout *l = &target->runtime.layout;
	uint64_t words; /* chunk.top: how many words of data are used */
	if (memory_read_u64(target->memory, chunk + l->stack_chunk.top, &words) && words && words < CHUNK_BYTES_MAX / 8)
		regions_add(&thread->regions, chunk + l->stack_chunk.data, (uint32_t)(words * 8));
}

/* ---- frames that lie in no chunk ---- */

static void add_stray(struct thread *thread, uint64_t address)
{
	for (size_t i = 0; i < thread->strays.count; i++)
		if (thread->strays.data[i] == address)
			return;
	vec_push(&thread->strays, address);
}

static size_t count_strays(const struct thread *thread)
{
	size_t count = 0;
	for (size_t i = 0; i < thread->walked.frames.count; i++)
		count += !in_newest_chunk(thread, thread->walked.frames.data[i].address);
	return count;
}

static void add_walked_strays(struct thread *thread)
{
	for (size_t i = 0; i < thread->walked.frames.count; i++)
		if (!in_newest_chunk(thread, thread->walked.frames.data[i].address))
			add_stray(thread, thread->walked.frames.data[i].address);
}

/* The chain from a frame that was missed is followed through the target now, so that a deep stack with many entries
 * from C, or generators in generators, is known after one look. A generator that is suspended meanwhile has lost its
 * caller: then the one that it was last seen with. */
static void add_missing_strays(struct target *target, struct thread *thread, uint64_t missing)
{
	const struct layout *l = &target->runtime.layout;
	unsigned char bytes[FRAME_BYTES_MAX];
	struct page page = { .start = 0 };
	for (unsigned i = 0; missing && missing % 8 == 0 && i < CHAIN_AHEAD; i++) {
		if (!read_near(target->memory, &page, missing + frame_bytes_start(l), bytes, frame_bytes_size(l)))
			return;
		if (!in_newest_chunk(thread, missing))
			add_stray(thread, missing);
		uint64_t previous = frame_parse(l, missing, bytes).previous;
		const uint64_t *link = previous ? NULL : map_get(&target->links, missing);
		missing = link ? *link : previous;
	}
}

/* Those that were lately met stay in the plan: generators that run in turn are then read without a miss. */
static void plan_strays(struct target *target, struct thread *thread, uint64_t missing)
{
	const struct layout *l = &target->runtime.layout;
	size_t first = thread->regions.list.count;
	if (thread->strays.count > 2 * count_strays(thread) + REGIONS_SPARE)
		thread->strays.count = 0;
	add_walked_strays(thread);
	add_missing_strays(target, thread, missing);
	for (size_t i = 0; i < thread->strays.count; i++)
		if (!in_regions(thread, l, thread->strays.data[i]))
			add_frame_region(thread, l, thread->strays.data[i]);
	if (!thread->holes)
		regions_merge(&thread->regions, first, MERGE_GAP, MERGE_MOST);
}

static void plan_data_stack(struct target *target, struct thread *thread, uint64_t missing)
{
	const struct layout *l = &target->runtime.layout;
	uint64_t chunk = target_state_word(target, thread, l->tstate.datastack_chunk),
		 top = target_state_word(target, thread, l->tstate.datastack_top);
	if (chunk != thread->chunk)
		look_at_chunk(target, thread, chunk);
	regions_clear(&thread->regions);
	if (in_newest_chunk(thread, top - 1)) {
		uint64_t end = missing > top && in_newest_chunk(thread, missing) ? missing : top;
		uint64_t size = (end - chunk + CHUNK_SLACK) & ~(uint64_t)(CHUNK_SLACK / 2 - 1),
			 most = thread->chunk_size - l->stack_chunk.data;
		regions_add(&thread->regions, chunk + l->stack_chunk.data, (uint32_t)(size < most ? size : most));
	}
	for (size_t i = 0; i < thread->chunks.count; i++)
		add_older_chunk(target, thread, thread->chunks.data[i]);
	plan_strays(target, thread, missing);
}

void plan_thread(struct target *target, struct thread *thread, uint64_t missing)
{
	if (target->runtime.layout.pyframe.back != LAYOUT_NONE)
		plan_heap_frames(target, thread, missing);
	else
		plan_data_stack(target, thread, missing);
}

/* ---- the first look ---- */

static bool has_heap_frames(const struct target *target)
{
	return target->runtime.layout.pyframe.back != LAYOUT_NONE;
}

bool plan_add_frame(struct target *target, struct thread *thread, uint64_t address)
{
	if (!has_heap_frames(target))
		add_stray(thread, address);
	return add_frame_region(thread, &target->runtime.layout, address);
}

void plan_followed(struct target *target, struct thread *thread)
{
	if (!has_heap_frames(target))
		plan_thread(target, thread, 0);
	else if (!thread->holes)
		regions_merge(&thread->regions, 0, MERGE_GAP, MERGE_MOST);
}
