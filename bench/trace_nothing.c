/* A trace function that does nothing, from on() to off(): what being told of lines costs by itself. */
#include <Python.h>

static int hear(PyObject *self, PyFrameObject *frame, int event, PyObject *value)
{
	(void)self, (void)frame, (void)event, (void)value;
	return 0;
}

static PyObject *on(PyObject *self, PyObject *nothing)
{
	(void)self, (void)nothing;
	PyEval_SetTrace(hear, NULL);
	Py_RETURN_NONE;
}

static PyObject *off(PyObject *self, PyObject *nothing)
{
	(void)self, (void)nothing;
	PyEval_SetTrace(NULL, NULL);
	Py_RETURN_NONE;
}

static PyMethodDef functions[] = { { "on", on, METH_NOARGS, NULL }, { "off", off, METH_NOARGS, NULL }, { 0 } };
static struct PyModuleDef definition = { PyModuleDef_HEAD_INIT, "trace_nothing", NULL, -1, functions, 0, 0, 0, 0 };

PyMODINIT_FUNC PyInit_trace_nothing(void)
{
	return PyModule_Create(&definition);
}
