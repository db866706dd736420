/* test_sample.c: the parts that a sample is made of, each by itself: batches of reads, regions, evidence, the registry,
 * and the walk in a copy that lies. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "os/memory_cache.h"
#include "sample/batch.h"
#include "sample/evidence.h"
#include "sample/first_look.h"
#include "sample/frames.h"
#include "sample/threads.h"

/* ---- batches ---- */

/* Memory in which everything can be read but one page; bytes are the low bits of their address. */
struct holed_memory {
	struct memory memory;
	uint64_t hole;
	unsigned calls;
};

static ssize_t holed_read(struct memory *memory, const struct iovec *local, const struct iovec *remote, size_t count)
{
	struct holed_memory *holed = (struct holed_memory *)memory;
	ssize_t total = 0;
	holed->calls++;
	for (size_t i = 0; i < count; i++) {
		uint64_t at = (uint64_t)(uintptr_t)remote[i].iov_base;
		if (at / 4096 == holed->hole / 4096) {
			errno = EFAULT;
			return total ? total : -1;
		}
		memset(local[i].iov_base, (int)(at & 0xff), remote[i].iov_len);
		total += (ssize_t)remote[i].iov_len;
	}
	return total;
}

static const struct memory_ops holed_ops = { .read = holed_read };

static void batch_goes_on_after_what_cannot_be_read(void **state)
{
	struct holed_memory memory = { { &holed_ops }, .hole = 0x5000 };
	struct batch batch = { 0 };
	unsigned char bytes[4][8] = { 0 };
	bool failed[4] = { true, true, false, true };
	for (unsigned i = 0; i < 4; i++)
		batch_add(&batch, 0x3001 + 0x1000 * i, bytes[i], 8, &failed[i]);
	assert_true(batch_read(&batch, &memory.memory));
	assert_false(failed[0] || failed[1] || failed[3]);
	assert_true(failed[2]);
	assert_int_equal(bytes[3][7], 0x01);
	assert_int_equal(bytes[2][0], 0);
	assert_int_equal(memory.calls, 2);
	batch_clear(&batch);
	batch_add(&batch, 0x5000, bytes[0], 8, NULL);
	assert_false(batch_read(&batch, &memory.memory));
	batch_deinit(&batch);
}

/* ---- the cache ---- */

static void cache_reads_a_line_once(void **state)
{
	struct holed_memory below = { { &holed_ops }, .hole = 0x5000 };
	_cleanup_memory_ struct memory *cache = NULL;
	uint64_t word, addresses[] = { 0x8000, 0x9010, 0x8008, 0xa020 };
	assert_null(memory_open_cache(&below.memory, &cache));
	for (unsigned i = 0; i < 8; i++)
		assert_true(memory_read_u64(cache, 0x7000 + 8 * i, &word));
	assert_int_equal(below.calls, 1);
	memory_expect(cache, addresses, 4, 8);
	assert_int_equal(below.calls, 2);
	for (unsigned i = 0; i < 4; i++)
		assert_true(memory_read_u64(cache, addresses[i], &word));
	assert_int_equal(below.calls, 2);
	memory_cache_clear(cache);
	assert_true(memory_read_u64(cache, 0x8000, &word));
	assert_int_equal(below.calls, 3);
}

/* Memory that holds at each address the address itself, up to an end within a line. */
static ssize_t ending_read(struct memory *memory, const struct iovec *local, const struct iovec *remote, size_t count)
{
	const uint64_t end = 0x6010;
	ssize_t total = 0;
	for (size_t i = 0; i < count; i++) {
		uint64_t at = (uint64_t)(uintptr_t)remote[i].iov_base;
		if (at + remote[i].iov_len > end) {
			errno = EFAULT;
			return total ? total : -1;
		}
		for (uint64_t k = 0; k + 8 <= remote[i].iov_len; k += 8)
			memcpy((char *)local[i].iov_base + k, &(uint64_t){ at + k }, 8);
		total += (ssize_t)remote[i].iov_len;
	}
	return total;
}

