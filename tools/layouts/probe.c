/* probe.c: prints what one CPython's headers say of the fields in src/cpython/layout.def.
 *
 * Compiled by generate.py against each version's own headers, never linked with Python. Its output is lines of
 *     layout GROUP.FIELD VALUE            an offset or a size
 *     published GROUP.FIELD SOURCE PLUS MINUS   where _Py_DebugOffsets has it (3.13+); -1: nothing
 *     head NAME VALUE                     of _Py_DebugOffsets itself
 * A field that is not printed does not exist in this version. Structs that CPython keeps in its .c files are declared
 * here, with the name of the file; live_check.py compares all with a running interpreter. */
#define Py_BUILD_CORE 1
#include <Python.h>
#include <frameobject.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <structmember.h>

#define FROM(major, minor)  (PY_VERSION_HEX >= ((major) << 24 | (minor) << 16))
#define UNTIL(major, minor) (PY_VERSION_HEX < ((major) << 24 | ((minor) + 1) << 16))

#if UNTIL(3, 10)
#include <code.h>
#include <longintrepr.h>
#endif
#if FROM(3, 8)
#include <internal/pycore_pystate.h>
#include <internal/pycore_gil.h>
#elif FROM(3, 7)
#include <internal/pystate.h>
#include <internal/gil.h>
#endif
#if FROM(3, 9)
#include <internal/pycore_interp.h>
#include <internal/pycore_runtime.h>
#endif
#if FROM(3, 10)
#include <internal/pycore_moduleobject.h>
#endif
#if FROM(3, 11)
#include <internal/pycore_code.h>
#include <internal/pycore_dict.h>
#include <internal/pycore_frame.h>
#endif
#if FROM(3, 13)
#include <internal/pycore_object.h>
#include <internal/pycore_tstate.h>
#endif
#if FROM(3, 14)
#include <internal/pycore_genobject.h>
#include <internal/pycore_interpframe.h>
#include <internal/pycore_runtime_structs.h>
#endif

#if FROM(3, 6) && UNTIL(3, 10)
/* Objects/dict-common.h; in 3.6 dk_indices is a union that begins at the same place */
typedef struct {
	Py_hash_t me_hash;
	PyObject *me_key;
	PyObject *me_value;
} PyDictKeyEntry;

struct _dictkeysobject {
	Py_ssize_t dk_refcnt;
	Py_ssize_t dk_size;
	void *dk_lookup;
	Py_ssize_t dk_usable;
	Py_ssize_t dk_nentries;
	char dk_indices[];
};
#endif

#if UNTIL(3, 9)
/* Objects/moduleobject.c */
typedef struct {
	PyObject_HEAD PyObject *md_dict;
} PyModuleObject;
#endif

#if FROM(3, 6) && UNTIL(3, 6)
/* Modules/gcmodule.c */
struct gc_generation_stats {
	Py_ssize_t collections;
	Py_ssize_t collected;
	Py_ssize_t uncollectable;
};
#endif

static void print(const char *field, size_t value)
{
	printf("layout %s %zu\n", field, value);
}

#define OFFSET(group, field, type, member) print(#group "." #field, offsetof(type, member))
#define SIZE(group, field, type)	   print(#group "." #field, sizeof(type))

static void probe_runtime(void)
{
#if FROM(3, 7)
	OFFSET(runtime, interpreters_head, _PyRuntimeState, interpreters.head);
	OFFSET(runtime, initialized, _PyRuntimeState, initialized);
#if UNTIL(3, 11)
	OFFSET(runtime, tstate_current, _PyRuntimeState, gilstate.tstate_current);
	OFFSET(runtime, gil, _PyRuntimeState, ceval.gil);
#endif
#if UNTIL(3, 8)
	OFFSET(runtime, gc_collecting, _PyRuntimeState, gc.collecting);
	OFFSET(runtime, gc_generation_stats, _PyRuntimeState, gc.generation_stats);
	OFFSET(runtime, finalizing, _PyRuntimeState, finalizing);
#else
	OFFSET(runtime, finalizing, _PyRuntimeState, _finalizing);
#endif
#if UNTIL(3, 7)
	OFFSET(runtime, main_thread, _PyRuntimeState, ceval.pending.main_thread);
#else
	OFFSET(runtime, main_thread, _PyRuntimeState, main_thread);
#endif
#if FROM(3, 13)
	OFFSET(runtime, debug_offsets, _PyRuntimeState, debug_offsets);
#endif
#endif
}

