/* test_sample.c: the parts that a sample is made of, each by itself: batches of reads, regions, evidence, the registry,
 * and the walk in a copy that lies. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sample/batch.h"
#include "sample/evidence.h"
#include "sample/frames.h"

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

/* ---- regions ---- */

static void regions_find_only_what_lies_inside(void **state)
{
	struct regions regions = { 0 };
	assert_true(regions_add(&regions, 0x1000, 64) && regions_add(&regions, 0x8000, 128));
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

static void regions_compare_from_the_root(void **state)
{
	struct regions regions = { 0 };
	assert_true(regions_add(&regions, 0x1000, 2048) && regions_add(&regions, 0x9000, 64));
	for (int i = 0; i < COPIES; i++)
		memset(regions.copies[i], 7, regions.room);
	assert_int_equal(regions_same_until(&regions, COPY_FIRST, COPY_LAST), 0x1000 + 2048);
	regions.copies[COPY_FIRST][1500] = 8;
	uint64_t until = regions_same_until(&regions, COPY_FIRST, COPY_LAST);
	assert_true(until <= 0x1000 + 1500 && until > 0x1000 + 1024);
	regions_keep(&regions);
	assert_true(regions.last_valid);
	assert_int_equal(regions.copies[COPY_LAST][1500], 8);
	regions.copies[COPY_FIRST][regions.list.data[1].offset] = 9;
	assert_int_equal(regions_same_until(&regions, COPY_FIRST, COPY_LAST), 0);
	regions.list.data[1].failed = true;
	regions.copies[COPY_FIRST][regions.list.data[1].offset] = 7;
	assert_int_equal(regions_same_until(&regions, COPY_FIRST, COPY_LAST), 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batch_goes_on_after_what_cannot_be_read),
		cmocka_unit_test(regions_find_only_what_lies_inside),
		cmocka_unit_test(regions_compare_from_the_root),
		cmocka_unit_test(evidence_needs_several_votes_and_no_rarity),
		cmocka_unit_test(registry_knows_code_by_its_content),
		cmocka_unit_test(registry_gives_a_stack_one_id),
		cmocka_unit_test(walk_of_a_circle_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
