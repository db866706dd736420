#include "recording/columns.h"

#include <string.h>

/* The head byte: below ESCAPE_1 the number itself; four escapes with one tail byte, then 2, 3, 5 or 8 of them. */
enum {
	ESCAPE_1 = COLUMN_BYTE_END,
	ESCAPE_2 = 252,
	ESCAPE_3 = 253,
	ESCAPE_5 = 254,
	ESCAPE_8 = 255,
	SMALL_END = ESCAPE_1 + (ESCAPE_2 - ESCAPE_1) * 256,
	DENSE_BIT = 0x80,
	CUT_MIN = 160, /* bytes that are worth a table of their own */
};

void packed_clear(struct packed *packed)
{
	packed->bytes.size = 0;
	packed->cuts.count = 0;
}

void packed_deinit(struct packed *packed)
{
	buffer_deinit(&packed->bytes);
	vec_free(&packed->cuts);
}

void column_writer_clear(struct column_writer *column)
{
	column->exceptions.count = 0;
	column->failed = false;
}

void column_writer_deinit(struct column_writer *column)
{
	vec_free(&column->exceptions);
}

void column_writer_add(struct column_writer *column, uint32_t position, uint64_t value)
{
	if (!vec_push(&column->exceptions, (struct column_exception){ value, position }))
		column->failed = true;
}

static unsigned tail_size(uint64_t value)
{
	if (value < ESCAPE_1)
		return 0;
	if (value < SMALL_END)
		return 1;
	if (value < 1u << 16)
		return 2;
	if (value < 1u << 24)
		return 3;
	return value >> 40 ? 8 : 5;
}

static unsigned char head_of(uint64_t value)
{
	static const unsigned char escapes[9] = { [2] = ESCAPE_2, [3] = ESCAPE_3, [5] = ESCAPE_5, [8] = ESCAPE_8 };
	if (value < ESCAPE_1)
		return (unsigned char)value;
	if (value < SMALL_END)
		return (unsigned char)(ESCAPE_1 + (value - ESCAPE_1) / 256);
	return escapes[tail_size(value)];
}

static void put_tail(struct buffer *bytes, uint64_t value)
{
	unsigned size = tail_size(value);
	uint64_t tail = size == 1 ? (value - ESCAPE_1) % 256 : value;
	if (size)
		buffer_add(bytes, &tail, size);
}

/* How a column will be written. */
struct column_shape {
	unsigned id;
	bool dense;
	size_t heads; /* bytes; of a sparse column those of the runs, then those of the values */
	size_t tails;
};

static struct column_shape measure(const struct column_writer *column, unsigned id)
{
	size_t exceptions = column->exceptions.count;
	struct column_shape shape = { .id = id, .dense = exceptions > column->count / 2 };
	uint32_t last_end = 0;
	for (size_t i = 0; i < exceptions; i++) {
		const struct column_exception *exception = &column->exceptions.data[i];
		shape.tails += tail_size(exception->value);
		if (!shape.dense)
			shape.tails += tail_size(exception->position - last_end);
		last_end = exception->position + 1;
	}
	shape.heads = shape.dense ? column->count : 2 * exceptions;
	return shape;
}

/* Small columns first. */
static unsigned measure_all(const struct column_writer *columns, unsigned columns_count, struct column_shape *shapes)
{
	unsigned found = 0;
	for (unsigned big = 0; big < 2; big++)
		for (unsigned i = 0; i < columns_count; i++) {
			if (!columns[i].exceptions.count)
				continue;
			struct column_shape shape = measure(&columns[i], i);
			if ((shape.heads >= CUT_MIN) == big)
				shapes[found++] = shape;
		}
	return found;
}

static void put_directory(const struct column_shape *shapes, unsigned count, struct buffer *bytes)
{
	buffer_add_varint(bytes, count);
	for (unsigned i = 0; i < count; i++) {
		buffer_add_char(bytes, (char)(shapes[i].id | (shapes[i].dense ? DENSE_BIT : 0)));
		buffer_add_varint(bytes, shapes[i].dense ? shapes[i].heads : shapes[i].heads / 2);
		buffer_add_varint(bytes, shapes[i].tails);
	}
}

static void put_tails(const struct column_writer *column, bool dense, struct buffer *bytes)
{
	uint32_t last_end = 0;
	for (size_t i = 0; i < column->exceptions.count; i++) {
		const struct column_exception *exception = &column->exceptions.data[i];
		if (!dense)
			put_tail(bytes, exception->position - last_end);
		put_tail(bytes, exception->value);
		last_end = exception->position + 1;
	}
}

/* A place for `size` bytes at the end of `packed`, with a cut before it when that is worth it; NULL: no memory. What is
 * small stays in the table before it. */
static unsigned char *make_place(struct packed *packed, size_t size)
{
	if (!buffer_reserve(&packed->bytes, size))
		return NULL;
	size_t begin = packed->bytes.size;
	if (size >= CUT_MIN && !vec_push(&packed->cuts, begin))
		packed->bytes.failed = true;
	packed->bytes.size += size;
	return (unsigned char *)packed->bytes.data + begin;
}

static void put_dense_heads(const struct column_writer *column, struct packed *packed)
{
	unsigned char *heads = make_place(packed, column->count);
	if (!heads)
		return;
	memset(heads, 0, column->count);
	for (size_t i = 0; i < column->exceptions.count; i++)
		heads[column->exceptions.data[i].position] = head_of(column->exceptions.data[i].value);
}

