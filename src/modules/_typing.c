/* The _typing module: what typing wants to be fast. */
#include <Python.h>

static PyObject *
idfunc(PyObject *module, PyObject *x)
{
    return Py_NewRef(x);
}

static PyMethodDef functions[] = {
    {"_idfunc", idfunc, METH_O, "_idfunc($module, x, /)\n--\n\n"},
    {NULL},
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_typing",
    .m_doc = "Accelerators for the typing module.",
    .m_methods = functions,
};

PyMODINIT_FUNC
PyInit__typing(void)
{
    return PyModuleDef_Init(&definition);
}