static void probe_gil(void)
{
#if FROM(3, 7)
	OFFSET(gil, interval, struct _gil_runtime_state, interval);
	OFFSET(gil, last_holder, struct _gil_runtime_state, last_holder);
	OFFSET(gil, locked, struct _gil_runtime_state, locked);
	OFFSET(gil, switch_number, struct _gil_runtime_state, switch_number);
	OFFSET(gil, cond, struct _gil_runtime_state, cond);
	SIZE(gil, size, struct _gil_runtime_state);
#endif
#ifdef Py_GIL_DISABLED
	OFFSET(gil, enabled, struct _gil_runtime_state, enabled);
#endif
}

static void probe_interpreter(void)
{
	OFFSET(interp, next, PyInterpreterState, next);
	SIZE(interp, size, PyInterpreterState);
#if FROM(3, 7)
	OFFSET(interp, id, PyInterpreterState, id);
#endif
#if FROM(3, 11)
	OFFSET(interp, threads_head, PyInterpreterState, threads.head);
#else
	OFFSET(interp, threads_head, PyInterpreterState, tstate_head);
#endif
#if FROM(3, 8) && UNTIL(3, 11)
#if UNTIL(3, 10)
	OFFSET(interp, eval_frame, PyInterpreterState, eval_frame);
	OFFSET(interp, threads_made, PyInterpreterState, tstate_next_unique_id);
#else
	OFFSET(interp, threads_made, PyInterpreterState, threads.next_unique_id);
#endif
#endif
#if FROM(3, 12)
	OFFSET(interp, gil, PyInterpreterState, ceval.gil);
	OFFSET(interp, own_gil, PyInterpreterState, _gil);
	OFFSET(interp, modules, PyInterpreterState, imports.modules);
#else
	OFFSET(interp, modules, PyInterpreterState, modules);
#endif
#if FROM(3, 9)
	OFFSET(interp, gc_collecting, PyInterpreterState, gc.collecting);
	OFFSET(interp, gc_generation_stats, PyInterpreterState, gc.generation_stats);
#endif
#if FROM(3, 13)
	OFFSET(interp, threads_main, PyInterpreterState, threads.main);
#endif
#if FROM(3, 14)
	OFFSET(interp, code_object_generation, PyInterpreterState, _code_object_generation);
#ifdef Py_GIL_DISABLED
	OFFSET(interp, tlbc_generation, PyInterpreterState, tlbc_indices.tlbc_generation);
#endif
#endif
#if FROM(3, 15)
	OFFSET(interp, gc_frame, PyInterpreterState, gc.frame);
#endif
}

static void probe_gc_stats(void)
{
#if FROM(3, 6)
	SIZE(gc_stats, stride, struct gc_generation_stats);
	OFFSET(gc_stats, collections, struct gc_generation_stats, collections);
#endif
#if FROM(3, 15)
	OFFSET(gc_stats, start, struct gc_generation_stats, ts_start);
	OFFSET(gc_stats, stop, struct gc_generation_stats, ts_stop);
	OFFSET(gc_stats, young_index, struct gc_stats, young.index);
	OFFSET(gc_stats, old, struct gc_stats, old);
	OFFSET(gc_stats, old_index, struct gc_old_stats_buffer, index);
	SIZE(gc_stats, old_stride, struct gc_old_stats_buffer);
#endif
}

