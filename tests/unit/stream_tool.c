/* stream_tool.c: for test_memory.py: each event of a segment of memory that nobody has read yet, thread by thread, in
 * their order: tid, kind, address, size. */
#include <inttypes.h>
#include <stdio.h>

#include "agent/memory/stream.h"
#include "inject/segment_view.h"

static const char *const kinds[STREAM_KIND_END] = { [STREAM_ALLOC] = "got",
	[STREAM_FREE] = "freed",
	[STREAM_REALLOC] = "moved",
	[STREAM_KEPT] = "kept",
	[STREAM_UNMAP] = "unmapped" };
static const char *const allocators[ALLOCATOR_END] = { [ALLOCATOR_MALLOC] = "malloc",
	[ALLOCATOR_CALLOC] = "calloc",
	[ALLOCATOR_REALLOC] = "realloc",
	[ALLOCATOR_ALIGNED] = "memalign",
	[ALLOCATOR_MMAP] = "mmap" };

/* Words behind a head that the event has not are 0. */
static void say(uint64_t tid, uint64_t head, const uint64_t *more, uint32_t count)
{
	unsigned kind = head >> STREAM_TICKS & ((1 << STREAM_KIND) - 1),
		 allocator = head >> (STREAM_TICKS + STREAM_KIND) & ((1 << STREAM_ALLOCATOR) - 1);
	if (kind >= STREAM_KIND_END || !kinds[kind])
		return;
	const char *by = kind == STREAM_ALLOC && allocator < ALLOCATOR_END && allocators[allocator]
				 ? allocators[allocator]
				 : "-";
	printf("%" PRIu64 " %s %s %" PRIx64 " %" PRIu64 "\n", tid, kinds[kind], by, count > 0 ? more[0] : 0,
		count > 1 ? more[1] : 0);
}

static uint64_t take_block(const struct segment_words *block, uint64_t tid)
{
	for (uint32_t i = 0; i < SEGMENT_WORDS && block->words[i];) {
		uint64_t head = block->words[i];
		unsigned kind = head >> STREAM_TICKS & ((1 << STREAM_KIND) - 1);
		uint32_t count = stream_words_behind(kind);
		const uint64_t *more = (const uint64_t *)&block->words[i + 1];
		if (kind == STREAM_THREAD)
			tid = more[0];
		say(tid, head, more, count);
		i += 1 + count;
	}
	return tid;
}

int main(int argc, char **argv)
{
	struct segment_view *view;
	struct error *error = argc == 2 ? segment_view_open(argv[1], /* live= */ false, 0, &view) : NULL;
	if (argc != 2 || error) {
		fprintf(stderr, "stream_tool: %s\n", error ? error->message : "usage: stream_tool SEGMENT");
		return 1;
	}
	for (uint32_t unit = view->head.first_thread; unit;) {
		const struct segment_thread *thread = segment_view_at(view, unit, sizeof *thread);
		const struct segment_words *block = segment_view_words(view, thread->first_words);
		for (uint64_t tid = 0; block; block = block->full ? segment_view_words(view, block->next) : NULL)
			tid = take_block(block, tid);
		unit = thread->next;
	}
	segment_view_close(view);
	return 0;
}
