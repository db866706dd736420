#include "agent/python/python.h"

#include <dlfcn.h>

#include "agent/old_libc.h"

struct python python;

bool python_is_here(void)
{
	return dlsym(RTLD_DEFAULT, "Py_InitializeEx") && dlsym(RTLD_DEFAULT, "PyEval_EvalCode");
}

static void *find(const char *name)
{
	return dlsym(RTLD_DEFAULT, name);
}

/* "3.12.1 (main, ..." */
static uint32_t parse_version(const char *text)
{
	uint32_t parts[3] = { 0 };
	for (int i = 0; i < 3; i++) {
		while (*text >= '0' && *text <= '9')
			parts[i] = 10 * parts[i] + (uint32_t)(*text++ - '0');
		if (*text++ != '.')
			break;
	}
	return parts[0] << 24 | parts[1] << 16 | parts[2] << 8;
}

bool python_look_up(const struct python_symbol *wanted, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!(*wanted[i].place = find(wanted[i].name)))
			return false;
	return true;
}

bool python_find(void)
{
	const struct python_symbol wanted[] = {
		{ "PySys_AddAuditHook", (void **)&python.add_audit_hook },
		{ "PySys_GetObject", (void **)&python.sys_get },
		{ "PyObject_GetAttrString", (void **)&python.get_attribute },
		{ "PyObject_CallFunctionObjArgs", (void **)&python.call },
		{ "PyObject_CallMethod", (void **)&python.call_method },
		{ "PyObject_Repr", (void **)&python.repr },
		{ "PyUnicode_AsUTF8AndSize", (void **)&python.text },
		{ "PyLong_FromLong", (void **)&python.make_long },
		{ "PyObject_Size", (void **)&python.size },
		{ "PyIter_Next", (void **)&python.next },
		{ "PyTuple_GetItem", (void **)&python.item },
		{ "PyDict_GetItemString", (void **)&python.dict_get },
		{ "PyLong_AsLong", (void **)&python.as_long },
		{ "PyException_GetTraceback", (void **)&python.get_traceback },
		{ "PyCode_Addr2Line", (void **)&python.code_line },
		{ "Py_IncRef", (void **)&python.keep },
		{ "Py_DecRef", (void **)&python.forget },
		{ "PyErr_Clear", (void **)&python.clear_error },
		{ "PyErr_Fetch", (void **)&python.fetch_error },
		{ "PyErr_Restore", (void **)&python.restore_error },
		{ "PyType_FromSpec", (void **)&python.make_type },
		{ "PyType_GenericAlloc", (void **)&python.allocate },
		{ "PyVectorcall_Call", (void **)&python.vector_call },
		{ "PyRun_String", (void **)&python.evaluate },
		{ "PyEval_GetGlobals", (void **)&python.globals },
		{ "PyDict_New", (void **)&python.new_dict },
		{ "_Py_NoneStruct", (void **)&python.none },
		{ "PyCFunction_Type", (void **)&python.function_type },
		{ "PyMethodDescr_Type", (void **)&python.method_descriptor_type },
	};
	const char *(*get_version)(void) = (const char *(*)(void))find("Py_GetVersion");
	if (!get_version)
		return false;
	python.version = parse_version(get_version());
	python.free_threaded = strstr(get_version(), "free-threading") != NULL;
	python.head = python.free_threaded ? 32 : 16;
	if (!python_look_up(wanted, sizeof wanted / sizeof *wanted))
		return false;
	python.method_function_type = find("PyCMethod_Type"); /* from 3.9 on */
	bool old = python.version < 0x030c0000;
	python.request_extra = (int (*)(void (*)(void *)))find(
		old ? "_PyEval_RequestCodeExtraIndex" : "PyUnstable_Eval_RequestCodeExtraIndex");
	python.get_extra = (int (*)(object *, ptrdiff_t, void **))find(
		old ? "_PyCode_GetExtra" : "PyUnstable_Code_GetExtra");
	python.set_extra = (int (*)(object *, ptrdiff_t, void *))find(
		old ? "_PyCode_SetExtra" : "PyUnstable_Code_SetExtra");
	return python.request_extra && python.get_extra && python.set_extra;
}