static void probe_thread(void)
{
#if FROM(3, 0)
	OFFSET(tstate, prev, PyThreadState, prev);
#endif
	OFFSET(tstate, next, PyThreadState, next);
	OFFSET(tstate, interp, PyThreadState, interp);
	OFFSET(tstate, thread_id, PyThreadState, thread_id);
	SIZE(tstate, size, PyThreadState);
#if UNTIL(3, 10)
	OFFSET(tstate, frame, PyThreadState, frame);
#elif UNTIL(3, 12)
	OFFSET(tstate, frame, PyThreadState, cframe);
	OFFSET(cframe, current_frame, _PyCFrame, current_frame);
#else
	OFFSET(tstate, frame, PyThreadState, current_frame);
#endif
#if FROM(3, 7)
	OFFSET(tstate, exc_info, PyThreadState, exc_info);
	OFFSET(exc_item, value, _PyErr_StackItem, exc_value);
#endif
#if FROM(3, 11)
	OFFSET(tstate, native_thread_id, PyThreadState, native_thread_id);
	OFFSET(tstate, datastack_chunk, PyThreadState, datastack_chunk);
	OFFSET(tstate, datastack_top, PyThreadState, datastack_top);
#endif
#if FROM(3, 12)
	OFFSET(tstate, current_exception, PyThreadState, current_exception);
	OFFSET(tstate, status, PyThreadState, _status);
#else
	OFFSET(tstate, current_exception, PyThreadState, curexc_type);
#endif
#if FROM(3, 13)
	OFFSET(tstate, state, PyThreadState, state);
#endif
#if FROM(3, 14)
	OFFSET(tstate, holds_gil, PyThreadState, holds_gil);
#endif
#if FROM(3, 15)
	OFFSET(tstate, base_frame, PyThreadState, base_frame);
	OFFSET(tstate, gil_requested, PyThreadState, gil_requested);
#endif
}

/* How one is told of calls before sys.monitoring. */
static void probe_hooks(void)
{
#if FROM(3, 8) && UNTIL(3, 11)
	OFFSET(tstate, number, PyThreadState, id);
	OFFSET(tstate, tracing, PyThreadState, tracing);
	OFFSET(tstate, profile_function, PyThreadState, c_profilefunc);
	OFFSET(tstate, profile_object, PyThreadState, c_profileobj);
	OFFSET(tstate, trace_function, PyThreadState, c_tracefunc);
	OFFSET(tstate, dict, PyThreadState, dict);
	OFFSET(pyframe, lineno, PyFrameObject, f_lineno);
	OFFSET(pyframe, trace_lines, PyFrameObject, f_trace_lines);
#if UNTIL(3, 8)
	OFFSET(runtime, tracing_possible, _PyRuntimeState, ceval.tracing_possible);
#elif UNTIL(3, 9)
	OFFSET(interp, tracing_possible, PyInterpreterState, ceval.tracing_possible);
#endif
#if UNTIL(3, 9)
	OFFSET(tstate, use_tracing, PyThreadState, use_tracing);
#elif UNTIL(3, 10)
	OFFSET(tstate, cframe, PyThreadState, cframe);
	OFFSET(cframe, use_tracing, CFrame, use_tracing);
#else
	OFFSET(tstate, cframe, PyThreadState, cframe);
	OFFSET(cframe, use_tracing, _PyCFrame, use_tracing);
	OFFSET(pyframe, iframe, PyFrameObject, f_frame);
	OFFSET(code, first_traceable, PyCodeObject, _co_firsttraceable);
#endif
#endif
}

