#include "inject/segment_view.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/segment/ticks.h"
#include "base/cleanup.h"

static struct error *check_head(struct segment_view *view)
{
	bool there = view->size >= sizeof view->head;
	if (there)
		memcpy(&view->head, view->base, sizeof view->head);
	if (view->live && !view->head.magic) /* it is being made */
		return error_new(ERROR_NOT_READY, "the agent had not begun");
	if (!there)
		return error_new(ERROR_CORRUPT, "%s is too short for what an agent writes", view->path);
	if (view->head.magic != SEGMENT_MAGIC || view->head.version != SEGMENT_VERSION)
		return error_new(ERROR_CORRUPT, "%s is nothing that this version's agent wrote", view->path);
	if (view->head.state == SEGMENT_STARTING)
		return error_new(ERROR_NOT_READY, "the agent had not begun");
	return NULL;
}

/* The two clocks, from when they were read together inside to now. */
static void measure_ticks(struct segment_view *view)
{
	bool cycles = ticks_are_cycles() && view->head.tsc;
	uint64_t now_ticks = cycles ? ticks_now() : ticks_monotonic_ns(), now_ns = ticks_monotonic_ns();
	uint64_t ticks = now_ticks - view->head.start_ticks, ns = now_ns - view->head.start_ns;
	view->ns_per_tick = cycles && ticks ? (double)ns / (double)ticks : 1;
	view->end_ticks = view->head.end_ticks ? view->head.end_ticks : now_ticks;
}

struct error *segment_view_refresh(struct segment_view *view)
{
	struct stat is;
	if (fstat(view->fd, &is))
		return error_os(errno, "cannot read %s", view->path);
	view->size = (uint64_t)is.st_size < view->mapped ? (uint64_t)is.st_size : view->mapped;
	TRY(check_head(view));
	measure_ticks(view);
	return NULL;
}

static struct error *map_file(struct segment_view *view)
{
	struct stat is;
	view->fd = open(view->path, (view->live ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW);
	if (view->fd < 0 || fstat(view->fd, &is))
		return error_os(errno, "cannot open %s", view->path);
	view->mapped = view->live ? SEGMENT_SPACE : (uint64_t)is.st_size;
	if (!view->mapped)
		return error_new(ERROR_CORRUPT, "%s is empty: there was no room for it, or its program ended at once",
			view->path);
	int how = view->live ? MAP_SHARED : MAP_PRIVATE;
	void *base = mmap(NULL, view->mapped, PROT_READ | PROT_WRITE, how | MAP_NORESERVE, view->fd, 0);
	if (base == MAP_FAILED)
		return error_new(ERROR_CORRUPT, "%s cannot be mapped", view->path);
	view->base = base;
	return NULL;
}

struct error *segment_view_open(const char *path, bool live, uint64_t began_ns, struct segment_view **ret_view)
{
	_cleanup_segment_view_ struct segment_view *view = calloc(1, sizeof *view);
	if (!view)
		return &error_no_memory;
	*view = (struct segment_view){ .fd = -1, .live = live, .began_ns = began_ns, .path = strdup(path) };
	if (!view->path)
		return &error_no_memory;
	TRY(map_file(view));
	TRY(segment_view_refresh(view));
	*ret_view = take_ptr(view);
	return NULL;
}

void segment_view_close(struct segment_view *view)
{
	if (!view)
		return;
	if (view->base)
		munmap(view->base, view->mapped);
	if (view->fd >= 0)
		close(view->fd);
	map_deinit(&view->codes);
	map_deinit(&view->same);
	map_deinit(&view->threads);
	free(view->path);
	free(view);
}

const void *segment_view_at(const struct segment_view *view, uint32_t unit, size_t size)
{
	uint64_t start = (uint64_t)unit * SEGMENT_UNIT;
	return unit && start < view->size && view->size - start >= size ? view->base + start : NULL;
}

struct segment_words *segment_view_words(const struct segment_view *view, uint32_t unit)
{
	const struct segment_words *block;
	return (struct segment_words *)segment_view_at(
		view, unit, sizeof *block + SEGMENT_WORDS * sizeof *block->words);
}

/* Once it is back, its thread may come round to it and put another one behind it: what follows is read before. */
uint32_t segment_view_empty(struct segment_words *block)
{
	uint32_t next = block->next;
	memset((void *)block->words, 0, SEGMENT_WORDS * sizeof *block->words);
	atomic_store_explicit(&block->full, 0, memory_order_release);
	return next;
}

/* What no clock can have said becomes the most that a number holds. */
static int64_t whole(double value)
{
	static const double most = 9.2e18;
	return (int64_t)(value > most ? most : value > -most ? value : -most);
}

uint64_t segment_view_ns(const struct segment_view *view, uint64_t ticks)
{
	return (uint64_t)whole((double)(int64_t)ticks * view->ns_per_tick); /* negative ones, too */
}

uint64_t segment_view_time(const struct segment_view *view, uint64_t ticks)
{
	int64_t time = (int64_t)(view->head.start_ns - view->began_ns +
				 segment_view_ns(view, ticks - view->head.start_ticks));
	return time > 0 ? (uint64_t)time : 0;
}

uint64_t segment_view_picoseconds(const struct segment_view *view, uint64_t ticks_1024)
{
	return (uint64_t)whole((double)ticks_1024 / 1024 * view->ns_per_tick * 1000);
}