static void cache_reads_what_can_be_read(void **state)
{
	static const struct memory_ops ops = { .read = ending_read };
	struct memory below = { &ops };
	_cleanup_memory_ struct memory *cache = NULL;
	uint64_t words[80], addresses[] = { 0x5ff8, 0x6008, 0x6010, 0x1000 };
	assert_null(memory_open_cache(&below, &cache));
	memory_expect(cache, addresses, 4, 8);
	assert_true(memory_read(cache, 0x5ff8, words, 24)); /* from a line that can be had into one that cannot */
	assert_int_equal(words[0], 0x5ff8);
	assert_int_equal(words[2], 0x6008);
	assert_false(memory_read_u64(cache, 0x6010, words));
	assert_true(memory_read(cache, 0x1008, words, sizeof words));
	assert_int_equal(words[79], 0x1008 + 79 * 8);
	assert_true(memory_read_u64(cache, 8, words)); /* the first page is not kept, but may be there */
	assert_int_equal(words[0], 8);
}

/* ---- regions ---- */

static void regions_find_only_what_lies_inside(void **state)
{
	struct regions regions = { 0 };
	assert_true(regions_add(&regions, 0x1000, 64) && regions_add(&regions, 0x8000, 128));
	assert_null(regions_find(&regions, COPY_FIRST, 0x1000, 64)); /* there is no copy yet */
	assert_true(regions_make_copy(&regions, COPY_FIRST));
	memset(regions.copies[COPY_FIRST], 1, regions.size);
	assert_non_null(regions_find(&regions, COPY_FIRST, 0x1000, 64));
	assert_non_null(regions_find(&regions, COPY_FIRST, 0x8040, 64));
	assert_null(regions_find(&regions, COPY_FIRST, 0x8041, 64));
	assert_null(regions_find(&regions, COPY_FIRST, 0xfff, 8));
	assert_null(regions_find(&regions, COPY_FIRST, UINT64_MAX - 3, 8));
	regions.list.data[1].failed = true;
	assert_null(regions_find(&regions, COPY_FIRST, 0x8040, 64));
	regions_deinit(&regions);
}

/* Of a thread that stood still there is one copy; what asks for the second gets that, and nothing older. */
static void one_copy_stands_for_both(void **state)
{
	struct regions regions = { 0 };
	assert_true(regions_add(&regions, 0x1000, 256));
	regions_begin(&regions);
	assert_true(regions_make_copy(&regions, COPY_FIRST));
	memset(regions.copies[COPY_FIRST], 7, 256);
	assert_int_equal(regions_agree_until(&regions), 0x1000 + 256);
	const unsigned char *first = regions_find(&regions, COPY_FIRST, 0x1010, 8);
	assert_ptr_equal(regions_find(&regions, COPY_SECOND, 0x1010, 8), first);
	assert_true(regions_make_copy(&regions, COPY_SECOND));
	assert_ptr_equal(regions_find(&regions, COPY_SECOND, 0x1010, 8), first); /* made for an earlier read */
	regions_deinit(&regions);
}

static void regions_compare_from_the_root(void **state)
{
	struct regions regions = { 0 };
	assert_true(regions_add(&regions, 0x1000, 2048) && regions_add(&regions, 0x9000, 64));
	for (int i = 0; i < COPIES; i++)
		assert_true(regions_make_copy(&regions, i) && memset(regions.copies[i], 7, regions.room));
	assert_int_equal(regions_unchanged_until(&regions), 0); /* there was no last sample */
	regions.last_valid = true;
	assert_int_equal(regions_unchanged_until(&regions), 0x1000 + 2048);
	assert_int_equal(regions_agree_until(&regions), 0x1000 + 2048);
	regions_begin(&regions);
	regions.copies[COPY_FIRST][1500] = 8;
	uint64_t until = regions_unchanged_until(&regions);
	assert_true(until <= 0x1000 + 1500 && until > 0x1000 + 1024);
	regions_keep(&regions);
	assert_true(regions.last_valid);
	assert_int_equal(regions.copies[COPY_LAST][1500], 8);
	regions.copies[COPY_FIRST][regions.list.data[1].offset] = 9;
	regions_begin(&regions);
	assert_int_equal(regions_unchanged_until(&regions), 0);
	regions.list.data[1].failed = true;
	regions.copies[COPY_FIRST][regions.list.data[1].offset] = 7;
	regions_begin(&regions);
	assert_int_equal(regions_unchanged_until(&regions), 0);
	assert_true(regions_add(&regions, 0xa000, 8));
	assert_false(regions.last_valid);
	regions_deinit(&regions);
}