static void probe_frame(void)
{
#if FROM(3, 11)
	OFFSET(iframe, previous, _PyInterpreterFrame, previous);
	OFFSET(iframe, owner, _PyInterpreterFrame, owner);
	OFFSET(iframe, localsplus, _PyInterpreterFrame, localsplus);
#if UNTIL(3, 12)
	OFFSET(iframe, executable, _PyInterpreterFrame, f_code);
	OFFSET(iframe, instruction, _PyInterpreterFrame, prev_instr);
#else
	OFFSET(iframe, executable, _PyInterpreterFrame, f_executable);
	OFFSET(iframe, instruction, _PyInterpreterFrame, instr_ptr);
#endif
#if UNTIL(3, 11)
	OFFSET(iframe, is_entry, _PyInterpreterFrame, is_entry);
#endif
#if UNTIL(3, 13)
	OFFSET(iframe, stacktop, _PyInterpreterFrame, stacktop);
#else
	OFFSET(iframe, stacktop, _PyInterpreterFrame, stackpointer);
#ifdef Py_GIL_DISABLED
	OFFSET(iframe, tlbc_index, _PyInterpreterFrame, tlbc_index);
#endif
#endif
	OFFSET(stack_chunk, previous, _PyStackChunk, previous);
	OFFSET(stack_chunk, size, _PyStackChunk, size);
	OFFSET(stack_chunk, top, _PyStackChunk, top);
	OFFSET(stack_chunk, data, _PyStackChunk, data);
#else
	OFFSET(pyframe, back, PyFrameObject, f_back);
	OFFSET(pyframe, code, PyFrameObject, f_code);
	OFFSET(pyframe, lasti, PyFrameObject, f_lasti);
	OFFSET(pyframe, localsplus, PyFrameObject, f_localsplus);
	OFFSET(pyframe, valuestack, PyFrameObject, f_valuestack);
#if UNTIL(3, 9)
	OFFSET(pyframe, stacktop, PyFrameObject, f_stacktop);
#else
	OFFSET(pyframe, stackdepth, PyFrameObject, f_stackdepth);
	OFFSET(pyframe, state, PyFrameObject, f_state);
#endif
#endif
}

static void probe_code(void)
{
	OFFSET(code, argcount, PyCodeObject, co_argcount);
	OFFSET(code, flags, PyCodeObject, co_flags);
	OFFSET(code, firstlineno, PyCodeObject, co_firstlineno);
	OFFSET(code, stacksize, PyCodeObject, co_stacksize);
	OFFSET(code, consts, PyCodeObject, co_consts);
	OFFSET(code, names, PyCodeObject, co_names);
	OFFSET(code, filename, PyCodeObject, co_filename);
	OFFSET(code, name, PyCodeObject, co_name);
	SIZE(code, size, PyCodeObject);
#if FROM(3, 0)
	OFFSET(code, kwonlyargcount, PyCodeObject, co_kwonlyargcount);
#endif
#if UNTIL(3, 9)
	OFFSET(code, linetable, PyCodeObject, co_lnotab);
#else
	OFFSET(code, linetable, PyCodeObject, co_linetable);
#endif
#if UNTIL(3, 10)
	OFFSET(code, code, PyCodeObject, co_code);
#else
	OFFSET(code, code_adaptive, PyCodeObject, co_code_adaptive);
	OFFSET(code, nlocalsplus, PyCodeObject, co_nlocalsplus);
	OFFSET(code, qualname, PyCodeObject, co_qualname);
#endif
#if FROM(3, 12)
	OFFSET(code, framesize, PyCodeObject, co_framesize);
	OFFSET(code, version, PyCodeObject, co_version);
#endif
#if FROM(3, 14) && defined(Py_GIL_DISABLED)
	OFFSET(code, tlbc, PyCodeObject, co_tlbc);
	OFFSET(code_array, size, _PyCodeArray, size);
	OFFSET(code_array, entries, _PyCodeArray, entries);
#endif
}

#if FROM(3, 0)
static unsigned kind_bit(void)
{
	PyASCIIObject text;
	uint32_t state;
	memset(&text, 0, sizeof text);
	text.state.kind = 1;
	memcpy(&state, &text.state, sizeof state);
	return (unsigned)__builtin_ctz(state);
}
#endif

