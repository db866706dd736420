#include "inject/heap.h"

enum { PAGE = 4096 };

static bool is_map(unsigned allocator)
{
	return allocator == ALLOCATOR_MMAP || allocator == ALLOCATOR_FILE || allocator == ALLOCATOR_RESERVED;
}

/* ---- sums ---- */

struct heap_sum heap_peak_of(const struct heap *heap, const struct heap_tally *t)
{
	return t->epoch < heap->epoch ? t->live : t->peak; /* it has not changed since the peak */
}

/* Before a tally changes. */
static bool touch(struct heap *heap, uint32_t tally)
{
	struct heap_tally *t = &heap->tallies.data[tally];
	t->peak = heap_peak_of(heap, t);
	t->epoch = heap->epoch;
	if (t->dirty)
		return true;
	t->dirty = true;
	return vec_push(&heap->dirty, tally);
}

static void add(struct heap_sum *sum, uint64_t bytes, uint64_t count)
{
	sum->bytes += bytes;
	sum->count += count;
}

static void take(struct heap_sum *sum, uint64_t bytes, uint64_t count)
{
	sum->bytes -= bytes;
	sum->count -= count;
}

static void raise_watch(const struct heap *heap, struct heap_watch *watch)
{
	if (heap->live.bytes > watch->peak.bytes)
		watch->peak = heap->live;
}

static void grow(struct heap *heap, struct heap_tally *t, uint64_t size, uint64_t count, uint64_t ticks)
{
	add(&t->live, size, count);
	if (!heap_counts(t->allocator))
		return;
	add(&heap->live, size, count);
	for (size_t i = 0; i < heap->watches.count; i++)
		raise_watch(heap, &heap->watches.data[i]);
	if (heap->live.bytes <= heap->peak.bytes)
		return;
	heap->peak = heap->live;
	heap->peak_ticks = ticks;
	t->epoch = ++heap->epoch;
	t->peak = t->live;
}

static void shrink(struct heap *heap, struct heap_tally *t, uint64_t size, uint64_t count)
{
	take(&t->live, size, count);
	add(&t->freed, size, count);
	if (heap_counts(t->allocator))
		take(&heap->live, size, count);
}

/* ---- blocks ---- */

static bool add_map(struct heap *heap, const struct heap_map *map)
{
	if (!vec_push(&heap->maps, *map))
		return false;
	size_t i = heap->maps.count - 1;
	for (; i && heap->maps.data[i - 1].start > map->start; i--)
		heap->maps.data[i] = heap->maps.data[i - 1];
	heap->maps.data[i] = *map;
	return true;
}

static uint64_t page_end(uint64_t address, uint64_t size)
{
	return (address + size + PAGE - 1) & ~(uint64_t)(PAGE - 1);
}

static bool end_block(struct heap *heap, struct live_block *block)
{
	const struct live_block gone = *block;
	live_remove(&heap->blocks, block);
	if (!touch(heap, gone.owner))
		return false;
	struct heap_tally *t = &heap->tallies.data[gone.owner];
	shrink(heap, t, gone.size, 1);
	if ((uint32_t)heap->numbers.data[t->lane] == gone.number)
		add(&t->temporary, gone.size, 1);
	return true;
}

/* What is handed out is nobody's any more, even if its free is still to come. */
static bool make_free(struct heap *heap, uint64_t address, uint64_t ticks)
{
	struct live_block *block = live_find(&heap->blocks, address);
	return !block || (map_put(&heap->owed, address, ticks) && end_block(heap, block));
}

bool heap_got(struct heap *heap, uint32_t tally, uint64_t address, uint64_t size, uint64_t ticks)
{
	unsigned allocator = heap->tallies.data[tally].allocator;
	uint64_t number = ++heap->numbers.data[heap->tallies.data[tally].lane];
	struct heap_map map = { address, page_end(address, size), address + size, tally, .first = true };
	bool ok = is_map(allocator) ? heap_unmapped(heap, address, size) : make_free(heap, address, ticks);
	if (!ok || !touch(heap, tally))
		return false;
	if (is_map(allocator)
			? !add_map(heap, &map)
			: !live_add(&heap->blocks, &(struct live_block){ address, size, tally, (uint32_t)number }))
		return false;
	struct heap_tally *t = &heap->tallies.data[tally];
	add(&t->got, size, 1);
	if (heap_counts(allocator)) {
		add(&heap->sizes[size ? 63 - __builtin_clzll(size) : 0], size, 1);
		add(&heap->got, size, 1);
	}
	grow(heap, t, size, 1, ticks);
	return true;
}

/* Whether this is the free of who had the address before: another thread's, moments after it was handed out again. */
static bool is_owed(struct heap *heap, const struct live_block *block, uint32_t lane, uint64_t ticks)
{
	enum { MOMENT = 1 << 16 }; /* ticks: some 20 us */
	const uint64_t *since = map_get(&heap->owed, block->address);
	if (!since)
		return false;
	bool owed = heap->tallies.data[block->owner].lane != lane && ticks - *since < MOMENT;
	map_remove(&heap->owed, block->address);
	return owed;
}

bool heap_freed(struct heap *heap, uint64_t address, uint32_t lane, uint64_t ticks, struct live_block *ret_block)
{
	struct live_block *block = live_find(&heap->blocks, address);
	*ret_block = (struct live_block){ 0 };
	if (!block || (heap->owed.count && is_owed(heap, block, lane, ticks)))
		return true;
	*ret_block = *block;
	return end_block(heap, block);
}