/* ---- evidence ---- */

static void evidence_needs_several_votes_and_no_rarity(void **state)
{
	struct evidence evidence = { 0 };
	for (int i = 0; i < EVIDENCE_ENOUGH; i++) {
		assert_false(evidence_trusts(&evidence, 1, 10, 2));
		assert_true(evidence_add(&evidence, 1, 10, 2));
	}
	assert_true(evidence_trusts(&evidence, 1, 10, 2));
	assert_false(evidence_trusts(&evidence, 1, 12, 2));
	/* A step that is seen three times in a hundred at its place is not known, one in ten thousand is chance. */
	for (int i = 0; i < 100; i++)
		assert_true(evidence_add(&evidence, 1, 10, 3));
	assert_true(evidence_trusts(&evidence, 1, 10, 3));
	assert_false(evidence_trusts(&evidence, 1, 10, 2));
	assert_false(evidence_is_chance(&evidence, 1, 10, 2));
	for (int i = 0; i < 10000; i++)
		assert_true(evidence_add(&evidence, 1, 10, 3));
	assert_true(evidence_is_chance(&evidence, 1, 10, 2));
	int32_t site;
	assert_true(evidence_site(&evidence, 1, 3, &site));
	assert_int_equal(site, 10);
	assert_false(evidence_site(&evidence, 3, 1, &site));
	evidence_deinit(&evidence);
}

enum { MAIN = 1, ONE, OTHER, LEAF };

/* Two copies that agree by chance show MAIN at its call of OTHER with ONE on it, as often as the truth. */
static void evidence_believes_names_before_votes(void **state)
{
	struct evidence evidence = { 0 };
	int32_t site;
	for (int i = 0; i < 10; i++) {
		assert_true(evidence_add(&evidence, MAIN, 10, ONE) && evidence_add(&evidence, MAIN, 20, ONE));
		assert_true(evidence_add(&evidence, MAIN, 30, ONE));
	}
	assert_true(evidence_set_step(&evidence, MAIN, 20, ONE, STEP_OTHER_NAME));
	assert_true(evidence_set_step(&evidence, MAIN, 30, ONE, STEP_NO_CALL));
	/* Nothing is known of names yet: votes count. */
	assert_true(evidence_trusts(&evidence, MAIN, 20, ONE) && evidence_trusts(&evidence, MAIN, 30, ONE));
	assert_true(evidence_set_step(&evidence, MAIN, 10, ONE, STEP_NAMED));
	assert_true(evidence_trusts(&evidence, MAIN, 20, ONE)); /* may be a call through a variable of that name */
	assert_false(evidence_trusts(&evidence, MAIN, 30, ONE));
	assert_true(evidence_set_step(&evidence, MAIN, 20, OTHER, STEP_NAMED));
	assert_true(evidence_trusts(&evidence, MAIN, 20, OTHER)); /* without a vote */
	assert_false(evidence_trusts(&evidence, MAIN, 20, ONE));
	assert_true(evidence_is_chance(&evidence, MAIN, 20, ONE) && evidence_is_chance(&evidence, MAIN, 30, ONE));
	/* What speaks against the names moves no call site either. */
	assert_true(evidence_add(&evidence, MAIN, 10, ONE) && evidence_add(&evidence, MAIN, 20, ONE));
	assert_true(evidence_site(&evidence, MAIN, ONE, &site));
	assert_int_equal(site, 10);
	evidence_deinit(&evidence);
}

