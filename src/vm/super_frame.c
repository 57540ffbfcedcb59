/* super() without arguments: what the calling function's frame knows. */
#include <Python.h>
#include <opcode.h>

#include "code/code.h"
#include "code/opcode_meta.h"
#include "memory/tstate.h"
#include "objects/super.h"
#include "vm/frame.h"

static int
fail(const char *message)
{
    PyErr_SetString(PyExc_RuntimeError, message);
    return -1;
}

static PyObject *
first_argument(_PyInterpreterFrame *f)
{
    PyObject *first = f->localsplus[0];
    /* an argument that an inner function uses is in a cell, made by the
     * first instructions */
    if (first != NULL &&
        PyBytes_AS_STRING(f->f_code->co_localspluskinds)[0] & KR_LOCAL_CELL &&
        kr_frame_lasti(f) >= 0 && PyCell_Check(first)) {
        first = PyCell_GET(first);
    }
    return first;
}

int
kr_super_frame_args(PyTypeObject **type, PyObject **self)
{
    _PyInterpreterFrame *f = kr_tstate()->cframe->current_frame;
    if (f == NULL) {
        return fail("super(): no current frame");
    }
    PyCodeObject *co = f->f_code;
    if (co->co_argcount == 0) {
        return fail("super(): no arguments");
    }
    *self = first_argument(f);
    if (*self == NULL) {
        return fail("super(): arg[0] deleted");
    }
    for (int i = co->co_nlocalsplus - co->co_nfreevars;
         i < co->co_nlocalsplus; i++) {
        PyObject *name = PyTuple_GET_ITEM(co->co_localsplusnames, i);
        if (!_PyUnicode_EqualToASCIIString(name, "__class__")) {
            continue;
        }
        PyObject *cell = f->localsplus[i];
        if (cell == NULL || !PyCell_Check(cell)) {
            return fail("super(): bad __class__ cell");
        }
        PyObject *cls = PyCell_GET(cell);
        if (cls == NULL) {
            return fail("super(): empty __class__ cell");
        }
        if (!PyType_Check(cls)) {
            PyErr_Format(PyExc_RuntimeError,
                         "super(): __class__ is not a type (%s)",
                         Py_TYPE(cls)->tp_name);
            return -1;
        }
        *type = (PyTypeObject *)cls;
        return 0;
    }
    return fail("super(): __class__ cell not found");
}
