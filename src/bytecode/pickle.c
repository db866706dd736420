/* pickle.c: see pickle.h. A pickle is a program for a machine with a stack, a memo of values by number, and marks on
 * the stack. Each instruction adds at most a few entries, so memory is bounded by the bytes. */
#include "bytecode/pickle.h"

#include <string.h>

enum { LOWEST_PROTOCOL = 2, HIGHEST_PROTOCOL = 5, MARK = UINT32_MAX };

enum opcode {
	OP_PROTO = 0x80,
	OP_NEWOBJ = 0x81,
	OP_TUPLE1 = 0x85,
	OP_TUPLE2 = 0x86,
	OP_TUPLE3 = 0x87,
	OP_NEWTRUE = 0x88,
	OP_NEWFALSE = 0x89,
	OP_LONG1 = 0x8a,
	OP_LONG4 = 0x8b,
	OP_SHORT_BINUNICODE = 0x8c,
	OP_BINUNICODE8 = 0x8d,
	OP_BINBYTES8 = 0x8e,
	OP_STACK_GLOBAL = 0x93,
	OP_MEMOIZE = 0x94,
	OP_FRAME = 0x95,
};

struct machine {
	const unsigned char *data;
	size_t size, at;
	struct pickle *pickle;
	VEC(uint32_t) stack; /* numbers of values, and MARK */
	VEC(uint32_t) memo;  /* numbers of values + 1; 0: none */
};

static struct error *damaged(const struct machine *m, const char *what)
{
	return error_new(ERROR_CORRUPT, "the pickle is damaged at byte %zu: %s", m->at, what);
}

static struct error *take(struct machine *m, uint64_t count, const unsigned char **ret_bytes)
{
	if (count > m->size - m->at)
		return damaged(m, "it is cut off");
	*ret_bytes = m->data + m->at;
	m->at += (size_t)count;
	return NULL;
}

static uint64_t little(const unsigned char *bytes, size_t count)
{
	uint64_t value = 0;
	for (size_t i = 0; i < count && i < sizeof value; i++)
		value |= (uint64_t)bytes[i] << 8 * i;
	return value;
}

static struct error *take_number(struct machine *m, unsigned bytes, uint64_t *ret_number)
{
	const unsigned char *at;
	TRY(take(m, bytes, &at));
	*ret_number = little(at, bytes);
	return NULL;
}

/* ---- the stack ---- */

static struct error *push_number(struct machine *m, uint32_t number)
{
	return vec_push(&m->stack, number) ? NULL : &error_no_memory;
}

static struct error *push(struct machine *m, struct pickle_value value)
{
	if (!vec_push(&m->pickle->values, value))
		return &error_no_memory;
	return push_number(m, (uint32_t)m->pickle->values.count - 1);
}

static struct error *pop(struct machine *m, uint32_t *ret_number)
{
	if (!m->stack.count || m->stack.data[m->stack.count - 1] == MARK)
		return damaged(m, "a value is missing");
	*ret_number = m->stack.data[--m->stack.count];
	return NULL;
}

static struct error *top(struct machine *m, uint32_t *ret_number)
{
	TRY(pop(m, ret_number));
	m->stack.count++;
	return NULL;
}

/* Where the values above the last mark begin. */
static struct error *find_mark(struct machine *m, size_t *ret_base)
{
	for (size_t i = m->stack.count; i-- > 0;)
		if (m->stack.data[i] == MARK) {
			*ret_base = i + 1;
			return NULL;
		}
	return damaged(m, "a mark is missing");
}

/* ---- what has items ---- */

static struct error *append(struct machine *m, uint32_t container, uint32_t item)
{
	if (!vec_push(&m->pickle->items, (struct pickle_item){ .value = item }))
		return &error_no_memory;
	struct pickle_value *value = &m->pickle->values.data[container];
	uint32_t number = (uint32_t)m->pickle->items.count;
	if (value->items.last)
		m->pickle->items.data[value->items.last - 1].next = number;
	else
		value->items.first = number;
	value->items.last = number;
	value->items.count++;
	return NULL;
}