static void evidence_knows_the_only_caller(void **state)
{
	struct evidence evidence = { 0 };
	assert_int_equal(evidence_only_caller(&evidence, LEAF), 0);
	for (int i = 0; i < EVIDENCE_ENOUGH; i++)
		assert_true(evidence_add(&evidence, ONE, 10, LEAF) && evidence_add(&evidence, ONE, 20, LEAF));
	assert_int_equal(evidence_only_caller(&evidence, LEAF), ONE);
	assert_true(evidence_add(&evidence, OTHER, 10, LEAF)); /* once is not enough */
	assert_int_equal(evidence_only_caller(&evidence, LEAF), ONE);
	assert_true(evidence_set_step(&evidence, OTHER, 10, LEAF, STEP_NAMED));
	assert_int_equal(evidence_only_caller(&evidence, LEAF), 0);
	evidence_deinit(&evidence);
}

static void evidence_tells_roots_from_frames_that_lost_their_caller(void **state)
{
	struct evidence evidence = { 0 };
	assert_false(evidence_is_root(&evidence, MAIN));
	assert_true(evidence_add_root(&evidence, MAIN) && evidence_is_root(&evidence, MAIN));
	assert_true(evidence_set_step(&evidence, MAIN, 10, LEAF, STEP_NAMED));
	for (int i = 0; i < 1000; i++)
		assert_true(evidence_add(&evidence, MAIN, 10, LEAF));
	for (int i = 0; i < 5; i++)
		assert_true(evidence_add_root(&evidence, LEAF));
	assert_false(evidence_is_root(&evidence, LEAF)); /* five in a thousand */
	for (int i = 0; i < 5; i++)
		assert_true(evidence_add_root(&evidence, LEAF));
	assert_true(evidence_is_root(&evidence, LEAF)); /* one in a hundred: it is a thread's function, too */
	evidence_deinit(&evidence);
}

/* ---- the registry ---- */

struct counting_sink {
	struct sink sink;
	uint32_t codes, stacks;
};

static struct error *count_code(struct sink *sink, const struct code_def *def)
{
	struct counting_sink *counting = (struct counting_sink *)sink;
	assert_int_equal(def->id, ++counting->codes);
	return NULL;
}

static struct error *count_stack(struct sink *sink, const struct stack_def *def)
{
	struct counting_sink *counting = (struct counting_sink *)sink;
	assert_int_equal(def->id, ++counting->stacks);
	assert_true(def->parent < def->id);
	return NULL;
}

static const struct sink_ops counting_ops = { .code = count_code, .stack = count_stack };

static void registry_knows_code_by_its_content(void **state)
{
	struct counting_sink counting = { .sink = { &counting_ops } };
	struct registry registry;
	uint32_t a, b, c;
	registry_init(&registry, &counting.sink);
	struct code_def def = { .first_line = 3, .file = { "x.py", 4 }, .name = { "f", 1 }, .line_table = { "ab", 2 } };
	assert_null(registry_code(&registry, &def, &a));
	char again[] = "x.py";
	def.file.data = again;
	assert_null(registry_code(&registry, &def, &b));
	assert_int_equal(a, b);
	def.line_table.size = 1;
	assert_null(registry_code(&registry, &def, &c));
	assert_int_not_equal(a, c);
	/* The same bytes in other fields are another code. */
	struct code_def shifted = {
		.first_line = 3, .file = { "x.p", 3 }, .name = { "yf", 2 }, .line_table = { "ab", 2 }
	};
	assert_null(registry_code(&registry, &shifted, &c));
	assert_int_equal(counting.codes, 3);
	registry_deinit(&registry);
}

static void registry_gives_a_stack_one_id(void **state)
{
	enum { MANY = 20000 };
	struct counting_sink counting = { .sink = { &counting_ops } };
	struct registry registry;
	registry_init(&registry, &counting.sink);
	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t id;
		assert_int_equal(registry_find_stack(&registry, i / 2, 1 + i % 7, (int32_t)i), 0);
		assert_null(registry_add_stack(&registry, i / 2, 1 + i % 7, (int32_t)i, &id));
	}
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(registry_find_stack(&registry, i / 2, 1 + i % 7, (int32_t)i), i + 1);
	registry_deinit(&registry);
}

