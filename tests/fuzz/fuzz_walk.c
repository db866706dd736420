/* fuzz_walk.c: finding the runtime and walking the stacks in a memory that lies.
 *
 * The base is a frozen image (tests/images), so that the reader gets far; the fuzzer's bytes say which reads are
 * spoiled and how: the n-th read that the code makes is left alone, fails, or has a byte or a pointer in it changed.
 * Whatever comes out, nothing may crash, hang or take memory without bound.
 *
 * The first byte chooses the image. FUZZ_IMAGES names their folder (default tests/images). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../images/image.h"
#include "base/clock.h"
#include "sample/states.h"
#include "sample/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct liar {
	struct memory memory;
	struct memory *truth;
	const uint8_t *data;
	size_t size, next;
	uint64_t last_pointer; /* a real address, to send pointers astray but not into nothing */
};

static uint8_t next_byte(struct liar *liar)
{
	return liar->next < liar->size ? liar->data[liar->next++] : 0;
}

static void spoil(struct liar *liar, const struct iovec *piece)
{
	unsigned char *bytes = piece->iov_base;
	uint8_t how = next_byte(liar);
	if (how < 128 || !piece->iov_len)
		return;
	size_t at = (next_byte(liar) | (size_t)next_byte(liar) << 8) % piece->iov_len;
	if (how < 192) {
		bytes[at] = next_byte(liar);
	} else if (piece->iov_len >= 8) {
		at = at % (piece->iov_len / 8) * 8;
		uint64_t word = how < 224 ? liar->last_pointer : (uint64_t)next_byte(liar) << (next_byte(liar) & 63);
		memcpy(bytes + at, &word, sizeof word);
	}
}

static ssize_t liar_read(struct memory *memory, const struct iovec *local, const struct iovec *remote, size_t count)
{
	struct liar *liar = (struct liar *)memory;
	ssize_t got = memory_read_pieces(liar->truth, local, remote, count);
	if (got > 0 && count) {
		liar->last_pointer = (uint64_t)(uintptr_t)remote[0].iov_base;
		spoil(liar, &local[liar->next % count]);
	}
	return got;
}

static void liar_destroy(struct memory *memory)
{
	memory_destroy(((struct liar *)memory)->truth);
	free(memory);
}

static struct error *ignore_code(struct sink *sink, const struct code_def *def)
{
	(void)sink, (void)def;
	return NULL;
}

static struct error *ignore_stack(struct sink *sink, const struct stack_def *def)
{
	(void)sink, (void)def;
	return NULL;
}

static void use(struct target *target)
{
	static const struct sink_ops ops = { .code = ignore_code, .stack = ignore_stack };
	struct sink sink = { &ops };
	struct registry registry;
	struct error *error = NULL;
	registry_init(&registry, &sink);
	target_attach_registry(target, &registry);
	target->several_looks = true;
	for (int i = 0; i < 6 && !error; i++) {
		error = target_sample(target, clock_now());
		while (!error && target_has_look(target))
			error = target_next_look(target);
	}
	target_index_names(target);
	target_find_names(target);
	for (size_t i = 0; i < target->threads.count; i++) {
		struct buffer name = { 0 };
		target_thread_name(target, target->threads.data[i], &name);
		buffer_deinit(&name);
	}
	struct buffer path = { 0 };
	target_search_path(target, &path);
	buffer_deinit(&path);
	error_free(error);
	registry_deinit(&registry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "2.7", "3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.13t",
		"3.14", "3.15" };
	static const struct memory_ops ops = { .read = liar_read, .destroy = liar_destroy };
	if (!size)
		return 0;
	const char *folder = getenv("FUZZ_IMAGES");
	char path[4096];
	struct maps maps = { 0 };
	struct memory *truth;
	struct target *target;
	snprintf(path, sizeof path, "%s/%s.image", folder ? folder : "tests/images",
		names[data[0] % (sizeof names / sizeof *names)]);
	struct error *error = image_open(path, &maps, &truth);
	if (error) {
		fprintf(stderr, "%s\n", error_message(error));
		abort();
	}
	struct liar *liar = malloc(sizeof *liar);
	*liar = (struct liar){ .memory = { &ops }, .truth = truth, .data = data + 1, .size = size - 1 };
	error = target_open_memory(&liar->memory, &maps, 0, &target);
	if (!error) {
		use(target);
		target_destroy(target);
	}
	error_free(error);
	maps_deinit(&maps);
	return 0;
}