static void probe_objects(void)
{
	OFFSET(object, type, PyObject, ob_type);
	SIZE(object, size, PyObject);
	OFFSET(var_object, size, PyVarObject, ob_size);
	OFFSET(bytes, data, PyBytesObject, ob_sval);
	OFFSET(tuple, items, PyTupleObject, ob_item);
#if FROM(3, 0)
	OFFSET(unicode, length, PyASCIIObject, length);
	OFFSET(unicode, state, PyASCIIObject, state);
	print("unicode.kind_bit", kind_bit());
	SIZE(unicode, ascii_data, PyASCIIObject);
	SIZE(unicode, compact_data, PyCompactUnicodeObject);
	OFFSET(unicode, utf8, PyCompactUnicodeObject, utf8);
	OFFSET(unicode, any_data, PyUnicodeObject, data);
#else
	OFFSET(unicode, length, PyUnicodeObject, length);
	OFFSET(unicode, any_data, PyUnicodeObject, str);
	SIZE(unicode, unit, Py_UNICODE);
	OFFSET(int_object, value, PyIntObject, ob_ival);
	OFFSET(instance, dict, PyInstanceObject, in_dict);
#endif
#if FROM(3, 12)
	OFFSET(long_object, lv_tag, PyLongObject, long_value.lv_tag);
	OFFSET(long_object, digits, PyLongObject, long_value.ob_digit);
#else
	OFFSET(long_object, digits, PyLongObject, ob_digit);
#endif
	OFFSET(type, name, PyTypeObject, tp_name);
	OFFSET(type, basicsize, PyTypeObject, tp_basicsize);
	OFFSET(type, dictoffset, PyTypeObject, tp_dictoffset);
	OFFSET(type, flags, PyTypeObject, tp_flags);
	OFFSET(type, members, PyTypeObject, tp_members);
	OFFSET(module, dict, PyModuleObject, md_dict);
	OFFSET(member, name, PyMemberDef, name);
	OFFSET(member, offset, PyMemberDef, offset);
	SIZE(member, size, PyMemberDef);
#if UNTIL(3, 10)
	OFFSET(generator, frame, PyGenObject, gi_frame);
#else
	OFFSET(generator, frame, PyGenObject, gi_iframe);
	OFFSET(generator, state, PyGenObject, gi_frame_state);
#endif
/* Before an object's head; pycore_object.h: _PyObject_ManagedDictPointer() and, in 3.11, _PyObject_ValuesPointer() */
#if FROM(3, 13)
	print("object.managed_dict", -MANAGED_DICT_OFFSET);
#elif FROM(3, 11)
	print("object.managed_dict", 3 * sizeof(PyObject *));
#endif
#if FROM(3, 11) && UNTIL(3, 11)
	print("object.managed_values", 4 * sizeof(PyObject *));
#endif
}

static void probe_dict(void)
{
	OFFSET(dict, used, PyDictObject, ma_used);
#if UNTIL(2, 7)
	OFFSET(dict, keys, PyDictObject, ma_table);
	OFFSET(dict, mask, PyDictObject, ma_mask);
	OFFSET(dict_entry, hash, PyDictEntry, me_hash);
	OFFSET(dict_entry, key, PyDictEntry, me_key);
	OFFSET(dict_entry, value, PyDictEntry, me_value);
	SIZE(dict_entry, size, PyDictEntry);
#else
	OFFSET(heap_type, cached_keys, PyHeapTypeObject, ht_cached_keys);
	OFFSET(dict, keys, PyDictObject, ma_keys);
	OFFSET(dict, values, PyDictObject, ma_values);
	OFFSET(dict_keys, nentries, PyDictKeysObject, dk_nentries);
	OFFSET(dict_keys, indices, PyDictKeysObject, dk_indices);
	OFFSET(dict_entry, hash, PyDictKeyEntry, me_hash);
	OFFSET(dict_entry, key, PyDictKeyEntry, me_key);
	OFFSET(dict_entry, value, PyDictKeyEntry, me_value);
	SIZE(dict_entry, size, PyDictKeyEntry);
#if UNTIL(3, 10)
	OFFSET(dict_keys, size, PyDictKeysObject, dk_size);
	print("dict_values.values", 0);
#else
	OFFSET(dict_keys, size, PyDictKeysObject, dk_log2_size);
	OFFSET(dict_keys, kind, PyDictKeysObject, dk_kind);
	OFFSET(dict_keys, log2_index_bytes, PyDictKeysObject, dk_log2_index_bytes);
	OFFSET(dict_unicode_entry, key, PyDictUnicodeEntry, me_key);
	OFFSET(dict_unicode_entry, value, PyDictUnicodeEntry, me_value);
	SIZE(dict_unicode_entry, size, PyDictUnicodeEntry);
	OFFSET(dict_values, values, struct _dictvalues, values);
#endif
#if FROM(3, 13)
	OFFSET(dict_values, valid, struct _dictvalues, valid);
#endif
#endif
}

