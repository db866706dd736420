/* memory_cache.c: see memory_cache.h. A line never crosses a page, so that it can be read whenever a byte of it can.
 * Lines lie in `lines` in the order in which they were read. */
#include "os/memory_cache.h"

#include <errno.h>
#include <string.h>

#include "base/map.h"
#include "base/vec.h"

enum {
	LINE = 512,
	LINES_MAX = 1 << 14,	/* then all is forgotten */
	PIECE_MAX = 8 * LINE,	/* what is larger is read as it is, and not kept */
	EXPECTED_MAX = 1 << 12, /* lines that one hint is good for */
};

struct line {
	unsigned char bytes[LINE];
};

struct cache {
	struct memory memory, *below;
	struct map known; /* address of a line -> its index, + 1; 0: it is wanted, or could not be read */
	VEC(struct line) lines;
	VEC(uint64_t) wanted; /* addresses of lines that are to be read */
	VEC(struct iovec) local;
	VEC(struct iovec) remote;
};

static uint64_t line_start(uint64_t address)
{
	return address & ~(uint64_t)(LINE - 1);
}

static const struct line *find_line(const struct cache *cache, uint64_t start)
{
	const uint64_t *index = map_get(&cache->known, start);
	return index && *index ? &cache->lines.data[*index - 1] : NULL;
}

/* ---- reading lines ---- */

static bool is_cacheable(uint64_t address, size_t size)
{
	return size && size <= PIECE_MAX && address >= LINE && address < UINT64_MAX - 2 * PIECE_MAX;
}

static void want(struct cache *cache, uint64_t address, size_t size)
{
	for (uint64_t start = line_start(address); start < address + size; start += LINE)
		if (!map_get(&cache->known, start) && map_put(&cache->known, start, 0))
			vec_push(&cache->wanted, start); /* without memory it is read piece by piece */
}

/* One piece for each run of lines that follow each other in a page. */
static bool make_pieces(struct cache *cache)
{
	enum { PAGE = 4096 };
	cache->local.count = cache->remote.count = 0;
	for (size_t i = 0; i < cache->wanted.count; i++) {
		uint64_t start = cache->wanted.data[i];
		struct iovec *last = cache->remote.count ? &cache->remote.data[cache->remote.count - 1] : NULL;
		if (last && start % PAGE && (uint64_t)(uintptr_t)last->iov_base + last->iov_len == start) {
			last->iov_len += LINE;
			cache->local.data[cache->local.count - 1].iov_len += LINE;
			continue;
		}
		struct iovec local = { &cache->lines.data[cache->lines.count + i], LINE },
			     remote = { (void *)(uintptr_t)start, LINE };
		if (!vec_push(&cache->local, local) || !vec_push(&cache->remote, remote))
			return false;
	}
	return true;
}

/* The first `bytes` of a piece came. */
static void note_piece(struct cache *cache, size_t piece, size_t bytes)
{
	uint64_t start = (uint64_t)(uintptr_t)cache->remote.data[piece].iov_base;
	size_t index = (size_t)((struct line *)cache->local.data[piece].iov_base - cache->lines.data);
	for (size_t at = 0; at + LINE <= bytes; at += LINE)
		map_put(&cache->known, start + at, ++index);
}

static void read_pieces(struct cache *cache)
{
	size_t count = cache->remote.count, done = 0;
	while (done < count) {
		ssize_t got = memory_read_pieces(
			cache->below, cache->local.data + done, cache->remote.data + done, count - done);
		if (got < 0 && errno != EFAULT && errno != EIO)
			break;
		size_t rest = got < 0 ? 0 : (size_t)got;
		for (; done < count && rest >= cache->remote.data[done].iov_len; done++) {
			note_piece(cache, done, cache->remote.data[done].iov_len);
			rest -= cache->remote.data[done].iov_len;
		}
		if (done < count)
			note_piece(cache, done++, rest);
	}
}

static void fetch(struct cache *cache)
{
	size_t count = cache->lines.count + cache->wanted.count;
	if (cache->wanted.count && vec_reserve(&cache->lines, count) && make_pieces(cache)) {
		read_pieces(cache);
		cache->lines.count = count;
	}
	cache->wanted.count = 0;
}

static void make_room(struct cache *cache, size_t lines)
{
	if (cache->lines.count + lines > LINES_MAX)
		memory_cache_clear(&cache->memory);
}

/* ---- the memory ---- */

static bool copy_known(const struct cache *cache, uint64_t address, unsigned char *bytes, size_t size)
{
	while (size) {
		const struct line *line = find_line(cache, line_start(address));
		size_t offset = (size_t)(address % LINE), some = LINE - offset < size ? LINE - offset : size;
		if (!line)
			return false;
		memcpy(bytes, line->bytes + offset, some);
		address += some;
		bytes += some;
		size -= some;
	}
	return true;
}

static bool read_piece(struct cache *cache, uint64_t address, void *bytes, size_t size)
{
	if (is_cacheable(address, size)) {
		if (copy_known(cache, address, bytes, size))
			return true;
		make_room(cache, PIECE_MAX / LINE + 1);
		want(cache, address, size);
		fetch(cache);
		if (copy_known(cache, address, bytes, size))
			return true;
	}
	return memory_read(cache->below, address, bytes, size);
}

static ssize_t cache_read(struct memory *memory, const struct iovec *local, const struct iovec *remote, size_t count)
{
	struct cache *cache = (struct cache *)memory;
	ssize_t total = 0;
	for (size_t i = 0; i < count; i++) {
		if (!read_piece(cache, (uint64_t)(uintptr_t)remote[i].iov_base, local[i].iov_base, remote[i].iov_len))
			return total ? total : -1;
		total += (ssize_t)remote[i].iov_len;
	}
	return total;
}

static void cache_expect(struct memory *memory, const uint64_t *addresses, size_t count, size_t size)
{
	struct cache *cache = (struct cache *)memory;
	make_room(cache, EXPECTED_MAX + PIECE_MAX / LINE + 1);
	for (size_t i = 0; i < count && cache->wanted.count < EXPECTED_MAX; i++)
		if (is_cacheable(addresses[i], size))
			want(cache, addresses[i], size);
	fetch(cache);
}

void memory_cache_clear(struct memory *memory)
{
	struct cache *cache = (struct cache *)memory;
	map_clear(&cache->known);
	cache->lines.count = 0;
}

static void cache_destroy(struct memory *memory)
{
	struct cache *cache = (struct cache *)memory;
	map_deinit(&cache->known);
	vec_free(&cache->lines);
	vec_free(&cache->wanted);
	vec_free(&cache->local);
	vec_free(&cache->remote);
	free(cache);
}

struct error *memory_open_cache(struct memory *below, struct memory **ret)
{
	static const struct memory_ops ops = { .read = cache_read, .destroy = cache_destroy, .expect = cache_expect };
	struct cache *cache = calloc(1, sizeof *cache);
	if (!cache)
		return &error_no_memory;
	cache->memory.ops = &ops;
	cache->below = below;
	*ret = &cache->memory;
	return NULL;
}
