#include "cpython/runtime.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cpython/debug_offsets.h"
#include "cpython/version.h"
#include "os/elf_image.h"
#include "os/memory_cache.h"

/* One ELF object of the target that may hold the interpreter. */
struct candidate {
	struct memory *memory;
	struct elf_image image;
	const struct map_area *area;
	int file; /* -1: cannot be had */
};

/* ---- symbols, wherever they can be had ---- */

static bool find_symbol(const struct candidate *c, const char *name, uint64_t *ret_address)
{
	return elf_image_symbol(c->memory, &c->image, name, ret_address) ||
	       elf_file_symbol(c->file, c->image.bias, name, ret_address);
}

/* ---- self-checks: what must be true of an interpreter ---- */

static bool is_interpreter(struct memory *memory, const struct layout *layout, uint64_t interpreter)
{
	uint64_t thread, back;
	return interpreter && interpreter % 8 == 0 &&
	       memory_read_u64(memory, interpreter + layout->interp.threads_head, &thread) && thread &&
	       memory_read_u64(memory, thread + layout->tstate.interp, &back) && back == interpreter;
}

/* More than chance: its list of interpreters ends, and its sys.modules is a dictionary. */
static bool is_surely_interpreter(struct memory *memory, const struct layout *layout, uint64_t interpreter)
{
	enum { INTERPRETERS_MAX = 64 };
	uint64_t at = interpreter, modules, type, name;
	char text[8];
	for (unsigned i = 0; at; i++)
		if (i == INTERPRETERS_MAX || !is_interpreter(memory, layout, at) ||
			!memory_read_u64(memory, at + layout->interp.next, &at))
			return false;
	return memory_read_u64(memory, interpreter + layout->interp.modules, &modules) && modules &&
	       memory_read_u64(memory, modules + layout->object.type, &type) &&
	       memory_read_u64(memory, type + layout->type.name, &name) &&
	       memory_read_string(memory, name, text, sizeof text) && strcmp(text, "dict") == 0;
}

/* Looks through the object's data for a pointer to an interpreter: the last resort, for a binary whose names are all
 * gone. Reads each page once. */
static bool scan_for_interpreter(const struct candidate *c, const struct layout *layout, uint64_t *ret_address)
{
	enum { BLOCK = 1 << 16 };
	_cleanup_free_ uint64_t *words = malloc(BLOCK);
	if (!words)
		return false;
	for (size_t i = 0; i < c->image.segment_count; i++) {
		const struct elf_segment *segment = &c->image.segments[i];
		if (!segment->writable)
			continue;
		for (uint64_t at = segment->start & ~7ull; at < segment->end; at += BLOCK) {
			size_t size = segment->end - at < BLOCK ? segment->end - at : BLOCK;
			if (!memory_read(c->memory, at, words, size))
				continue;
			for (size_t k = 0; k < size / 8; k++)
				/* A pointer into this object or to a small number is no heap object; in 3.11+ the main
				 * interpreter lies inside _PyRuntime itself. */
				if (words[k] > 0x10000 && words[k] >> 47 == 0 &&
					is_surely_interpreter(c->memory, layout, words[k])) {
					*ret_address = at + k * 8;
					return true;
				}
		}
	}
	return false;
}

/* ---- finding ---- */

static struct error *take_layout(struct runtime *runtime, bool free_threaded)
{
	const struct layout *layout = layout_find(runtime->version, free_threaded);
	if (!layout) {
		char version[24];
		runtime_version_text(runtime, version);
		return error_new(ERROR_UNSUPPORTED,
			"Python %s%s is not one that this pyrometer reads (2.7 and 3.6 to 3.15)", version,
			free_threaded ? " free-threaded" : "");
	}
	runtime->layout = *layout;
	return NULL;
}

static void set_version(struct runtime *runtime, uint32_t hex)
{
	runtime->version_hex = hex;
	runtime->version = (uint16_t)(hex >> 16);
}

static struct error *find_version(const struct candidate *c, struct runtime *runtime)
{
	uint64_t symbol;
	uint32_t hex = 0;
	if (find_symbol(c, "Py_Version", &symbol))
		memory_read_u32(c->memory, symbol, &hex);
	if (!hex)
		hex = version_search(c->memory, &c->image);
	if (!hex)
		return error_new(ERROR_NOT_READY, "%s has not set its version yet", c->area->path);
	set_version(runtime, hex);
	return NULL;
}

