#include "image.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "base/varint.h"

enum { IMAGE_SIZE_MAX = 64 << 20 };
static const char magic[8] = "PYROIMG1";

/* ---- recording ---- */

struct recorder {
	struct memory memory;
	struct memory *inner;
	struct map pages; /* page address + 1 -> 1 */
};

static ssize_t recorder_read(struct memory *memory, const struct iovec *local, const struct iovec *remote, size_t count)
{
	struct recorder *recorder = (struct recorder *)memory;
	for (size_t i = 0; i < count; i++) {
		uint64_t start = (uint64_t)(uintptr_t)remote[i].iov_base, end = start + remote[i].iov_len;
		for (uint64_t page = start & ~(uint64_t)(IMAGE_PAGE - 1); page < end; page += IMAGE_PAGE)
			map_put(&recorder->pages, page + 1, 1);
	}
	return memory_read_pieces(recorder->inner, local, remote, count);
}

static void recorder_destroy(struct memory *memory)
{
	struct recorder *recorder = (struct recorder *)memory;
	memory_destroy(recorder->inner);
	map_deinit(&recorder->pages);
	free(recorder);
}

struct error *image_record(struct memory *inner, struct memory **ret_memory)
{
	static const struct memory_ops ops = { .read = recorder_read, .destroy = recorder_destroy };
	struct recorder *recorder = calloc(1, sizeof *recorder);
	if (!recorder)
		return &error_no_memory;
	recorder->memory.ops = &ops;
	recorder->inner = inner;
	*ret_memory = &recorder->memory;
	return NULL;
}

static int compare_addresses(const void *a, const void *b)
{
	uint64_t one = *(const uint64_t *)a, two = *(const uint64_t *)b;
	return one < two ? -1 : one > two;
}

static void add_maps(struct buffer *raw, const struct maps *maps)
{
	buffer_add_varint(raw, maps->areas.count);
	for (size_t i = 0; i < maps->areas.count; i++) {
		const struct map_area *area = &maps->areas.data[i];
		const char *name = strrchr(area->path, '/'); /* without its folder, as scrub_paths */
		name = name ? name : area->path;
		buffer_add_varint(raw, area->start);
		buffer_add_varint(raw, area->end);
		buffer_add_varint(raw, area->offset);
		buffer_add_varint(raw, (uint64_t)(area->readable | area->writable << 1 | area->executable << 2));
		buffer_add_varint(raw, strlen(name));
		buffer_add_string(raw, name);
	}
}

static void add_pages(struct buffer *raw, struct recorder *recorder)
{
	VEC(uint64_t) pages = { 0 };
	for (size_t i = 0; recorder->pages.count && i <= recorder->pages.mask; i++)
		if (recorder->pages.entries[i].key)
			raw->failed |= !vec_push(&pages, recorder->pages.entries[i].key - 1);
	qsort(pages.data, pages.count, sizeof *pages.data, compare_addresses);
	for (size_t i = 0; i < pages.count; i++) {
		char page[IMAGE_PAGE];
		if (!memory_read(recorder->inner, pages.data[i], page, sizeof page))
			continue;
		buffer_add_varint(raw, pages.data[i]);
		buffer_add(raw, page, sizeof page);
	}
	vec_free(&pages);
}

/* Each occurrence becomes a slash and as many x. `step` 4: of wide characters. */
static void scrub(struct buffer *raw, const char *word, size_t step)
{
	size_t length = strlen(word);
	for (size_t at = 0; length > 1 && at + length * step <= raw->size; at++) {
		size_t same = 0;
		while (same < length && raw->data[at + same * step] == word[same])
			same++;
		for (size_t i = 1; same == length && i < length; i++)
			raw->data[at + i * step] = 'x';
	}
}

/* Where things lie on the machine that made the image is nobody's business. */
static void scrub_paths(struct buffer *raw)
{
	char folder[4096] = "";
	const char *words[] = { getenv("PYENV_ROOT"), getcwd(folder, sizeof folder), getenv("HOME") };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		for (size_t step = 1; words[i] && step <= 4; step += 3)
			scrub(raw, words[i], step);
}

struct error *image_save(const char *path, struct memory *recorded, const struct maps *maps)
{
	_cleanup_buffer_ struct buffer raw = { 0 };
	add_maps(&raw, maps);
	add_pages(&raw, (struct recorder *)recorded);
	scrub_paths(&raw);
	size_t room = ZSTD_compressBound(raw.size);
	_cleanup_free_ char *packed = malloc(room);
	if (!packed || raw.failed)
		return &error_no_memory;
	size_t size = ZSTD_compress(packed, room, raw.data, raw.size, 19);
	_cleanup_fclose_ FILE *file = fopen(path, "wbe");
	uint64_t raw_size = raw.size;
	if (!file || fwrite(magic, sizeof magic, 1, file) != 1 || fwrite(&raw_size, sizeof raw_size, 1, file) != 1 ||
		fwrite(packed, 1, size, file) != size || fflush(file))
		return error_os(errno, "cannot write %s", path);
	return NULL;
}

