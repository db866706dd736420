/* interpreter.c: see interpreter.h. */
#include "agent/memory/interpreter.h"

#include <dlfcn.h>

#include "agent/memory/lock.h"
#include "agent/codes/codes.h"
#include "agent/old_libc.h"
#include "agent/python/python.h"
#include "cpython/frame.h"
#include "cpython/utf8.h"

struct interpreter interpreter;
_Atomic uint32_t interpreter_codes_generation = 1;

/* ---- code objects that end ---- */

/* Those that were described: address -> unit. A table of our own, open addressing; under its lock. */
static struct {
	_Atomic int taken;
	struct known_code {
		const char *code;
		uint32_t unit, session;
	} * slots;
	size_t mask, count;
} known;

static void (*dealloc_before)(object *);

static size_t slot_of(const char *code)
{
	return (size_t)((uintptr_t)code * 0x9e3779b97f4a7c15u >> 20) & known.mask;
}

static struct known_code *find_known(const char *code)
{
	if (!known.slots)
		return NULL;
	for (size_t i = slot_of(code);; i = (i + 1) & known.mask) {
		if (known.slots[i].code == code)
			return &known.slots[i];
		if (!known.slots[i].code)
			return NULL;
	}
}

void interpreter_forget_threads(void)
{
	lock_give(&known.taken);
}

/* Its address may be another's from now on. */
static void on_code_end(object *code)
{
	lock_take(&known.taken);
	struct known_code *found = find_known((const char *)code);
	if (found && found->unit) {
		found->unit = 0;
		atomic_fetch_add(&interpreter_codes_generation, 1);
	}
	lock_give(&known.taken);
	dealloc_before(code);
}

static bool hear_of_ends(void)
{
	enum { TP_DEALLOC = 32 }; /* behind an object's head: ob_size, tp_name, tp_basicsize, tp_itemsize */
	char *type = dlsym(RTLD_DEFAULT, "PyCode_Type");
	void (*ours)(object *) = on_code_end;
	if (!type)
		return false;
	memcpy(&dealloc_before, type + python.head + TP_DEALLOC, sizeof dealloc_before);
	if (dealloc_before == ours || !dealloc_before)
		return false;
	memcpy(type + python.head + TP_DEALLOC, &ours, sizeof ours);
	return true;
}

/* ---- descriptions ---- */

enum { TEXT_MAX = SEGMENT_NAME_MAX };

/* A str as UTF-8, into `room` unless it lies there already as that. PEP 393. */
static struct recorder_text text_of(const char *string, char *room)
{
	const struct layout *l = interpreter.layout;
	uint32_t state;
	if (!string)
		return (struct recorder_text){ "", 0 };
	size_t length = interpreter_word(string, l->unicode.length), size = 0;
	memcpy(&state, string + l->unicode.state, sizeof state);
	unsigned shift = l->unicode.kind_bit;
	unsigned kind = state >> shift & 7, compact = state >> (shift + 3) & 1, ascii = state >> (shift + 4) & 1;
	const char *data = compact ? string + (ascii ? l->unicode.ascii_data : l->unicode.compact_data)
				   : interpreter_pointer(string, l->unicode.any_data);
	if (ascii)
		return (struct recorder_text){ data, length };
	for (size_t i = 0; i < length && size + UTF8_MAX <= TEXT_MAX; i++) {
		uint32_t c = 0;
		memcpy(&c, data + i * kind, kind);
		size += utf8_put(room + size, c);
	}
	return (struct recorder_text){ room, size };
}

static uint32_t add_code(const char *code)
{
	const struct layout *l = interpreter.layout;
	char file[TEXT_MAX], name[TEXT_MAX], qualname[TEXT_MAX];
	const char *table = interpreter_pointer(code, l->code.linetable);
	struct recorder_code what = {
		.flags = SEGMENT_CODE_TABLE,
		.address = (uintptr_t)code,
		.file = text_of(interpreter_pointer(code, l->code.filename), file),
		.name = text_of(interpreter_pointer(code, l->code.name), name),
		.table = { table + l->bytes.data, interpreter_word(table, l->var_object.size) },
	};
	what.flags |= codes_flags_of_file(what.file);
	memcpy(&what.first_line, code + l->code.firstlineno, sizeof what.first_line);
	if (l->code.qualname != LAYOUT_NONE)
		what.qualname = text_of(interpreter_pointer(code, l->code.qualname), qualname);
	return recorder_add_code(&what);
}

static bool grow(void)
{
	struct known_code *before = known.slots;
	size_t room = before ? known.mask + 1 : 0, wanted = before ? 2 * room : 4096;
	struct known_code *slots = memory_take_pages(wanted * sizeof *slots);
	if (!slots)
		return false;
	known.slots = slots;
	known.mask = wanted - 1;
	known.count = 0;
	for (size_t i = 0; i < room; i++)
		if (before[i].unit) {
			size_t at = slot_of(before[i].code);
			while (slots[at].code)
				at = (at + 1) & known.mask;
			slots[at] = before[i];
			known.count++;
		}
	memory_give_pages(before, room * sizeof *before);
	return true;
}

static uint32_t add_known(const char *code)
{
	if ((!known.slots || known.count * 2 > known.mask) && !grow())
		return 0;
	size_t at = slot_of(code);
	while (known.slots[at].code && known.slots[at].code != code)
		at = (at + 1) & known.mask;
	known.count += !known.slots[at].code;
	known.slots[at] = (struct known_code){ code, add_code(code), recorder.session };
	return known.slots[at].unit;
}

uint32_t interpreter_describe(const char *code)
{
	lock_take(&known.taken);
	struct known_code *found = find_known(code);
	uint32_t unit = found && found->session == recorder.session ? found->unit : 0;
	if (!unit)
		unit = add_known(code);
	lock_give(&known.taken);
	return unit;
}

/* ---- the interpreter ---- */

static void take_offsets(const struct layout *l)
{
	interpreter.heap_frames = l->pyframe.back != LAYOUT_NONE && l->iframe.previous == LAYOUT_NONE;
	interpreter.first = l->tstate.frame;
	interpreter.second = l->cframe.current_frame;
	if (interpreter.heap_frames) {
		interpreter.second = LAYOUT_NONE;
		interpreter.previous = l->pyframe.back;
		interpreter.code = l->pyframe.code;
		interpreter.instruction = l->pyframe.lasti;
		interpreter.owner = LAYOUT_NONE;
	} else {
		interpreter.previous = l->iframe.previous;
		interpreter.code = l->iframe.executable;
		interpreter.instruction = l->iframe.instruction;
		interpreter.owner = layout_has_shims(l) ? l->iframe.owner : LAYOUT_NONE;
	}
	interpreter.code_mask = layout_code_mask(l);
}

const char *interpreter_find(void)
{
	const struct layout *l = layout_find((uint16_t)(python.version >> 16), python.free_threaded);
	interpreter.own_state = (void *(*)(void))dlsym(RTLD_DEFAULT, "PyGILState_GetThisThreadState");
	const char *runtime = dlsym(RTLD_DEFAULT, "_PyRuntime");
	if (!l || python.version < 0x03080000)
		return "memory is measured from Python 3.8 on; `pyrometer memory --rss` takes any program";
	if (!interpreter.own_state || !runtime || !hear_of_ends())
		return "this Python lacks what measuring its memory needs";
	take_offsets(l);
	interpreter.finalizing = (const uint64_t *)(const void *)(runtime + l->runtime.finalizing);
	interpreter.layout = l;
	return NULL;
}