/* What stands on the stack from `base` on becomes the items of a new value in its place, or in that of the mark. */
static struct error *gather(struct machine *m, enum pickle_kind kind, size_t base, size_t place)
{
	size_t end = m->stack.count;
	if (kind == PICKLE_DICT && (end - base) % 2)
		return damaged(m, "a key has no value");
	TRY(push(m, (struct pickle_value){ .kind = kind }));
	uint32_t container = m->stack.data[end];
	for (size_t i = base; i < end; i++)
		TRY(append(m, container, m->stack.data[i]));
	m->stack.count = place;
	return push_number(m, container);
}

static struct error *gather_marked(struct machine *m, enum pickle_kind kind)
{
	size_t base;
	TRY(find_mark(m, &base));
	return gather(m, kind, base, base - 1);
}

static struct error *gather_last(struct machine *m, enum pickle_kind kind, size_t count)
{
	if (m->stack.count < count)
		return damaged(m, "a value is missing");
	size_t base = m->stack.count - count;
	for (size_t i = base; i < m->stack.count; i++)
		if (m->stack.data[i] == MARK)
			return damaged(m, "a value is missing");
	return gather(m, kind, base, base);
}

/* What stands from `base` on goes to the container below it, and `place` is what the stack is then cut to. */
static struct error *add_items(struct machine *m, enum pickle_kind kind, size_t base, size_t place)
{
	if (!place || m->stack.data[place - 1] == MARK)
		return damaged(m, "a value is missing");
	uint32_t container = m->stack.data[place - 1];
	if (m->pickle->values.data[container].kind != kind)
		return damaged(m, "items are added to what has none");
	if (kind == PICKLE_DICT && (m->stack.count - base) % 2)
		return damaged(m, "a key has no value");
	for (size_t i = base; i < m->stack.count; i++)
		TRY(append(m, container, m->stack.data[i]));
	m->stack.count = place;
	return NULL;
}

static struct error *add_marked(struct machine *m, enum pickle_kind kind)
{
	size_t base;
	TRY(find_mark(m, &base));
	return add_items(m, kind, base, base - 1);
}

static struct error *add_last(struct machine *m, enum pickle_kind kind, size_t count)
{
	if (m->stack.count < count + 1)
		return damaged(m, "a value is missing");
	for (size_t i = m->stack.count - count; i < m->stack.count; i++)
		if (m->stack.data[i] == MARK)
			return damaged(m, "a value is missing");
	return add_items(m, kind, m->stack.count - count, m->stack.count - count);
}

static struct error *set_state(struct machine *m)
{
	uint32_t state, object;
	TRY(pop(m, &state));
	TRY(top(m, &object));
	if (m->pickle->values.data[object].kind != PICKLE_OBJECT)
		return damaged(m, "what has a state is no object");
	return append(m, object, state);
}

/* ---- what has none ---- */

/* Two's complement, the lowest byte first; as large as it likes. */
static struct error *push_long(struct machine *m, unsigned size_bytes)
{
	uint64_t size;
	const unsigned char *bytes;
	TRY(take_number(m, size_bytes, &size));
	TRY(take(m, size, &bytes));
	bool negative = size && bytes[size - 1] & 0x80;
	uint64_t value = little(bytes, size);
	bool fits = size < 8 || (value >> 63) == negative;
	for (size_t i = 8; i < size; i++)
		fits &= bytes[i] == (negative ? 0xff : 0);
	if (size < 8 && negative)
		value |= UINT64_MAX << 8 * size;
	int64_t integer = fits ? (int64_t)value : negative ? INT64_MIN : INT64_MAX;
	return push(m, (struct pickle_value){ .kind = PICKLE_INTEGER, .integer = integer });
}

static struct error *push_integer(struct machine *m, unsigned bytes)
{
	uint64_t number;
	TRY(take_number(m, bytes, &number));
	int64_t integer = bytes == 4 ? (int64_t)(int32_t)(uint32_t)number : (int64_t)number;
	return push(m, (struct pickle_value){ .kind = PICKLE_INTEGER, .integer = integer });
}

static struct error *push_truth(struct machine *m, bool truth)
{
	return push(m, (struct pickle_value){ .kind = PICKLE_INTEGER, .integer = truth });
}

