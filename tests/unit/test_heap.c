/* test_heap.c: what is live, and whose it was at the peak (inject/heap.h), against a model that adds everything up anew
 * after each event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "inject/heap.h"

enum { TALLIES = 5, ADDRESSES = 400, PAGE = 4096, MAP_PAGES = 200 };

static uint32_t state_of_random = 1;

static uint32_t next(void)
{
	state_of_random = state_of_random * 1664525u + 1013904223u;
	return state_of_random >> 8;
}

/* Blocks by number of their address, maps by page; owner + 1, 0: none. */
struct model {
	struct {
		uint64_t size;
		unsigned owner;
	} blocks[ADDRESSES];
	unsigned pages[MAP_PAGES];
	uint64_t peak, peaks[TALLIES];
};

static const uint8_t allocators[TALLIES] = { ALLOCATOR_MALLOC, ALLOCATOR_CALLOC, ALLOCATOR_MMAP, ALLOCATOR_FILE,
	ALLOCATOR_MMAP };

static uint64_t address_of(unsigned block)
{
	return 0x10000 + 16 * (uint64_t)block;
}

static uint64_t page_of(unsigned page)
{
	return 0x7f0000000000 + PAGE * (uint64_t)page;
}

static void begin(struct heap *heap)
{
	*heap = (struct heap){ 0 };
	assert_true(vec_push(&heap->numbers, 0));
	for (unsigned i = 0; i < TALLIES; i++)
		assert_true(vec_push(&heap->tallies, (struct heap_tally){ .allocator = allocators[i] }));
}

static void add_up(const struct model *model, uint64_t sums[TALLIES])
{
	memset(sums, 0, TALLIES * sizeof *sums);
	for (unsigned i = 0; i < ADDRESSES; i++)
		if (model->blocks[i].owner)
			sums[model->blocks[i].owner - 1] += model->blocks[i].size;
	for (unsigned i = 0; i < MAP_PAGES; i++)
		if (model->pages[i])
			sums[model->pages[i] - 1] += PAGE;
}

static void compare(const struct heap *heap, struct model *model)
{
	uint64_t sums[TALLIES], all = 0;
	add_up(model, sums);
	for (unsigned i = 0; i < TALLIES; i++) {
		assert_int_equal(heap->tallies.data[i].live.bytes, sums[i]);
		all += heap_counts(allocators[i]) ? sums[i] : 0;
	}
	assert_int_equal(heap->live.bytes, all);
	if (all > model->peak) {
		model->peak = all;
		memcpy(model->peaks, sums, sizeof sums);
	}
	assert_int_equal(heap->peak.bytes, model->peak);
	for (unsigned i = 0; i < TALLIES; i++)
		if (model->peak)
			assert_int_equal(heap_peak_of(heap, &heap->tallies.data[i]).bytes, model->peaks[i]);
}

static void change_block(struct heap *heap, struct model *model, uint64_t ticks)
{
	unsigned i = next() % ADDRESSES, owner = next() % 2;
	struct live_block gone, *kept = NULL;
	if (model->blocks[i].owner) {
		assert_true(heap_freed(heap, address_of(i), 0, ticks, &gone));
		assert_int_equal(gone.size, model->blocks[i].size);
		kept = next() % 4 ? NULL : &gone;
		if (kept) /* reallocating failed */
			assert_true(heap_keep(heap, kept));
		else
			model->blocks[i].owner = 0;
		return;
	}
	model->blocks[i].owner = owner + 1;
	model->blocks[i].size = next() % 5000;
	assert_true(heap_got(heap, owner, address_of(i), model->blocks[i].size, ticks));
}

static void change_map(struct heap *heap, struct model *model, uint64_t ticks)
{
	unsigned first = next() % MAP_PAGES, count = 1 + next() % 20, owner = next() % 4 ? 2 + next() % 3 : TALLIES;
	count = first + count > MAP_PAGES ? MAP_PAGES - first : count;
	if (owner == TALLIES)
		assert_true(heap_unmapped(heap, page_of(first), count * (uint64_t)PAGE));
	else
		assert_true(heap_got(heap, owner, page_of(first), count * (uint64_t)PAGE, ticks));
	for (unsigned i = first; i < first + count; i++)
		model->pages[i] = owner == TALLIES ? 0 : owner + 1;
}

static void at_random(void **state)
{
	struct heap heap;
	static struct model model;
	begin(&heap);
	for (uint64_t ticks = 1; ticks < 20000; ticks++) {
		if (next() % 3)
			change_block(&heap, &model, ticks);
		else
			change_map(&heap, &model, ticks);
		compare(&heap, &model);
	}
	/* Counts, too, come down to nothing. */
	struct live_block gone;
	for (unsigned i = 0; i < ADDRESSES; i++)
		assert_true(heap_freed(&heap, address_of(i), 0, UINT64_MAX, &gone));
	assert_true(heap_unmapped(&heap, page_of(0), MAP_PAGES * (uint64_t)PAGE));
	for (unsigned i = 0; i < TALLIES; i++)
		assert_int_equal(heap.tallies.data[i].live.count + heap.tallies.data[i].live.bytes, 0);
	assert_int_equal(heap.live.count, 0);
	heap_deinit(&heap);
}