/* ---- reading ---- */

struct image {
	struct memory memory;
	char *raw;
	struct map pages; /* page address + 1 -> where in raw */
};

static const char *find_page(const struct image *image, uint64_t address)
{
	const uint64_t *at = map_get(&image->pages, (address & ~(uint64_t)(IMAGE_PAGE - 1)) + 1);
	return at ? image->raw + *at : NULL;
}

static bool copy_out(const struct image *image, uint64_t address, char *bytes, size_t size)
{
	while (size) {
		size_t inside = address % IMAGE_PAGE, piece = IMAGE_PAGE - inside < size ? IMAGE_PAGE - inside : size;
		const char *page = find_page(image, address);
		if (!page)
			return false;
		memcpy(bytes, page + inside, piece);
		address += piece;
		bytes += piece;
		size -= piece;
	}
	return true;
}

static ssize_t image_read(struct memory *memory, const struct iovec *local, const struct iovec *remote, size_t count)
{
	ssize_t total = 0;
	for (size_t i = 0; i < count; i++) {
		if (!copy_out((struct image *)memory, (uint64_t)(uintptr_t)remote[i].iov_base, local[i].iov_base,
			    remote[i].iov_len)) {
			errno = EFAULT;
			return total ? total : -1;
		}
		total += (ssize_t)remote[i].iov_len;
	}
	return total;
}

static void image_destroy(struct memory *memory)
{
	struct image *image = (struct image *)memory;
	free(image->raw);
	map_deinit(&image->pages);
	free(image);
}

static struct error *take_maps(struct bytes_reader *reader, struct maps *maps)
{
	uint64_t count = read_varint(reader);
	for (uint64_t i = 0; i < count && !reader->bad; i++) {
		struct map_area area = {
			.start = read_varint(reader), .end = read_varint(reader), .offset = read_varint(reader)
		};
		uint64_t flags = read_varint(reader), size = read_varint(reader);
		const unsigned char *name = read_bytes(reader, size);
		area.readable = flags & 1;
		area.writable = flags & 2;
		area.executable = flags & 4;
		area.path = name ? strndup((const char *)name, size) : NULL;
		if (!area.path || !vec_push(&maps->areas, area))
			return &error_no_memory;
	}
	return NULL;
}

static struct error *load(const char *path, struct image *image, struct maps *maps)
{
	_cleanup_fclose_ FILE *file = fopen(path, "rbe");
	char head[sizeof magic];
	uint64_t raw_size;
	if (!file)
		return error_os(errno, "cannot read %s", path);
	if (fread(head, sizeof head, 1, file) != 1 || memcmp(head, magic, sizeof magic) != 0 ||
		fread(&raw_size, sizeof raw_size, 1, file) != 1 || raw_size > IMAGE_SIZE_MAX)
		return error_new(ERROR_CORRUPT, "%s is no image", path);
	_cleanup_free_ char *packed = malloc(IMAGE_SIZE_MAX);
	image->raw = malloc(raw_size);
	if (!packed || !image->raw)
		return &error_no_memory;
	size_t size = fread(packed, 1, IMAGE_SIZE_MAX, file);
	if (ZSTD_decompress(image->raw, raw_size, packed, size) != raw_size)
		return error_new(ERROR_CORRUPT, "%s is damaged", path);
	struct bytes_reader reader = { (unsigned char *)image->raw, (unsigned char *)image->raw + raw_size, false };
	TRY(take_maps(&reader, maps));
	while (reader.at < reader.end) {
		uint64_t page = read_varint(&reader);
		const unsigned char *bytes = read_bytes(&reader, IMAGE_PAGE);
		if (!bytes || !map_put(&image->pages, page + 1, (uint64_t)((const char *)bytes - image->raw)))
			return error_new(ERROR_CORRUPT, "%s is damaged", path);
	}
	return NULL;
}

struct error *image_open(const char *path, struct maps *ret_maps, struct memory **ret_memory)
{
	static const struct memory_ops ops = { .read = image_read, .destroy = image_destroy };
	struct image *image = calloc(1, sizeof *image);
	if (!image)
		return &error_no_memory;
	image->memory.ops = &ops;
	struct error *error = load(path, image, ret_maps);
	if (error)
		image_destroy(&image->memory);
	else
		*ret_memory = &image->memory;
	return error;
}