/* ---- walking ---- */

/* Two heap frames of 3.8 that point at each other. */
static void walk_of_a_circle_ends(void **state)
{
	const struct layout *layout = layout_find(0x0308, false);
	struct thread thread = { 0 };
	uint64_t missing, addresses[2] = { 0x10000, 0x20000 };
	for (int i = 0; i < 2; i++) {
		assert_true(regions_add(
			&thread.regions, addresses[i] + frame_bytes_start(layout), frame_bytes_size(layout)));
		assert_true(regions_make_copy(&thread.regions, COPY_FIRST));
		unsigned char *bytes = region_bytes(&thread.regions, &thread.regions.list.data[i], COPY_FIRST);
		memset(bytes, 0, frame_bytes_size(layout));
		memcpy(bytes, &addresses[1 - i], 8);
		memcpy(bytes + layout->pyframe.code - layout->pyframe.back, &addresses[0], 8);
	}
	assert_int_equal(frames_walk(&thread, layout, COPY_FIRST, addresses[0], &thread.walked, &missing), WALK_CUT);
	assert_int_equal(thread.walked.frames.count, THREAD_FRAMES_MAX);
	assert_int_equal(frames_walk(&thread, layout, COPY_FIRST, 0x30000, &thread.walked, &missing), WALK_MISSING);
	assert_int_equal(missing, 0x30000);
	assert_int_equal(frames_walk(&thread, layout, COPY_FIRST, 0x10001, &thread.walked, &missing), WALK_BROKEN);
	assert_int_equal(frames_walk(&thread, layout, COPY_FIRST, 0, &thread.walked, &missing), WALK_COMPLETE);
	vec_free(&thread.walked.frames);
	regions_deinit(&thread.regions);
}

/* ---- the first look ---- */

enum { FAKE_THREADS = 40, FAKE_START = 0x100000, FAKE_SIZE = 0x80000, FAKE_CHUNK = 0x1000, FAKE_ENTRY = 0x60000 };

/* A process of which nothing is known but that its threads have stacks. */
struct fake_memory {
	struct memory memory;
	unsigned calls;
	unsigned char bytes[FAKE_SIZE];
};

static ssize_t fake_read(struct memory *memory, const struct iovec *local, const struct iovec *remote, size_t count)
{
	struct fake_memory *fake = (struct fake_memory *)memory;
	ssize_t total = 0;
	fake->calls++;
	for (size_t i = 0; i < count; i++) {
		uint64_t at = (uint64_t)(uintptr_t)remote[i].iov_base - FAKE_START;
		if (at >= FAKE_SIZE || FAKE_SIZE - at < remote[i].iov_len) {
			errno = EFAULT;
			return total ? total : -1;
		}
		memcpy(local[i].iov_base, fake->bytes + at, remote[i].iov_len);
		total += (ssize_t)remote[i].iov_len;
	}
	return total;
}

static void put(struct fake_memory *fake, uint64_t address, uint64_t value)
{
	memcpy(fake->bytes + (address - FAKE_START), &value, sizeof value);
}

/* A thread with one frame in its chunk, called from an entry on the C stack, which was called from a frame in the
 * chunk. */
static struct thread *add_fake_thread(struct fake_memory *fake, struct target *target, unsigned i)
{
	const struct layout *l = &target->runtime.layout;
	uint64_t chunk = FAKE_START + FAKE_CHUNK * i, root = chunk + l->stack_chunk.data, leaf = root + 256,
		 entry = FAKE_START + FAKE_ENTRY + 256 * i, top = leaf + 256;
	struct thread *thread = calloc(1, sizeof *thread + THREAD_STATE_MAX);
	assert_non_null(thread);
	thread->proc_fd = -1;
	memcpy(thread->state + l->tstate.frame, &leaf, 8);
	memcpy(thread->state + l->tstate.datastack_chunk, &chunk, 8);
	memcpy(thread->state + l->tstate.datastack_top, &top, 8);
	put(fake, chunk + l->stack_chunk.size, FAKE_CHUNK);
	put(fake, leaf + l->iframe.previous, entry);
	put(fake, entry + l->iframe.previous, root);
	assert_true(vec_push(&target->threads, thread));
	return thread;
}