/* Two processors' clocks: an address is handed out before it was freed. The free that comes then is that of before. */
static void clocks_that_differ(void **state)
{
	struct heap heap;
	struct live_block gone;
	begin(&heap);
	assert_true(vec_push(&heap.numbers, 0));
	heap.tallies.data[1].lane = 1;
	assert_true(heap_got(&heap, 0, 64, 10, 100));
	assert_true(heap_got(&heap, 1, 64, 20, 200));
	assert_true(heap_freed(&heap, 64, 0, 230, &gone));
	assert_int_equal(heap.live.bytes, 20);
	assert_true(heap_freed(&heap, 64, 0, 260, &gone));
	assert_int_equal(heap.live.bytes, 0);
	/* Its own thread's free is its own. */
	assert_true(heap_got(&heap, 0, 64, 10, 300));
	assert_true(heap_got(&heap, 1, 64, 20, 400));
	assert_true(heap_freed(&heap, 64, 1, 430, &gone));
	assert_int_equal(heap.live.bytes, 0);
	heap_deinit(&heap);
}

static void temporary(void **state)
{
	struct heap heap;
	struct live_block gone;
	begin(&heap);
	for (uint64_t i = 0; i < 10; i++) {
		assert_true(heap_got(&heap, 0, 64, 10, i));
		if (i % 2)
			assert_true(heap_got(&heap, 1, 128 + 16 * i, 1, i));
		assert_true(heap_freed(&heap, 64, 0, i, &gone));
	}
	assert_int_equal(heap.tallies.data[0].temporary.count, 5);
	assert_int_equal(heap.tallies.data[0].temporary.bytes, 50);
	heap_deinit(&heap);
}

static void got(struct heap *heap, unsigned block, uint64_t size)
{
	assert_true(heap_got(heap, 0, address_of(block), size, 1));
}

static void freed(struct heap *heap, unsigned block)
{
	struct live_block gone;
	assert_true(heap_freed(heap, address_of(block), 0, 1, &gone));
}

static void watches_see_what_is_live_while_they_are_on(void **state)
{
	(void)state;
	struct heap heap;
	begin(&heap);
	got(&heap, 1, 1000);
	assert_true(heap_watch(&heap, 7, 10));
	got(&heap, 2, 500);
	assert_true(heap_watch(&heap, 8, 20)); /* within it, and beyond */
	freed(&heap, 1);
	got(&heap, 3, 200);
	const struct heap_watch *watch = heap_watch_find(&heap, 8);
	assert_int_equal(watch->at_begin.bytes, 1500);
	assert_int_equal(watch->peak.bytes, 1500);
	assert_int_equal(watch->now.bytes, 700);
	assert_int_equal(watch->got.bytes, 200);
	assert_true(heap_watch_end(&heap, 7, 30));
	got(&heap, 4, 5000);
	watch = heap_watch_find(&heap, 7); /* as it was */
	assert_int_equal(watch->at_begin.bytes, 1000);
	assert_int_equal(watch->peak.bytes, 1500);
	assert_int_equal(watch->now.bytes, 700);
	assert_int_equal(watch->got.count, 2);
	assert_int_equal(watch->end, 30);
	assert_int_equal(heap_watch_find(&heap, 8)->peak.bytes, 5700);
	heap_watch_forget(&heap, 7);
	heap_watch_forget(&heap, 8);
	assert_null(heap_watch_find(&heap, 7));
	assert_null(heap_watch_find(&heap, 8));
	heap_deinit(&heap);
}

static void what_is_forgotten_was_freed(void **state)
{
	(void)state;
	struct heap heap;
	begin(&heap);
	got(&heap, 1, 1000);
	assert_true(heap_got(&heap, 2, page_of(1), 2 * PAGE, 1));
	assert_true(heap_forget(&heap));
	assert_int_equal(heap.live.bytes, 0);
	assert_int_equal(heap.tallies.data[0].freed.bytes, 1000);
	assert_int_equal(heap.tallies.data[2].freed.bytes, 2 * PAGE);
	freed(&heap, 1); /* nobody's */
	assert_true(heap_unmapped(&heap, page_of(1), PAGE));
	assert_int_equal(heap.live.bytes, 0);
	got(&heap, 1, 300); /* the address is free, and owed by nobody */
	freed(&heap, 1);
	assert_int_equal(heap.live.bytes, 0);
	assert_int_equal(heap.peak.bytes, 1000 + 2 * PAGE);
	heap_deinit(&heap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_random),
		cmocka_unit_test(clocks_that_differ),
		cmocka_unit_test(temporary),
		cmocka_unit_test(watches_see_what_is_live_while_they_are_on),
		cmocka_unit_test(what_is_forgotten_was_freed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
