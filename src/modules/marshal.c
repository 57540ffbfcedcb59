/* The marshal module: Python's internal serialisation format. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <marshal.h>

#include "code/marshal_format.h"

static PyObject *
marshal_dump(PyObject *Py_UNUSED(module), PyObject *const *args,
             Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("dump", nargs, 2, 3)) {
        return NULL;
    }
    int version = Py_MARSHAL_VERSION;
    if (nargs > 2) {
        version = _PyLong_AsInt(args[2]);
        if (version == -1 && PyErr_Occurred()) {
            return NULL;
        }
    }
    PyObject *data = PyMarshal_WriteObjectToString(args[0], version);
    if (data == NULL) {
        return NULL;
    }
    PyObject *result = PyObject_CallMethod(args[1], "write", "O", data);
    Py_DECREF(data);
    return result;
}

static PyObject *
marshal_load(PyObject *Py_UNUSED(module), PyObject *file)
{
    return kr_marshal_load_file(file);
}

static PyObject *
marshal_dumps(PyObject *Py_UNUSED(module), PyObject *const *args,
              Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("dumps", nargs, 1, 2)) {
        return NULL;
    }
    int version = Py_MARSHAL_VERSION;
    if (nargs > 1) {
        version = _PyLong_AsInt(args[1]);
        if (version == -1 && PyErr_Occurred()) {
            return NULL;
        }
    }
    return PyMarshal_WriteObjectToString(args[0], version);
}

static PyObject *
marshal_loads(PyObject *Py_UNUSED(module), PyObject *arg)
{
    Py_buffer view;
    if (PyObject_GetBuffer(arg, &view, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    if (PySys_Audit("marshal.loads", "y#", view.buf, view.len) == 0) {
        result = kr_marshal_load_bytes(view.buf, view.len);
    }
    PyBuffer_Release(&view);
    return result;
}

PyDoc_STRVAR(dump_doc, "dump($module, value, file, version=version, /)\n--\n\n"
                       "Write the value to the open binary file.");
PyDoc_STRVAR(load_doc, "load($module, file, /)\n--\n\n"
                       "Read one value from the open binary file.");
PyDoc_STRVAR(dumps_doc, "dumps($module, value, version=version, /)\n--\n\n"
                        "The bytes that dump() would write.");
PyDoc_STRVAR(loads_doc, "loads($module, bytes, /)\n--\n\n"
                        "The value that the bytes-like object holds.");

static PyMethodDef methods[] = {
    {"dump", (PyCFunction)(void (*)(void))marshal_dump, METH_FASTCALL,
     dump_doc},
    {"load", marshal_load, METH_O, load_doc},
    {"dumps", (PyCFunction)(void (*)(void))marshal_dumps, METH_FASTCALL,
     dumps_doc},
    {"loads", marshal_loads, METH_O, loads_doc},
    {NULL},
};

static int
exec(PyObject *module)
{
    return PyModule_AddIntConstant(module, "version", Py_MARSHAL_VERSION);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, exec},
    {0, NULL},
};

static PyModuleDef def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "marshal",
    .m_doc = "Python values as bytes, in the format of .pyc files.",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyMarshal_Init(void);

PyMODINIT_FUNC
PyMarshal_Init(void)
{
    return PyModuleDef_Init(&def);
}