#if FROM(3, 13)
#define NOTHING		  (-1L)
#define AT(member)	  ((long)offsetof(_Py_DebugOffsets, member))
#define HEAD(name, value) printf("head %s %zu\n", name, (size_t)(value))

static void print_published(const char *field, long source, long plus, long minus)
{
	printf("published %s %ld %ld %ld\n", field, source, plus, minus);
}

#define PUBLISHED(group, field, member)		     print_published(#group "." #field, AT(member), NOTHING, NOTHING)
#define PUBLISHED_PLUS(group, field, member, plus)   print_published(#group "." #field, AT(member), AT(plus), NOTHING)
#define PUBLISHED_MINUS(group, field, member, minus) print_published(#group "." #field, AT(member), NOTHING, AT(minus))

/* pycore_runtime.h in 3.13, pycore_debug_offsets.h later; what is put into it: pycore_runtime_init.h there. */
static void probe_published(void)
{
	HEAD("size", sizeof(_Py_DebugOffsets));
	HEAD("cookie", AT(cookie));
	HEAD("version", AT(version));
	HEAD("free_threaded", AT(free_threaded));

	PUBLISHED(runtime, finalizing, runtime_state.finalizing);
	PUBLISHED(runtime, interpreters_head, runtime_state.interpreters_head);

	PUBLISHED(interp, size, interpreter_state.size);
	PUBLISHED(interp, id, interpreter_state.id);
	PUBLISHED(interp, next, interpreter_state.next);
	PUBLISHED(interp, threads_head, interpreter_state.threads_head);
	PUBLISHED(interp, modules, interpreter_state.imports_modules);
	PUBLISHED(interp, gil, interpreter_state.ceval_gil);
	PUBLISHED(interp, own_gil, interpreter_state.gil_runtime_state);
	PUBLISHED_PLUS(interp, gc_collecting, interpreter_state.gc, gc.collecting);
	/* The holder and the lock are told from the interpreter's start, `enabled` from the lock's own. */
	PUBLISHED_MINUS(gil, locked, interpreter_state.gil_runtime_state_locked, interpreter_state.gil_runtime_state);
	PUBLISHED_MINUS(
		gil, last_holder, interpreter_state.gil_runtime_state_holder, interpreter_state.gil_runtime_state);
	PUBLISHED(gil, enabled, interpreter_state.gil_runtime_state_enabled);

	PUBLISHED(tstate, size, thread_state.size);
	PUBLISHED(tstate, prev, thread_state.prev);
	PUBLISHED(tstate, next, thread_state.next);
	PUBLISHED(tstate, interp, thread_state.interp);
	PUBLISHED(tstate, frame, thread_state.current_frame);
	PUBLISHED(tstate, thread_id, thread_state.thread_id);
	PUBLISHED(tstate, native_thread_id, thread_state.native_thread_id);
	PUBLISHED(tstate, datastack_chunk, thread_state.datastack_chunk);
	PUBLISHED(tstate, status, thread_state.status);

	PUBLISHED(iframe, previous, interpreter_frame.previous);
	PUBLISHED(iframe, executable, interpreter_frame.executable);
	PUBLISHED(iframe, instruction, interpreter_frame.instr_ptr);
	PUBLISHED(iframe, localsplus, interpreter_frame.localsplus);
	PUBLISHED(iframe, owner, interpreter_frame.owner);

	PUBLISHED(code, size, code_object.size);
	PUBLISHED(code, filename, code_object.filename);
	PUBLISHED(code, name, code_object.name);
	PUBLISHED(code, qualname, code_object.qualname);
	PUBLISHED(code, linetable, code_object.linetable);
	PUBLISHED(code, firstlineno, code_object.firstlineno);
	PUBLISHED(code, argcount, code_object.argcount);
	PUBLISHED(code, code_adaptive, code_object.co_code_adaptive);
}

