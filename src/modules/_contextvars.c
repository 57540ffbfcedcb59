/* The _contextvars module. */
#include <Python.h>

#include "objects/context.h"

static PyObject *
copy_context(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    return PyContext_CopyCurrent();
}

static PyMethodDef methods[] = {
    {"copy_context", copy_context, METH_NOARGS,
     "copy_context($module, /)\n--\n\nA copy of the current context."},
    {NULL},
};

static int
exec(PyObject *module)
{
    if (kr_context_init() < 0 || PyModule_AddType(module, &PyContext_Type) < 0
        || PyModule_AddType(module, &PyContextVar_Type) < 0
        || PyModule_AddType(module, &PyContextToken_Type) < 0) {
        return -1;
    }
    return 0;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, exec}, {0}};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_contextvars",
    .m_doc = "Context Variables",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit__contextvars(void)
{
    return PyModuleDef_Init(&definition);
}
