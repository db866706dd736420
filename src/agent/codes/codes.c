#include "agent/codes/codes.h"

#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>

#include "agent/codes/filter.h"
#include "agent/codes/pattern.h"

_Atomic uint32_t codes_generation;
static int extra_index = -1;

/* A code object has ended: another one may get its address. */
static void note_end(void *extra)
{
	(void)extra;
	atomic_fetch_add_explicit(&codes_generation, 1, memory_order_relaxed);
}

bool codes_begin(void)
{
	if (extra_index < 0)
		extra_index = python.request_extra(note_end);
	return extra_index >= 0;
}

/* The text of a str, as UTF-8; empty when it is none or holds lone surrogates. Borrowed from the object. */
static struct recorder_text text_of(object *o)
{
	ptrdiff_t size = 0;
	const char *data = o ? python.text(o, &size) : NULL;
	if (!data)
		python.clear_error();
	return (struct recorder_text){ data ? data : "", data ? (size_t)size : 0 };
}

/* ---- our own ---- */

static char package[4096];

void codes_set_package(const char *folder)
{
	size_t size = strlen(folder);
	if (size < sizeof package)
		memcpy(package, folder, size + 1);
}

/* One file of the package holds what stands between the program and functions of the program. */
uint32_t codes_flags_of_file(struct recorder_text file)
{
	static const char through[] = "_through.py";
	size_t size = strlen(package);
	if (file.size == sizeof CODES_OWN_FILE - 1 && memcmp(file.data, CODES_OWN_FILE, file.size) == 0)
		return SEGMENT_CODE_OURS;
	if (!size || file.size < size || memcmp(file.data, package, size) != 0)
		return 0;
	bool is_through = file.size - size == sizeof through - 1 &&
			  memcmp(file.data + size, through, file.size - size) == 0;
	return is_through ? SEGMENT_CODE_THROUGH : SEGMENT_CODE_OURS;
}

/* ---- code objects ---- */

/* Names of what is left out help whoever misspelt a pattern; a program that makes code without end shall not fill the
 * segment with them. */
static uint32_t add_code(struct recorder_code *what, bool *ret_wanted)
{
	enum { LEFT_OUT_MAX = 20000 };
	static _Atomic uint32_t left_out;
	*ret_wanted = what->flags || filter_wants(what); /* our own is told apart later, and never counted */
	what->flags |= *ret_wanted ? 0 : SEGMENT_CODE_LEFT_OUT;
	if (*ret_wanted || atomic_fetch_add_explicit(&left_out, 1, memory_order_relaxed) < LEFT_OUT_MAX)
		return recorder_add_code(what);
	return 0;
}

static bool is_word(struct recorder_text text, const char *word)
{
	return text.size == strlen(word) && memcmp(text.data, word, text.size) == 0;
}

/* Of a module's body that begins now. From 3.11 on it is what runs already; before, that is who began it: nobody, or
 * runpy (`-m`). */
static bool is_main_program(void)
{
	object *globals = python.globals(), *name = globals ? python.dict_get(globals, "__name__") : NULL;
	if (python.version < 0x030b0000)
		return !globals || is_word(text_of(name), "runpy");
	return is_word(text_of(name), "__main__");
}

/* A class's or a module's body has no fast local variables. */
static enum recorder_body body_of(object *code, struct recorder_text name)
{
	enum { OPTIMIZED = 1 };
	object *flags = python.get_attribute(code, "co_flags");
	bool function = !flags || python.as_long(flags) & OPTIMIZED;
	if (flags)
		python.forget(flags);
	if (function)
		return BODY_FUNCTION;
	if (!is_word(name, "<module>"))
		return BODY_CLASS;
	return is_main_program() ? BODY_MAIN : BODY_MODULE;
}

static uint32_t describe_chosen(object *code);

/* Of lines, comprehensions go with the function that they stand in, which begins before them; filter.h sees that by
 * qualified names, where there are any. */
static void choose_comprehensions(object *code)
{
	object *constants = python.get_attribute(code, "co_consts");
	ptrdiff_t size = constants ? python.size(constants) : 0;
	for (ptrdiff_t i = 0; i < size; i++) {
		object *constant = python.item(constants, i);
		object *name = constant && python_type(constant) == python_type(code)
				       ? python.get_attribute(constant, "co_name")
				       : NULL;
		struct recorder_text text = text_of(name);
		if (name && pattern_is_comprehension((struct pattern_text){ text.data, text.size }))
			describe_chosen(constant);
		if (name)
			python.forget(name);
	}
	if (constants)
		python.forget(constants);
}