bool heap_keep(struct heap *heap, const struct live_block *block)
{
	if (!block->address || live_find(&heap->blocks, block->address))
		return true;
	if (!live_add(&heap->blocks, block) || !touch(heap, block->owner))
		return false;
	struct heap_tally *t = &heap->tallies.data[block->owner];
	add(&t->kept, block->size, 1);
	if ((uint32_t)heap->numbers.data[t->lane] == block->number)
		take(&t->temporary, block->size, 1);
	grow(heap, t, block->size, 1, heap->peak_ticks);
	return true;
}

/* ---- maps ---- */

static uint64_t counted_of(const struct heap_map *map)
{
	uint64_t end = map->counted < map->end ? map->counted : map->end;
	return end > map->start ? end - map->start : 0;
}

/* Cuts [start, end) out of a map that overlaps it; what is left behind it becomes `*ret_rest`. */
static void cut(struct heap_map *map, uint64_t start, uint64_t end, struct heap_map *ret_rest)
{
	*ret_rest = *map;
	ret_rest->start = end < map->end ? end : map->end;
	map->end = start > map->start ? start : map->start;
	if (map->end > map->start)
		ret_rest->first = false;
}

static bool cut_at(struct heap *heap, size_t i, uint64_t start, uint64_t end)
{
	struct heap_map *map = &heap->maps.data[i], rest;
	uint64_t before = counted_of(map);
	bool counted = map->first;
	uint32_t tally = map->tally;
	if (!touch(heap, tally))
		return false;
	cut(map, start, end, &rest);
	bool left = map->end > map->start, behind = rest.end > rest.start;
	uint64_t after = (left ? counted_of(map) : 0) + (behind ? counted_of(&rest) : 0);
	shrink(heap, &heap->tallies.data[tally], before - after, counted && !left && !behind);
	if (left)
		return !behind || add_map(heap, &rest);
	if (behind) {
		*map = rest;
		return true;
	}
	for (; i + 1 < heap->maps.count; i++)
		heap->maps.data[i] = heap->maps.data[i + 1];
	heap->maps.count--;
	return true;
}

bool heap_unmapped(struct heap *heap, uint64_t address, uint64_t size)
{
	uint64_t end = page_end(address, size);
	/* One that was cut is looked at again: what is left of it ends before, or begins behind. */
	for (size_t i = 0; i < heap->maps.count && heap->maps.data[i].start < end;)
		if (heap->maps.data[i].end <= address)
			i++;
		else if (!cut_at(heap, i, address, end))
			return false;
	return true;
}

bool heap_forget(struct heap *heap)
{
	for (size_t i = 0; i < heap->tallies.count; i++) {
		struct heap_tally *t = &heap->tallies.data[i];
		if (!t->live.bytes && !t->live.count)
			continue;
		if (!touch(heap, (uint32_t)i))
			return false;
		shrink(heap, t, t->live.bytes, t->live.count);
	}
	live_deinit(&heap->blocks);
	heap->maps.count = 0;
	map_clear(&heap->owed);
	return true;
}

/* ---- watches ---- */

bool heap_watch(struct heap *heap, uint32_t id, uint64_t time)
{
	const struct heap_watch made = {
		.id = id, .began = time, .at_begin = heap->live, .peak = heap->live, .got_before = heap->got
	};
	return vec_push(&heap->watches, made);
}

static struct heap_sum difference(struct heap_sum a, struct heap_sum b)
{
	return (struct heap_sum){ a.bytes - b.bytes, a.count - b.count };
}

static struct heap_watch *find_open(struct heap *heap, uint32_t id)
{
	for (size_t i = heap->watches.count; i-- > 0;) {
		struct heap_watch *watch = &heap->watches.data[i];
		if (watch->id != id)
			continue;
		watch->now = heap->live;
		watch->got = difference(heap->got, watch->got_before);
		return watch;
	}
	return NULL;
}

static struct heap_watch *find_ended(struct heap *heap, uint32_t id)
{
	for (size_t i = heap->ended.count; i-- > 0;)
		if (heap->ended.data[i].id == id)
			return &heap->ended.data[i];
	return NULL;
}

struct heap_watch *heap_watch_find(struct heap *heap, uint32_t id)
{
	struct heap_watch *open = find_open(heap, id);
	return open ? open : find_ended(heap, id);
}

bool heap_watch_end(struct heap *heap, uint32_t id, uint64_t time)
{
	struct heap_watch *watch = find_open(heap, id);
	if (!watch)
		return true;
	watch->end = time;
	if (!vec_push(&heap->ended, *watch))
		return false;
	*watch = heap->watches.data[--heap->watches.count];
	return true;
}

void heap_watch_forget(struct heap *heap, uint32_t id)
{
	struct heap_watch *watch = find_open(heap, id);
	if (watch)
		*watch = heap->watches.data[--heap->watches.count];
	else if ((watch = find_ended(heap, id)))
		*watch = heap->ended.data[--heap->ended.count];
}

void heap_deinit(struct heap *heap)
{
	vec_free(&heap->watches);
	vec_free(&heap->ended);
	live_deinit(&heap->blocks);
	vec_free(&heap->maps);
	vec_free(&heap->tallies);
	vec_free(&heap->dirty);
	vec_free(&heap->numbers);
	map_deinit(&heap->owed);
}