/* 3.13+: everything from the struct at the start of _PyRuntime. */
static struct error *from_debug_offsets(const struct candidate *c, struct runtime *runtime, bool *ret_found)
{
	struct debug_offsets_head head;
	*ret_found = debug_offsets_head_read(c->memory, runtime->address, &head);
	if (!*ret_found)
		return NULL;
	set_version(runtime, head.version_hex);
	runtime->free_threaded = head.free_threaded;
	TRY(take_layout(runtime, head.free_threaded));
	return debug_offsets_apply(c->memory, runtime->address, &runtime->layout, &runtime->published);
}

/* _PyRuntime by the name that most builds of 3.7+ export; else by section, or (3.13+) by its cookie. */
static bool find_exported_runtime(const struct candidate *c, uint64_t *ret_address)
{
	return elf_image_symbol(c->memory, &c->image, "_PyRuntime", ret_address);
}

static bool find_runtime_struct(const struct candidate *c, uint64_t *ret_address)
{
	uint64_t size;
	if (elf_file_symbol(c->file, c->image.bias, "_PyRuntime", ret_address) ||
		elf_file_section(c->file, c->image.bias, ".PyRuntime", ret_address, &size))
		return true;
	for (size_t i = 0; i < c->image.segment_count; i++)
		if (c->image.segments[i].writable && debug_offsets_search(c->memory, c->image.segments[i].start,
							     c->image.segments[i].end, ret_address))
			return true;
	return false;
}

static void set_addresses(struct runtime *runtime)
{
	const struct layout *l = &runtime->layout;
	runtime->interpreters_head = runtime->address + l->runtime.interpreters_head;
	if (l->runtime.tstate_current != LAYOUT_NONE)
		runtime->holder = runtime->address + l->runtime.tstate_current;
	if (l->runtime.gc_collecting != LAYOUT_NONE)
		runtime->gc_collecting = runtime->address + l->runtime.gc_collecting;
}

/* The layouts of 3.7.0 to 3.7.3 differ from the table's in where the holder is kept. What stands there must be nothing
 * or a thread state of this runtime; look beside it when it is something else. */
static void check_holder(struct memory *memory, struct runtime *runtime)
{
	enum { AROUND = 128 };
	uint64_t holder, back;
	if (!runtime->holder || !memory_read_u64(memory, runtime->holder, &holder) || !holder)
		return;
	for (int64_t step = 0; step <= AROUND; step += 8)
		for (int sign = -1; sign <= 1; sign += 2) {
			uint64_t at = runtime->holder + (uint64_t)(sign * step);
			if (memory_read_u64(memory, at, &holder) && holder &&
				memory_read_u64(memory, holder + runtime->layout.tstate.interp, &back) &&
				is_interpreter(memory, &runtime->layout, back)) {
				runtime->holder = at;
				return;
			}
		}
}

/* 3.7 and later. */
static struct error *find_modern(const struct candidate *c, struct runtime *runtime)
{
	bool published;
	TRY(from_debug_offsets(c, runtime, &published));
	if (!published) {
		TRY(find_version(c, runtime));
		TRY(take_layout(runtime, /* free_threaded= */ false));
	}
	set_addresses(runtime);
	return NULL;
}

/* PyInterpreterState_Head() only returns the list head, so that its code says where that is (x86-64: a load relative to
 * the next instruction). */
static bool find_head_in_code(const struct candidate *c, const struct layout *layout, uint64_t *ret_address)
{
	static const unsigned char endbr[] = { 0xf3, 0x0f, 0x1e, 0xfa }, load[] = { 0x48, 0x8b, 0x05 };
	unsigned char code[16];
	uint64_t function, interpreter;
	int32_t distance;
	if (!elf_image_symbol(c->memory, &c->image, "PyInterpreterState_Head", &function) ||
		!memory_read(c->memory, function, code, sizeof code))
		return false;
	size_t at = memcmp(code, endbr, sizeof endbr) == 0 ? sizeof endbr : 0;
	if (memcmp(code + at, load, sizeof load) != 0)
		return false;
	memcpy(&distance, code + at + sizeof load, sizeof distance);
	*ret_address = function + at + sizeof load + sizeof distance + (uint64_t)(int64_t)distance;
	return memory_read_u64(c->memory, *ret_address, &interpreter) &&
	       is_surely_interpreter(c->memory, layout, interpreter);
}