static uint32_t describe(object *code, bool *ret_wanted)
{
	object *file = python.get_attribute(code, "co_filename"), *name = python.get_attribute(code, "co_name"),
	       *qualname = python.version >= 0x030b0000 ? python.get_attribute(code, "co_qualname") : NULL,
	       *first_line = python.get_attribute(code, "co_firstlineno"),
	       *all[] = { file, name, qualname, first_line };
	uint32_t unit = 0;
	if (file && name && first_line)
		unit = add_code(
			&(struct recorder_code){ .body = filter_is_on() ? body_of(code, text_of(name)) : BODY_FUNCTION,
				.address = (uintptr_t)code,
				.flags = codes_flags_of_file(text_of(file)),
				.first_line = (uint32_t)python.as_long(first_line),
				.file = text_of(file),
				.name = text_of(name),
				.qualname = text_of(qualname) },
			ret_wanted);
	if (unit && *ret_wanted && !qualname && recorder.head->mode == SEGMENT_LINES)
		choose_comprehensions(code);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i])
			python.forget(all[i]);
	return unit;
}

/* Without a GIL: of what all threads share, for a moment. */
static bool take(atomic_flag *flag)
{
	enum { TRIES = 10000 };
	for (int i = 0; i < TRIES; i++) {
		if (!atomic_flag_test_and_set_explicit(flag, memory_order_acquire))
			return true;
		sched_yield();
	}
	return false; /* in the child of a fork nobody may be there to give it back */
}

static void give_back(atomic_flag *flag)
{
	atomic_flag_clear_explicit(flag, memory_order_release);
}

static atomic_flag extras = ATOMIC_FLAG_INIT;

/* What was said of the code in this session; false: nothing. */
static bool is_described(object *code, uint32_t *ret_unit)
{
	void *extra = NULL;
	python.get_extra(code, extra_index, &extra);
	*ret_unit = (uint32_t)(uintptr_t)extra;
	return (uintptr_t)extra >> 32 == recorder.session;
}

/* The unit that all threads use from now on: two of them may have described it. */
static uint32_t keep_description(object *code, uint32_t unit)
{
	uint32_t before;
	bool taken = take(&extras);
	if (is_described(code, &before))
		unit = before;
	else if (python.set_extra(code, extra_index, (void *)((uintptr_t)recorder.session << 32 | unit)) < 0)
		unit = 0;
	if (taken)
		give_back(&extras);
	return unit;
}

uint32_t codes_describe(object *code)
{
	uint32_t unit;
	bool taken = take(&extras), known = is_described(code, &unit), wanted = true;
	if (taken)
		give_back(&extras);
	if (known)
		return unit;
	object *error[3];
	python.fetch_error(&error[0], &error[1], &error[2]);
	unit = describe(code, &wanted);
	unit = wanted ? unit : 0;
	if (unit || !wanted)
		unit = keep_description(code, unit);
	python.clear_error();
	python.restore_error(error[0], error[1], error[2]);
	return unit;
}

/* As codes_describe(), whatever the filter says, and whatever it said before. */
static uint32_t describe_chosen(object *code)
{
	python.set_extra(code, extra_index, NULL);
	filter_choose(true);
	uint32_t unit = codes_describe(code);
	filter_choose(false);
	atomic_fetch_add_explicit(&codes_generation, 1, memory_order_relaxed);
	return unit;
}

/* What was measured because it is the program's own. */
static void leave_out_unmarked(void)
{
	struct segment_code *code;
	for (uint32_t unit = recorder.head->first_code; unit; unit = code->next) {
		code = recorder_unit(unit);
		code->flags |= code->flags & SEGMENT_CODE_TABLE ? 0 : SEGMENT_CODE_LEFT_OUT;
	}
}

uint32_t codes_choose(object *code, bool *ret_known)
{
	uint32_t unit;
	*ret_known = false;
	if (!recorder_is_on())
		return 0;
	if (filter_mark())
		leave_out_unmarked();
	*ret_known = is_described(code, &unit);
	if (!*ret_known || !unit)
		unit = describe_chosen(code);
	if (unit)
		((struct segment_code *)recorder_unit(unit))->flags &= ~(uint32_t)SEGMENT_CODE_LEFT_OUT;
	return unit;
}

/* ---- builtins, spelled as cProfile spells them ---- */

static const char *definition_name(object *function)
{
	const char *name;
	memcpy(&name, python_field(function, 0), sizeof name);
	return name;
}