static void put_sparse_heads(const struct column_writer *column, struct packed *packed)
{
	size_t count = column->exceptions.count;
	unsigned char *runs = make_place(packed, count);
	uint32_t last_end = 0;
	for (size_t i = 0; runs && i < count; i++) {
		runs[i] = head_of(column->exceptions.data[i].position - last_end);
		last_end = column->exceptions.data[i].position + 1;
	}
	unsigned char *values = make_place(packed, count);
	for (size_t i = 0; values && i < count; i++)
		values[i] = head_of(column->exceptions.data[i].value);
}

void columns_pack(const struct column_writer *columns, unsigned columns_count, struct packed *packed)
{
	struct column_shape shapes[COLUMNS_MAX];
	unsigned count = measure_all(columns, columns_count, shapes);
	put_directory(shapes, count, &packed->bytes);
	for (unsigned i = 0; i < count; i++) {
		packed->bytes.failed |= columns[shapes[i].id].failed;
		put_tails(&columns[shapes[i].id], shapes[i].dense, &packed->bytes);
	}
	for (unsigned i = 0; i < count; i++) {
		if (shapes[i].dense)
			put_dense_heads(&columns[shapes[i].id], packed);
		else
			put_sparse_heads(&columns[shapes[i].id], packed);
	}
}

static uint64_t take(struct column_reader *column, unsigned char head)
{
	static const unsigned char sizes[8] = { 1, 1, 1, 1, 2, 3, 5, 8 };
	if (head < ESCAPE_1)
		return head;
	unsigned size = sizes[head - ESCAPE_1];
	if (size > (size_t)(column->tail_end - column->tail)) {
		column->bad = true;
		return 0;
	}
	uint64_t value = 0;
	memcpy(&value, column->tail, size);
	column->tail += size;
	return size == 1 ? ESCAPE_1 + (uint64_t)(head - ESCAPE_1) * 256 + value : value;
}

/* The run of zeros before the next exception. */
static void take_run(struct column_reader *column)
{
	uint64_t run = take(column, *column->runs++);
	column->bad |= run > UINT32_MAX;
	column->zeros = (uint32_t)run;
}

uint64_t column_reader_next_stored(struct column_reader *column)
{
	if (column->is_dense) {
		if (column->dense) {
			column->dense--;
			return take(column, *column->values++);
		}
		column->bad = true;
		return 0;
	}
	uint64_t value = take(column, *column->values++);
	if (--column->exceptions)
		take_run(column);
	return value;
}

/* An entry of the directory. */
struct column_entry {
	unsigned id;
	bool dense;
	uint64_t number;       /* of numbers, of exceptions when sparse */
	uint64_t heads, tails; /* bytes */
};

static const char *take_entry(struct bytes_reader *bytes, struct column_entry *ret)
{
	const unsigned char *id = read_bytes(bytes, 1);
	uint64_t number = read_varint(bytes), tails = read_varint(bytes);
	size_t left = (size_t)(bytes->end - bytes->at);
	if (bytes->bad || number > left || tails > left)
		return "a column is cut off";
	bool dense = *id & DENSE_BIT;
	*ret = (struct column_entry){ *id & ~(unsigned)DENSE_BIT, dense, number, dense ? number : 2 * number, tails };
	return NULL;
}

/* The heads and the tails of each column, one after the other; the column is ready to be read. */
static const char *place_columns(struct bytes_reader *bytes, const struct column_entry *entries, unsigned count,
	unsigned columns_count, struct column_reader *columns)
{
	const unsigned char *tails[COLUMNS_MAX];
	for (unsigned i = 0; i < count; i++)
		tails[i] = read_bytes(bytes, entries[i].tails);
	for (unsigned i = 0; i < count; i++) {
		const unsigned char *heads = read_bytes(bytes, entries[i].heads);
		if (bytes->bad)
			return "a column is cut off";
		if (entries[i].id >= columns_count)
			continue;
		struct column_reader *column = &columns[entries[i].id];
		column->is_dense = entries[i].dense;
		column->dense = column->is_dense ? (uint32_t)entries[i].number : 0;
		column->exceptions = column->is_dense ? 0 : (uint32_t)entries[i].number;
		column->runs = heads;
		column->values = heads + column->exceptions;
		column->tail = tails[i];
		column->tail_end = tails[i] + entries[i].tails;
		if (column->exceptions)
			take_run(column);
	}
	return NULL;
}

const char *columns_unpack(
	struct bytes_reader *bytes, const uint32_t *counts, unsigned columns_count, struct column_reader *ret)
{
	struct column_entry entries[COLUMNS_MAX];
	uint64_t count = read_varint(bytes);
	if (bytes->bad)
		return "the directory of columns is cut off";
	if (count > COLUMNS_MAX)
		return "there are more columns than there can be";
	bool seen[COLUMNS_MAX + 1] = { false };
	for (unsigned i = 0; i < count; i++) {
		const char *problem = take_entry(bytes, &entries[i]);
		if (problem)
			return problem;
		unsigned id = entries[i].id;
		if (seen[id])
			return "a column comes twice";
		seen[id] = true;
		if (id < columns_count &&
			(entries[i].dense ? entries[i].number != counts[id] : entries[i].number > counts[id]))
			return "a column has another number of entries than it should";
	}
	memset(ret, 0, columns_count * sizeof *ret);
	return place_columns(bytes, entries, (unsigned)count, columns_count, ret);
}