static bool is_python2(const struct runtime *runtime)
{
	return runtime->version < 0x0300;
}

/* 2.7 and 3.6: no _PyRuntime; a static list head that only .symtab names, and the holder as an exported variable. */
static struct error *find_classic(const struct candidate *c, struct runtime *runtime)
{
	TRY(find_version(c, runtime));
	TRY(take_layout(runtime, /* free_threaded= */ false));
	find_symbol(c, "_PyThreadState_Current", &runtime->holder);
	elf_file_symbol(c->file, c->image.bias, "collecting", &runtime->gc_collecting);
	elf_file_symbol(
		c->file, c->image.bias, is_python2(runtime) ? "interpreter_lock" : "gil_cond", &runtime->gil_lock);
	if (elf_file_symbol(c->file, c->image.bias, "interp_head", &runtime->interpreters_head))
		return NULL;
	if (!find_head_in_code(c, &runtime->layout, &runtime->interpreters_head) &&
		!scan_for_interpreter(c, &runtime->layout, &runtime->interpreters_head))
		return error_new(ERROR_NOT_READY, "%s has no interpreter yet", c->area->path);
	return NULL;
}

/* All names gone: the version's text says it is Python, and a pointer to an interpreter stands at a known place of
 * _PyRuntime. */
static struct error *find_nameless(const struct candidate *c, struct runtime *runtime, bool *ret_found)
{
	*ret_found = false;
	uint32_t hex = version_search(c->memory, &c->image);
	if (!hex)
		return NULL;
	*ret_found = true;
	set_version(runtime, hex);
	TRY(take_layout(runtime, /* free_threaded= */ false));
	uint64_t head;
	if (!scan_for_interpreter(c, &runtime->layout, &head))
		return error_new(ERROR_NOT_READY, "%s has no interpreter yet", c->area->path);
	if (runtime->layout.runtime.interpreters_head != LAYOUT_NONE) {
		runtime->address = head - runtime->layout.runtime.interpreters_head;
		set_addresses(runtime);
	}
	runtime->interpreters_head = head;
	return NULL;
}

static struct error *examine(const struct candidate *c, struct runtime *runtime, bool *ret_found)
{
	uint64_t symbol;
	*ret_found = true;
	/* What is not exported is looked for in the file's whole table of symbols, which takes longer than all else. */
	bool exported = find_exported_runtime(c, &runtime->address);
	if (!exported &&
		(find_symbol(c, "pypy_main_startup", &symbol) || find_symbol(c, "pypy_execute_source", &symbol)))
		return error_new(ERROR_UNSUPPORTED, "it runs PyPy, and pyrometer reads CPython only");
	if (exported || find_runtime_struct(c, &runtime->address))
		TRY(find_modern(c, runtime));
	else if (find_symbol(c, "PyInterpreterState_Head", &symbol))
		TRY(find_classic(c, runtime));
	else
		TRY(find_nameless(c, runtime, ret_found));
	if (*ret_found) {
		runtime->image_start = c->image.base;
		runtime->image_end = c->image.segments[c->image.segment_count - 1].end;
		snprintf(runtime->path, sizeof runtime->path, "%s", c->area->path);
	}
	return NULL;
}

/* Does the name look like a Python's? Such objects are looked at first; the others need reading files of many megabytes
 * only to say no, so the executable itself is the only one of them that is. */
static bool has_python_name(const char *path)
{
	const char *name = strrchr(path, '/');
	return name && (strstr(name, "python") || strstr(name, "pypy"));
}

static struct error *examine_areas(
	struct memory *memory, const struct maps *maps, bool by_name, struct runtime *runtime, bool *ret_found)
{
	const char *previous = "", *executable = NULL;
	for (size_t i = 0; i < maps->areas.count; i++) {
		const struct map_area *area = &maps->areas.data[i];
		if (!area->path[0] || area->path[0] == '[' || strcmp(area->path, previous) == 0)
			continue;
		previous = area->path;
		struct candidate c = { .memory = memory, .area = area };
		if (area->offset || !area->readable)
			continue;
		struct error *not_elf = elf_image_read(memory, area->start, &c.image);
		if (not_elf || !c.image.segment_count) {
			error_free(not_elf);
			continue;
		}
		bool is_executable = !executable;
		executable = executable ? executable : area->path;
		if ((has_python_name(area->path)) != by_name)
			continue;
		uint64_t symbol;
		if (!by_name && !is_executable && !elf_image_symbol(memory, &c.image, "Py_GetVersion", &symbol))
			continue;
		_cleanup_close_ int file = maps_open_file(maps, area);
		c.file = file;
		TRY(examine(&c, runtime, ret_found));
		if (*ret_found) {
			runtime->shared = !is_executable;
			return NULL;
		}
	}
	return NULL;
}

