#include "agent/calls/exceptions.h"

#include <stdio.h>

#include "agent/meter.h"

enum { SETS = 256, WAYS = 8, CACHED = 256 };

/* One that was handled, and may go on from there. One that has ended leaves its address to the next one, so that of
 * thousands few are kept; the oldest of a set makes room. */
struct held {
	const object *exception;
	struct segment_place *raised, *handled; /* NULL: not counted */
};

/* One thread's. */
struct exceptions {
	const object *flying;	      /* the one that was raised last and is not handled yet */
	struct segment_place *raised; /* where; NULL: in code that is left out */
	struct held held[SETS][WAYS]; /* by address; the newest first */
	struct segment_place *cache[CACHED];
};

/* NULL: nothing is recorded, or there is no room. */
static struct exceptions *own(void)
{
	if (!meter_is_on())
		return NULL;
	if (!meter.thread->exceptions)
		meter.thread->exceptions = recorder_take(meter.thread, sizeof *meter.thread->exceptions);
	return meter.thread->exceptions;
}

/* ---- what is said of a place ---- */

/* As a traceback names it. */
static uint32_t describe_type(object *type)
{
	char text[256];
	ptrdiff_t size[2] = { 0 };
	object *parts[] = { python.get_attribute(type, "__module__"), python.get_attribute(type, "__qualname__") };
	const char *module = parts[0] ? python.text(parts[0], &size[0]) : NULL,
		   *name = parts[1] ? python.text(parts[1], &size[1]) : NULL;
	bool plain = !module || strcmp(module, "builtins") == 0 || strcmp(module, "__main__") == 0;
	int length = snprintf(text, sizeof text, "%.*s%s%.*s", plain ? 0 : (int)size[0] % 128, module ? module : "",
		plain ? "" : ".", (int)size[1] % 128, name ? name : "?");
	for (int i = 0; i < 2; i++)
		if (parts[i])
			python.forget(parts[i]);
	python.clear_error();
	return recorder_add_code(&(struct recorder_code){ .flags = SEGMENT_CODE_TYPE,
		.name = { text, (size_t)length < sizeof text ? (size_t)length : sizeof text - 1 } });
}

/* Of a handler's first instruction none is known: it is that of the next ones. */
static uint32_t line_at(object *code, int offset)
{
	enum { INSTRUCTION = 2, FAR = 32 * INSTRUCTION };
	int line = 0;
	for (int at = offset; line <= 0 && at < offset + FAR; at += INSTRUCTION)
		line = python.code_line(code, at);
	return line > 0 ? (uint32_t)line : 0;
}

/* ---- places ---- */

static bool is_same(const struct segment_place *a, const struct segment_place *b)
{
	return a->of == b->of && a->code == b->code && a->offset == b->offset && a->type_address == b->type_address;
}

static unsigned slot_of(const struct segment_place *key)
{
	uint64_t mixed = (key->of * 31ull + key->code) * 31 + key->offset + (key->type_address >> 4);
	return (unsigned)(mixed ^ mixed >> 8) % CACHED;
}

static struct segment_place *add_place(const struct segment_place *key, uint32_t *first, object *code, object *type)
{
	struct segment_place *place = recorder_take(meter.thread, sizeof *place);
	uint32_t name = place && type ? describe_type(type) : 0;
	if (!place || (type && !name))
		return NULL;
	*place = *key;
	place->type = name;
	place->line = line_at(code, (int)key->offset);
	place->next = *first;
	*first = recorder_unit_of(place);
	return place;
}

/* Finds or makes one in the list. NULL: the code is left out, or there is no room. */
static struct segment_place *find_place(
	struct exceptions *e, struct segment_place *raised, object *code, object *offset, object *type)
{
	struct segment_place key = { .of = raised ? recorder_unit_of(raised) : 0,
		.code = codes_get(meter.cache, code),
		.offset = (uint32_t)python.as_long(offset),
		.type_address = (uintptr_t)type };
	uint32_t *first = raised ? &raised->handled : &meter.thread->shared->first_raised;
	struct segment_place **cached = &e->cache[slot_of(&key)];
	if (!key.code)
		return NULL;
	if (*cached && is_same(*cached, &key))
		return *cached;
	struct segment_place *found = NULL;
	for (uint32_t unit = *first; unit && !found; unit = ((struct segment_place *)recorder_unit(unit))->next)
		if (is_same(recorder_unit(unit), &key))
			found = recorder_unit(unit);
	if (!found)
		found = add_place(&key, first, code, type);
	if (found)
		*cached = found;
	return found;
}

/* ---- events ---- */

/* Whether nobody has raised it before: its traceback has only the frame that it is in now. */
static bool is_new(object *exception)
{
	object *traceback = python.get_traceback(exception);
	object *next = traceback ? python.get_attribute(traceback, "tb_next") : NULL;
	bool begins = !next || next == python.none;
	if (traceback)
		python.forget(traceback);
	if (next)
		python.forget(next);
	python.clear_error();
	return begins;
}

static struct held *set_of(struct exceptions *e, const object *exception)
{
	uintptr_t address = (uintptr_t)exception / 16;
	return e->held[(address ^ address / SETS) % SETS];
}

static void hold(struct exceptions *e, const struct held *held)
{
	struct held *set = set_of(e, held->exception);
	int place = 0;
	while (place < WAYS - 1 && set[place].exception && set[place].exception != held->exception)
		place++;
	memmove(set + 1, set, (size_t)place * sizeof *set);
	*set = *held;
}

/* What was handled goes on as if it had not been. False: it is not known. */
static bool take_back(struct exceptions *e, const object *exception)
{
	struct held *held = set_of(e, exception), *end = held + WAYS;
	while (held < end && held->exception != exception)
		held++;
	if (held == end)
		return false;
	if (held->handled)
		held->handled->count--;
	e->flying = exception;
	e->raised = held->raised;
	memmove(held, held + 1, (size_t)(end - held - 1) * sizeof *held);
	end[-1].exception = NULL;
	return true;
}

void exceptions_raise(object *code, object *offset, object *exception)
{
	struct exceptions *e = own();
	if (!e || (!is_new(exception) && (e->flying == exception || take_back(e, exception))))
		return;
	e->flying = exception;
	e->raised = find_place(e, NULL, code, offset, python_type(exception));
	if (e->raised)
		e->raised->count++;
}

void exceptions_handle(object *code, object *offset, object *exception)
{
	struct exceptions *e = own();
	if (!e || e->flying != exception)
		return;
	struct segment_place *handled = e->raised ? find_place(e, e->raised, code, offset, NULL) : NULL;
	if (handled)
		handled->count++;
	hold(e, &(struct held){ exception, e->raised, handled });
	e->flying = NULL;
}

void exceptions_raise_again(object *exception)
{
	struct exceptions *e = own();
	if (e)
		take_back(e, exception);
}