/* A 3.13 with so many threads; the memory is the caller's to free. */
static struct fake_memory *make_fake_target(struct target *target, unsigned threads)
{
	static const struct memory_ops ops = { .read = fake_read };
	struct fake_memory *fake = calloc(1, sizeof *fake);
	*target = (struct target){ .memory = &fake->memory, .state_size = THREAD_STATE_MAX };
	fake->memory.ops = &ops;
	target->runtime.layout = *layout_find(0x030d, false);
	for (unsigned i = 0; i < threads; i++)
		add_fake_thread(fake, target, i);
	return fake;
}

static bool is_planned(struct thread *thread, const struct layout *l, uint64_t frame)
{
	for (size_t i = 0; i < thread->regions.list.count; i++) {
		const struct region *region = &thread->regions.list.data[i];
		if (frame >= region->start && frame + frame_bytes_size(l) <= region->start + region->size)
			return true;
	}
	return false;
}

static void first_look_follows_all_threads_together(void **state)
{
	struct target target;
	struct fake_memory *fake = make_fake_target(&target, FAKE_THREADS);
	const struct layout *l = &target.runtime.layout;
	assert_null(first_look(&target));
	assert_int_equal(fake->calls, 3); /* heads, used parts, entries */
	for (unsigned i = 0; i < FAKE_THREADS; i++) {
		struct thread *thread = target.threads.data[i];
		uint64_t root = FAKE_START + FAKE_CHUNK * i + l->stack_chunk.data;
		assert_true(is_planned(thread, l, root) && is_planned(thread, l, root + 256));
		assert_true(is_planned(thread, l, FAKE_START + FAKE_ENTRY + 256 * i));
	}
	assert_null(first_look(&target)); /* they are known now */
	assert_int_equal(fake->calls, 3);
	threads_destroy(&target);
	batch_deinit(&target.batch);
	free(fake);
}

/* A chain that leads nowhere, or round and round, ends; the other threads do not suffer. */
static void first_look_survives_bad_chains(void **state)
{
	struct target target;
	struct fake_memory *fake = make_fake_target(&target, 4);
	const struct layout *l = &target.runtime.layout;
	put(fake, FAKE_START + FAKE_ENTRY + l->iframe.previous, 0x7000); /* to where nothing is */
	put(fake, FAKE_START + FAKE_ENTRY + 256 + l->iframe.previous, FAKE_START + FAKE_ENTRY + 256);
	memset(target.threads.data[2]->state, 0xff, THREAD_STATE_MAX);
	assert_null(first_look(&target));
	assert_true(fake->calls < 10);
	assert_true(target.threads.data[0]->holes && !target.threads.data[3]->holes);
	assert_true(is_planned(target.threads.data[3], l, FAKE_START + FAKE_ENTRY + 256 * 3));
	threads_destroy(&target);
	batch_deinit(&target.batch);
	free(fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batch_goes_on_after_what_cannot_be_read),
		cmocka_unit_test(cache_reads_a_line_once),
		cmocka_unit_test(cache_reads_what_can_be_read),
		cmocka_unit_test(regions_find_only_what_lies_inside),
		cmocka_unit_test(one_copy_stands_for_both),
		cmocka_unit_test(regions_compare_from_the_root),
		cmocka_unit_test(evidence_needs_several_votes_and_no_rarity),
		cmocka_unit_test(evidence_believes_names_before_votes),
		cmocka_unit_test(evidence_knows_the_only_caller),
		cmocka_unit_test(evidence_tells_roots_from_frames_that_lost_their_caller),
		cmocka_unit_test(registry_knows_code_by_its_content),
		cmocka_unit_test(registry_gives_a_stack_one_id),
		cmocka_unit_test(walk_of_a_circle_ends),
		cmocka_unit_test(first_look_follows_all_threads_together),
		cmocka_unit_test(first_look_survives_bad_chains),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