/* The highest byte first, unlike everything else. */
static struct error *push_real(struct machine *m)
{
	const unsigned char *bytes;
	uint64_t bits = 0;
	struct pickle_value value = { .kind = PICKLE_REAL };
	TRY(take(m, 8, &bytes));
	for (unsigned i = 0; i < 8; i++)
		bits = bits << 8 | bytes[i];
	memcpy(&value.real, &bits, sizeof bits);
	return push(m, value);
}

static struct error *push_text(struct machine *m, unsigned size_bytes)
{
	uint64_t size;
	const unsigned char *text;
	TRY(take_number(m, size_bytes, &size));
	TRY(take(m, size, &text));
	return push(m, (struct pickle_value){ .kind = PICKLE_TEXT, .text = { (const char *)text, (size_t)size } });
}

static struct error *push_line(struct machine *m)
{
	const unsigned char *start = m->data + m->at, *end = memchr(start, '\n', m->size - m->at);
	if (!end)
		return damaged(m, "it is cut off");
	m->at += (size_t)(end - start) + 1;
	return push(m,
		(struct pickle_value){ .kind = PICKLE_TEXT, .text = { (const char *)start, (size_t)(end - start) } });
}

static struct error *push_class(struct machine *m)
{
	TRY(push_line(m));
	TRY(push_line(m));
	return gather_last(m, PICKLE_CLASS, 2);
}

/* ---- the memo ---- */

static struct error *remember(struct machine *m, uint64_t place)
{
	uint32_t number;
	TRY(top(m, &number));
	/* Memos are filled from 0 on; a number far off is no such pickle, and must not cost memory. */
	if (place > m->at)
		return damaged(m, "it remembers at no place");
	while (m->memo.count <= place)
		if (!vec_push(&m->memo, 0))
			return &error_no_memory;
	m->memo.data[place] = number + 1;
	return NULL;
}

static struct error *remember_at(struct machine *m, unsigned bytes)
{
	uint64_t place;
	TRY(take_number(m, bytes, &place));
	return remember(m, place);
}

static struct error *recall(struct machine *m, unsigned bytes)
{
	uint64_t place;
	TRY(take_number(m, bytes, &place));
	if (place >= m->memo.count || !m->memo.data[place])
		return damaged(m, "it refers to what is not there");
	return push_number(m, m->memo.data[place] - 1);
}

/* ---- instructions ---- */

static struct error *check_protocol(struct machine *m)
{
	uint64_t protocol;
	TRY(take_number(m, 1, &protocol));
	if (protocol < LOWEST_PROTOCOL || protocol > HIGHEST_PROTOCOL)
		return damaged(m, "it is of another protocol than 2 to 5");
	return NULL;
}

static struct error *drop(struct machine *m)
{
	if (!m->stack.count)
		return damaged(m, "a value is missing");
	m->stack.count--;
	return NULL;
}

static struct error *drop_marked(struct machine *m)
{
	size_t base;
	TRY(find_mark(m, &base));
	m->stack.count = base - 1;
	return NULL;
}

static struct error *skip(struct machine *m, unsigned bytes)
{
	uint64_t ignored;
	return take_number(m, bytes, &ignored);
}

static struct error *run_leaf(struct machine *m, unsigned char op)
{
	switch (op) {
	case 'N':
		return push(m, (struct pickle_value){ .kind = PICKLE_NONE });
	case OP_NEWTRUE:
	case OP_NEWFALSE:
		return push_truth(m, op == OP_NEWTRUE);
	case 'K':
		return push_integer(m, 1);
	case 'M':
		return push_integer(m, 2);
	case 'J':
		return push_integer(m, 4);
	case OP_LONG1:
		return push_long(m, 1);
	case OP_LONG4:
		return push_long(m, 4);
	case 'G':
		return push_real(m);
	case OP_SHORT_BINUNICODE:
	case 'U':
	case 'C':
		return push_text(m, 1);
	case 'X':
	case 'T':
	case 'B':
		return push_text(m, 4);
	case OP_BINUNICODE8:
	case OP_BINBYTES8:
		return push_text(m, 8);
	default:
		m->at--;
		return damaged(m, "it holds what is no number, string, tuple, list, dictionary or object");
	}
}