static bool is_32bit(struct memory *memory, const struct maps *maps)
{
	for (size_t i = 0; i < maps->areas.count; i++)
		if (maps->areas.data[i].path[0] && maps->areas.data[i].offset == 0)
			return elf_image_is_32bit(memory, maps->areas.data[i].start);
	return false;
}

struct error *runtime_find(struct memory *target, const struct maps *maps, struct runtime *ret_runtime)
{
	struct runtime runtime = { 0 };
	bool found = false;
	_cleanup_memory_ struct memory *memory = NULL;
	TRY(memory_open_cache(target, &memory));
	TRY(examine_areas(memory, maps, /* by_name= */ true, &runtime, &found));
	if (!found)
		TRY(examine_areas(memory, maps, /* by_name= */ false, &runtime, &found));
	if (!found)
		return error_new(ERROR_UNSUPPORTED,
			is_32bit(memory, maps) ? "it is a 32-bit program, and pyrometer reads 64-bit ones only"
					       : "no Python in it");
	uint64_t interpreter;
	TRY(runtime_main_interpreter(memory, &runtime, &interpreter));
	check_holder(memory, &runtime);
	*ret_runtime = runtime;
	return NULL;
}

void runtime_version_text(const struct runtime *runtime, char text[static 24])
{
	uint32_t hex = runtime->version_hex;
	static const char *const levels[16] = { [0xa] = "a", [0xb] = "b", [0xc] = "rc" };
	int length = snprintf(text, 24, "%u.%u.%u", hex >> 24, hex >> 16 & 255, hex >> 8 & 255);
	const char *level = levels[hex >> 4 & 15];
	if (level)
		snprintf(text + length, 24 - (size_t)length, "%s%u", level, hex & 15);
}

struct error *runtime_main_interpreter(struct memory *memory, const struct runtime *runtime, uint64_t *ret_interpreter)
{
	enum { INTERPRETERS_MAX = 4096 };
	uint64_t interpreter, next;
	if (!memory_read_u64(memory, runtime->interpreters_head, &interpreter))
		return error_os(errno, "cannot read the interpreter list");
	/* New interpreters are put in front: the last is the main one. */
	for (unsigned i = 0; i < INTERPRETERS_MAX && interpreter; i++) {
		if (!memory_read_u64(memory, interpreter + runtime->layout.interp.next, &next))
			return error_os(errno, "cannot read an interpreter");
		if (!next)
			break;
		interpreter = next;
	}
	if (!is_interpreter(memory, &runtime->layout, interpreter))
		return error_new(ERROR_NOT_READY, "the interpreter has not begun yet");
	*ret_interpreter = interpreter;
	return NULL;
}

bool runtime_gil(
	struct memory *memory, const struct runtime *runtime, uint64_t interpreter, struct gil_addresses *ret_gil)
{
	const struct layout *l = &runtime->layout;
	struct gil_addresses gil = { .holder = runtime->holder };
	uint64_t start = 0;
	if (l->interp.gil != LAYOUT_NONE) {
		if (!memory_read_u64(memory, interpreter + l->interp.gil, &start))
			return false;
	} else if (runtime->address && l->runtime.gil != LAYOUT_NONE) {
		start = runtime->address + l->runtime.gil;
	}
	if (start) {
		gil.start = start;
		gil.wait_start = start;
		gil.wait_end = start + l->gil.size;
		gil.locked = start + l->gil.locked;
		gil.switch_number = start + l->gil.switch_number;
		if (!gil.holder)
			gil.holder = start + l->gil.last_holder;
	}
	if (runtime->gil_lock) {
		enum { LOCK_SIZE = 48 }; /* a pthread_cond_t; 2.7 has a sem_t, which is smaller, behind a pointer */
		gil.wait_start = runtime->gil_lock;
		if (is_python2(runtime) && !memory_read_u64(memory, runtime->gil_lock, &gil.wait_start))
			return false;
		gil.wait_end = gil.wait_start ? gil.wait_start + LOCK_SIZE : 0;
	}
	*ret_gil = gil;
	return gil.holder != 0;
}
