#include "recording/columns.h"

#include <string.h>

/* The head byte: below ESCAPE_1 the number itself; four escapes with one tail byte, then 2, 3, 5 or 8 of them. */
enum {
	ESCAPE_1 = 248,
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

static unsigned char *put_tail(unsigned char *tail, uint64_t value)
{
	unsigned size = tail_size(value);
	uint64_t bytes = size == 1 ? (value - ESCAPE_1) % 256 : value;
	memcpy(tail, &bytes, size);
	return tail + size;
}

/* Cuts before and after [begin, end) of the packed bytes, when they are worth it. */
static void cut_around(struct packed *packed, size_t begin, size_t end)
{
	if (end - begin < CUT_MIN)
		return;
	size_t last = packed->cuts.count ? packed->cuts.data[packed->cuts.count - 1] : 0;
	bool fits = begin <= last || vec_push(&packed->cuts, begin);
	if (!fits || !vec_push(&packed->cuts, end))
		packed->bytes.failed = true;
}

struct column_size {
	bool dense;
	size_t heads, tails;
	uint32_t last_end; /* position after the last exception */
};

static struct column_size measure(const struct column_writer *column, uint32_t count)
{
	struct column_size size = { .dense = column->exceptions.count > count / 2 };
	for (size_t i = 0; i < column->exceptions.count; i++) {
		const struct column_exception *exception = &column->exceptions.data[i];
		size.tails += tail_size(exception->value);
		if (!size.dense)
			size.tails += tail_size(exception->position - size.last_end);
		size.last_end = exception->position + 1;
	}
	size.heads = size.dense ? count : 2 * column->exceptions.count;
	return size;
}

static void pack_dense(const struct column_writer *column, unsigned char *heads, unsigned char *tail, uint32_t count)
{
	memset(heads, 0, count);
	for (size_t i = 0; i < column->exceptions.count; i++) {
		const struct column_exception *exception = &column->exceptions.data[i];
		heads[exception->position] = head_of(exception->value);
		tail = put_tail(tail, exception->value);
	}
}

static void pack_sparse(const struct column_writer *column, unsigned char *runs, unsigned char *tail)
{
	unsigned char *values = runs + column->exceptions.count;
	uint32_t last_end = 0;
	for (size_t i = 0; i < column->exceptions.count; i++) {
		const struct column_exception *exception = &column->exceptions.data[i];
		uint32_t run = exception->position - last_end;
		runs[i] = head_of(run);
		values[i] = head_of(exception->value);
		tail = put_tail(put_tail(tail, run), exception->value);
		last_end = exception->position + 1;
	}
}

void column_writer_pack(const struct column_writer *column, unsigned id, uint32_t count, struct packed *packed)
{
	packed->bytes.failed |= column->failed;
	size_t exceptions = column->exceptions.count;
	if (!exceptions)
		return;
	struct column_size size = measure(column, count);
	unsigned char number[VARINT_MAX];
	size_t number_size = size.dense ? 0 : (size_t)(varint_put(number, exceptions) - number);
	buffer_add_char(&packed->bytes, (char)(id | (size.dense ? DENSE_BIT : 0)));
	buffer_add_varint(&packed->bytes, number_size + size.heads + size.tails);
	buffer_add(&packed->bytes, number, number_size);
	if (!buffer_reserve(&packed->bytes, size.heads + size.tails))
		return;
	size_t begin = packed->bytes.size;
	unsigned char *heads = (unsigned char *)packed->bytes.data + begin;
	packed->bytes.size += size.heads + size.tails;
	if (size.dense) {
		pack_dense(column, heads, heads + size.heads, count);
		cut_around(packed, begin, begin + size.heads);
	} else {
		pack_sparse(column, heads, heads + size.heads);
		cut_around(packed, begin, begin + exceptions);
		cut_around(packed, begin + exceptions, begin + size.heads);
	}
	cut_around(packed, begin + size.heads, packed->bytes.size);
}

static uint64_t take(struct column_reader *column, unsigned char head)
{
	static const unsigned char sizes[8] = { 1, 1, 1, 1, 2, 3, 5, 8 };
	if (head < ESCAPE_1)
		return head;
	unsigned size = sizes[head - ESCAPE_1];
	if (size > (size_t)(column->end - column->tail)) {
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

const char *column_reader_init(struct bytes_reader *bytes, uint32_t count, unsigned *ret_id, struct column_reader *ret)
{
	const unsigned char *id = read_bytes(bytes, 1);
	uint64_t size = read_varint(bytes);
	const unsigned char *content = read_bytes(bytes, size);
	if (bytes->bad)
		return "a column is cut off";
	struct bytes_reader rest = { content, content + size, false };
	struct column_reader column = { .end = rest.end, .is_dense = *id & DENSE_BIT };
	uint64_t heads = count;
	if (!column.is_dense) {
		uint64_t exceptions = read_varint(&rest);
		if (rest.bad || exceptions > count)
			return "a column has more numbers than it should";
		column.exceptions = (uint32_t)exceptions;
		heads = 2 * exceptions;
	}
	column.runs = rest.at;
	column.values = rest.at + column.exceptions;
	column.tail = read_bytes(&rest, heads);
	if (rest.bad)
		return "a column has fewer numbers than it should";
	column.tail += heads;
	column.dense = column.is_dense ? count : 0;
	if (column.exceptions)
		take_run(&column);
	*ret_id = *id & ~(unsigned)DENSE_BIT;
	*ret = column;
	return NULL;
}