static void probe_published_objects(void)
{
	PUBLISHED(object, size, pyobject.size);
	PUBLISHED(object, type, pyobject.ob_type);
	PUBLISHED(var_object, size, bytes_object.ob_size);
	PUBLISHED(type, name, type_object.tp_name);
	PUBLISHED(type, flags, type_object.tp_flags);
	PUBLISHED(dict, keys, dict_object.ma_keys);
	PUBLISHED(dict, values, dict_object.ma_values);
	PUBLISHED(long_object, lv_tag, long_object.lv_tag);
	PUBLISHED(long_object, digits, long_object.ob_digit);
	PUBLISHED(tuple, items, tuple_object.ob_item);
	PUBLISHED(bytes, data, bytes_object.ob_sval);
	PUBLISHED(unicode, state, unicode_object.state);
	PUBLISHED(unicode, length, unicode_object.length);
	PUBLISHED(unicode, ascii_data, unicode_object.asciiobject_size);
}

/* What later versions publish besides. */
static void probe_published_later(void)
{
#if FROM(3, 14)
	PUBLISHED(interp, threads_main, interpreter_state.threads_main);
	PUBLISHED(interp, code_object_generation, interpreter_state.code_object_generation);
	PUBLISHED(interp, tlbc_generation, interpreter_state.tlbc_generation);
	PUBLISHED(iframe, stacktop, interpreter_frame.stackpointer);
	PUBLISHED(iframe, tlbc_index, interpreter_frame.tlbc_index);
	PUBLISHED(code, tlbc, code_object.co_tlbc);
	PUBLISHED(generator, frame, gen_object.gi_iframe);
	PUBLISHED(generator, state, gen_object.gi_frame_state);
#endif
#if FROM(3, 15)
	PUBLISHED_PLUS(interp, gc_frame, interpreter_state.gc, gc.frame);
	PUBLISHED_PLUS(interp, gc_generation_stats, interpreter_state.gc, gc.generation_stats);
	PUBLISHED(tstate, base_frame, thread_state.base_frame);
	PUBLISHED(tstate, holds_gil, thread_state.holds_gil);
	PUBLISHED(tstate, gil_requested, thread_state.gil_requested);
	PUBLISHED(tstate, current_exception, thread_state.current_exception);
	PUBLISHED(exc_item, value, err_stackitem.exc_value);
	PUBLISHED(type, basicsize, type_object.tp_basicsize);
	PUBLISHED(type, dictoffset, type_object.tp_dictoffset);
	PUBLISHED(heap_type, cached_keys, heap_type_object.ht_cached_keys);
	PUBLISHED(unicode, compact_data, unicode_object.compactunicodeobject_size);
#endif
}
#endif

int main(void)
{
	probe_runtime();
	probe_gil();
	probe_interpreter();
	probe_gc_stats();
	probe_thread();
	probe_hooks();
	probe_frame();
	probe_code();
	probe_objects();
	probe_dict();
#if FROM(3, 13)
	probe_published();
	probe_published_objects();
	probe_published_later();
#endif
	return 0;
}
