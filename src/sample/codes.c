#include "sample/codes.h"

#include "base/clock.h"

enum { ENTRIES_MAX = 1 << 16, CHECK_EVERY = 50 * NS_PER_US };

void codes_init(struct codes *codes, struct memory *memory, const struct runtime *runtime, struct registry *registry)
{
	*codes = (struct codes){ .memory = memory, .runtime = runtime, .registry = registry };
	codes->has_generation = runtime->layout.interp.code_object_generation != LAYOUT_NONE;
}

void codes_deinit(struct codes *codes)
{
	map_deinit(&codes->by_address);
	vec_free(&codes->entries);
	vec_free(&codes->sorted);
}

void codes_clear(struct codes *codes)
{
	map_clear(&codes->by_address);
	codes->entries.count = 0;
	codes->sorted.count = 0;
	codes->watched_count = 0;
}

static bool read_head(const struct codes *codes, uint64_t address, struct code_head *ret_head)
{
	unsigned char bytes[CODE_HEAD_MAX];
	const struct layout *layout = &codes->runtime->layout;
	return memory_read(codes->memory, address, bytes, code_head_size(layout)) &&
	       code_head_parse(layout, bytes, ret_head);
}

/* Copies the code object; id 0 when it is none. */
static struct error *fill(struct codes *codes, struct code_entry *entry)
{
	struct code_content content;
	entry->id = 0;
	entry->checked_at = codes->now;
	entry->generation = codes->generation;
	if (!read_head(codes, entry->address, &entry->head) ||
		!code_read(codes->memory, codes->runtime, entry->address, &entry->head, &content))
		return NULL;
	const struct code_def def = { .first_line = content.first_line,
		.line_table_kind = content.line_table_kind,
		.file = content.file,
		.name = content.name,
		.qualname = content.qualname,
		.line_table = content.line_table };
	struct error *error = registry_code(codes->registry, &def, &entry->id);
	code_content_deinit(&content);
	return error;
}

static bool is_fresh(const struct codes *codes, const struct code_entry *entry)
{
	if (codes->has_generation)
		return entry->generation == codes->generation;
	return codes->now - entry->checked_at < CHECK_EVERY;
}

static void watch(struct codes *codes, struct code_entry *entry)
{
	entry->unmet = 0;
	if (entry->watched || codes->has_generation || codes->watched_count == CODES_WATCHED_MAX)
		return;
	entry->watched = true;
	codes->watched[codes->watched_count++] = (size_t)(entry - codes->entries.data);
}

void codes_choose_due(struct codes *codes)
{
	enum { SOON = 35 * NS_PER_US, UNMET_MAX = 4 };
	unsigned kept = 0;
	codes->due_count = 0;
	for (unsigned i = 0; i < codes->watched_count; i++) {
		struct code_entry *entry = &codes->entries.data[codes->watched[i]];
		bool due = codes->now - entry->checked_at >= SOON && codes->due_count < CODES_DUE_MAX;
		entry->watched = !due || entry->unmet++ < UNMET_MAX;
		if (!entry->watched)
			continue;
		codes->watched[kept++] = codes->watched[i];
		if (due)
			codes->due[codes->due_count++].address = entry->address;
	}
	codes->watched_count = kept;
}

void codes_note_due(struct codes *codes)
{
	for (unsigned i = 0; i < codes->due_count; i++)
		if (!codes->due[i].failed)
			codes_note_head(codes, codes->due[i].address, codes->due[i].bytes);
	codes->due_count = 0;
}

static struct error *check(struct codes *codes, struct code_entry *entry)
{
	struct code_head head;
	if (entry->id && read_head(codes, entry->address, &head) && code_head_equal(&head, &entry->head)) {
		entry->checked_at = codes->now;
		entry->generation = codes->generation;
		return NULL;
	}
	return fill(codes, entry);
}

void codes_note_head(struct codes *codes, uint64_t address, const unsigned char *bytes)
{
	struct code_head head;
	const uint64_t *index = map_get(&codes->by_address, address);
	struct code_entry *entry = index ? &codes->entries.data[*index] : NULL;
	if (entry && entry->id && code_head_parse(&codes->runtime->layout, bytes, &head) &&
		code_head_equal(&head, &entry->head))
		entry->checked_at = codes->now;
}

struct error *codes_get(struct codes *codes, uint64_t address, const struct code_entry **ret_entry)
{
	*ret_entry = NULL;
	if (address < 4096 || address & 7 || address >> 47)
		return NULL;
	uint64_t *index = map_get(&codes->by_address, address);
	if (index) {
		struct code_entry *entry = &codes->entries.data[*index];
		if (!is_fresh(codes, entry))
			TRY(check(codes, entry));
		if (codes->watches)
			watch(codes, entry);
		*ret_entry = entry->id ? entry : NULL;
		return NULL;
	}
	if (codes->entries.count >= ENTRIES_MAX)
		codes_clear(codes);
	struct code_entry entry = { .address = address };
	TRY(fill(codes, &entry));
	if (!entry.id) /* garbage of a torn read is not worth a place */
		return NULL;
	if (!map_put(&codes->by_address, address, codes->entries.count) || !vec_push(&codes->entries, entry))
		return &error_no_memory;
	*ret_entry = &codes->entries.data[codes->entries.count - 1];
	return NULL;
}

static int compare_addresses(const void *a, const void *b)
{
	uint64_t one = *(const uint64_t *)a, two = *(const uint64_t *)b;
	return one < two ? -1 : one > two;
}

static bool sort_addresses(struct codes *codes)
{
	codes->sorted.count = 0;
	for (size_t i = 0; i < codes->entries.count; i++)
		if (!vec_push(&codes->sorted, codes->entries.data[i].address))
			return false;
	qsort(codes->sorted.data, codes->sorted.count, sizeof *codes->sorted.data, compare_addresses);
	return true;
}

uint64_t codes_find_instruction(struct codes *codes, uint64_t instruction)
{
	if (codes->sorted.count != codes->entries.count && !sort_addresses(codes))
		return 0;
	size_t low = 0, high = codes->sorted.count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (codes->sorted.data[middle] <= instruction)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return 0;
	uint64_t address = codes->sorted.data[low - 1];
	const struct code_entry *entry = &codes->entries.data[*map_get(&codes->by_address, address)];
	uint64_t start = code_instructions(&codes->runtime->layout, address);
	return start && instruction >= start && instruction - start < entry->head.instructions ? address : 0;
}
