/* Module `_kraitstages`: compiling while Python code watches each pass, for
 * krait.stages. */
#include <Python.h>

#include "front/front.h"

PyMODINIT_FUNC PyInit__kraitstages(void);

static int
call_observer(void *data, PyObject *scope, const char *pass, PyObject *graph)
{
    PyObject *result =
        PyObject_CallFunction(data, "OsO", scope, pass, graph);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

static PyObject *
compile_observed(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *source, *filename, *callback;
    int start, optimize;
    if (!PyArg_ParseTuple(args, "UUiiO:compile", &source, &filename, &start,
                          &optimize, &callback)) {
        return NULL;
    }
    PyCompilerFlags flags = _PyCompilerFlags_INIT;
    struct kr_observer observer = {call_observer, callback};
    return kr_front_compile_observed(source, filename, start, &flags, optimize,
                                     &observer);
}

static PyMethodDef methods[] = {
    {"compile", compile_observed, METH_VARARGS,
     "compile($module, source, filename, start, optimize, callback, /)\n--\n\n"
     "Compile str; callback gets scope, pass and graph after each pass."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_kraitstages",
    .m_doc = "The compiler's passes, as krait.stages shows them.",
    .m_methods = methods,
};

PyMODINIT_FUNC
PyInit__kraitstages(void)
{
    return PyModuleDef_Init(&def);
}