static struct error *run_container(struct machine *m, unsigned char op)
{
	switch (op) {
	case ')':
	case ']':
		return push(m, (struct pickle_value){ .kind = PICKLE_TUPLE });
	case '}':
		return push(m, (struct pickle_value){ .kind = PICKLE_DICT });
	case 't':
	case 'l':
		return gather_marked(m, PICKLE_TUPLE);
	case 'd':
		return gather_marked(m, PICKLE_DICT);
	case OP_TUPLE1:
	case OP_TUPLE2:
	case OP_TUPLE3:
		return gather_last(m, PICKLE_TUPLE, (size_t)(op - OP_TUPLE1 + 1));
	case 'a':
		return add_last(m, PICKLE_TUPLE, 1);
	case 'e':
		return add_marked(m, PICKLE_TUPLE);
	case 's':
		return add_last(m, PICKLE_DICT, 2);
	case 'u':
		return add_marked(m, PICKLE_DICT);
	case OP_STACK_GLOBAL:
		return gather_last(m, PICKLE_CLASS, 2);
	case OP_NEWOBJ:
	case 'R':
		return gather_last(m, PICKLE_OBJECT, 2);
	default:
		return run_leaf(m, op);
	}
}

static struct error *run(struct machine *m, unsigned char op)
{
	switch (op) {
	case OP_PROTO:
		return check_protocol(m);
	case OP_FRAME:
		return skip(m, 8);
	case '(':
		return push_number(m, MARK);
	case '0':
		return drop(m);
	case '1':
		return drop_marked(m);
	case OP_MEMOIZE:
		return remember(m, m->memo.count);
	case 'q':
		return remember_at(m, 1);
	case 'r':
		return remember_at(m, 4);
	case 'h':
		return recall(m, 1);
	case 'j':
		return recall(m, 4);
	case 'c':
		return push_class(m);
	case 'b':
		return set_state(m);
	default:
		return run_container(m, op);
	}
}

static struct error *run_all(struct machine *m)
{
	for (;;) {
		const unsigned char *op;
		TRY(take(m, 1, &op));
		if (*op == '.')
			return pop(m, &m->pickle->whole);
		TRY(run(m, *op));
	}
}

struct error *pickle_read(const void *data, size_t size, struct pickle *ret_pickle)
{
	_cleanup_pickle_ struct pickle pickle = { 0 };
	struct machine machine = { .data = data, .size = size, .pickle = &pickle };
	if (size >= UINT32_MAX / 4)
		return error_new(ERROR_CORRUPT, "the pickle is larger than 1 GiB");
	struct error *error = run_all(&machine);
	vec_free(&machine.stack);
	vec_free(&machine.memo);
	TRY(error);
	*ret_pickle = pickle;
	pickle = (struct pickle){ 0 };
	return NULL;
}

void pickle_deinit(struct pickle *pickle)
{
	vec_free(&pickle->values);
	vec_free(&pickle->items);
}

/* ---- looking at it ---- */

const struct pickle_value *pickle_whole(const struct pickle *pickle)
{
	return &pickle->values.data[pickle->whole];
}

const struct pickle_item *pickle_first(const struct pickle *pickle, const struct pickle_value *value)
{
	return value->kind >= PICKLE_TUPLE && value->items.first ? &pickle->items.data[value->items.first - 1] : NULL;
}

const struct pickle_item *pickle_next(const struct pickle *pickle, const struct pickle_item *item)
{
	return item->next ? &pickle->items.data[item->next - 1] : NULL;
}

const struct pickle_value *pickle_value(const struct pickle *pickle, const struct pickle_item *item)
{
	return &pickle->values.data[item->value];
}

const struct pickle_value *pickle_item(const struct pickle *pickle, const struct pickle_value *value, uint32_t number)
{
	static const struct pickle_value none = { .kind = PICKLE_NONE };
	const struct pickle_item *item = pickle_first(pickle, value);
	for (; item && number; number--)
		item = pickle_next(pickle, item);
	return item ? pickle_value(pickle, item) : &none;
}