/* "<method 'append' of 'list' objects>", of the function's object's type; else NULL. */
static object *repr_of_method(object *function, const char *name)
{
	object *self = python_field(function, 8), *repr = NULL;
	object *method = self ? python.get_attribute(python_type(self), name) : NULL;
	if (method && python_type(method) == python.method_descriptor_type)
		repr = python.repr(method);
	if (method)
		python.forget(method);
	return repr;
}

static uint32_t add_builtin(struct recorder_text name)
{
	return recorder_add_code(
		&(struct recorder_code){ .flags = SEGMENT_CODE_BUILTIN, .file = { "~", 1 }, .name = name });
}

static uint32_t describe_function(object *function)
{
	char text[256];
	const char *name = definition_name(function);
	object *module = python.get_attribute(function, "__module__");
	struct recorder_text module_name = text_of(module != python.none ? module : NULL);
	object *repr = module_name.size ? NULL : repr_of_method(function, name);
	struct recorder_text whole = text_of(repr);
	if (!whole.size) {
		int size = snprintf(text, sizeof text, "<built-in method %.*s%s%.100s>", (int)module_name.size % 128,
			module_name.data, module_name.size ? "." : "", name);
		whole = (struct recorder_text){ text, (size_t)size };
	}
	uint32_t unit = add_builtin(whole);
	if (repr)
		python.forget(repr);
	if (module)
		python.forget(module);
	return unit;
}

static uint32_t describe_descriptor(object *descriptor)
{
	object *repr = python.repr(descriptor);
	uint32_t unit = add_builtin(text_of(repr));
	if (repr)
		python.forget(repr);
	return unit;
}

/* What has been described, by definition: a thread's cache has room for some, and two of them may want the same place
 * for ever. */
struct builtin {
	const void *definition;
	const char *name; /* of the definition: one that was made at run time may be another by now */
	uint32_t unit;
};
static struct {
	struct builtin *entries; /* open addressing; at most half full */
	uint32_t room, count, session;
	atomic_flag taken; /* without a GIL */
} builtins = { .taken = ATOMIC_FLAG_INIT };

static struct builtin *place_of(const void *definition)
{
	uint32_t at = (uint32_t)((uintptr_t)definition >> 4) * 0x9e3779b1u;
	for (;; at++) {
		struct builtin *entry = &builtins.entries[at & (builtins.room - 1)];
		if (!entry->definition || entry->definition == definition)
			return entry;
	}
}

static bool grow_builtins(void)
{
	enum { FIRST = 1 << 12 };
	struct builtin *before = builtins.entries;
	uint32_t room = builtins.room;
	void *more = mmap(NULL, sizeof *before * (room ? 2 * room : FIRST), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (more == MAP_FAILED)
		return false;
	builtins.entries = more;
	builtins.room = room ? 2 * room : FIRST;
	for (uint32_t i = 0; i < room; i++)
		if (before[i].definition)
			*place_of(before[i].definition) = before[i];
	if (before)
		munmap(before, sizeof *before * room);
	return true;
}

/* Where it is or goes; NULL: no room. */
static struct builtin *find_builtin(const void *definition)
{
	if (builtins.session != recorder.session) {
		if (builtins.entries)
			memset(builtins.entries, 0, sizeof *builtins.entries * builtins.room);
		builtins.count = 0;
		builtins.session = recorder.session;
	}
	if (2 * builtins.count >= builtins.room && !grow_builtins())
		return NULL;
	return place_of(definition);
}

static uint32_t describe_builtin(object *callable, bool descriptor)
{
	object *error[3];
	python.fetch_error(&error[0], &error[1], &error[2]);
	uint32_t unit = descriptor ? describe_descriptor(callable) : describe_function(callable);
	python.clear_error();
	python.restore_error(error[0], error[1], error[2]);
	return unit;
}

/* Describing runs code of the interpreter, and maybe of the program: nothing is held meanwhile. */
uint32_t codes_describe_builtin(const void *definition, object *callable, bool descriptor)
{
	const char *name;
	memcpy(&name, definition, sizeof name);
	if (!take(&builtins.taken))
		return describe_builtin(callable, descriptor);
	struct builtin *known = find_builtin(definition);
	uint32_t unit = known && known->definition && known->name == name ? known->unit : 0;
	give_back(&builtins.taken);
	if (unit)
		return unit;
	unit = describe_builtin(callable, descriptor);
	if (!take(&builtins.taken))
		return unit;
	known = find_builtin(definition);
	if (known) {
		builtins.count += !known->definition;
		*known = (struct builtin){ definition, name, unit };
	}
	give_back(&builtins.taken);
	return unit;
}
