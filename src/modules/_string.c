/* The _string module: the parser of str.format for string.Formatter. */
#include <Python.h>

#include "objects/str/str.h"

static PyObject *
formatter_field_name_split(PyObject *mod, PyObject *arg)
{
    return kr_str_field_name_split(arg);
}

static PyObject *
formatter_parser(PyObject *mod, PyObject *arg)
{
    return kr_str_formatter_parser(arg);
}

static PyMethodDef methods[] = {
    {"formatter_field_name_split", formatter_field_name_split, METH_O,
     "split the argument as a field name"},
    {"formatter_parser", formatter_parser, METH_O,
     "parse the argument as a format string"},
    {NULL},
};

static struct PyModuleDef def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_string",
    .m_doc = "string helper module",
    .m_methods = methods,
};

PyMODINIT_FUNC
PyInit__string(void)
{
    return PyModuleDef_Init(&def);
}
